"""The model: paths in blocks of a fixed size, each with its own seed, so that workers never change an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from twokey.outlook import flows, keys
from twokey.outlook.given import Given
from twokey.outlook.inputs import Input, correlate
from twokey.outlook.scenario import Scenario
from twokey.outlook.stocks import Floats, History
from twokey.outlook.strikes import Moments
from twokey.outlook.timeline import Timeline, build

SEEDED: Final = 5_000  # paths that share one seed: part of the definition of a result, like the seed itself
BLOCK: Final = 2 * SEEDED  # paths that are worked on together: as many as the processor's cache holds well
OPENINGS: Final = 8
RATCHETS: Final = 6


@dataclass(frozen=True, slots=True)
class Block:
    """The paths of one block: states by quarter, both keys by step, and the inputs that were drawn."""

    history: History  # by quarter
    us: npt.NDArray[np.bool_]  # (steps, paths)
    cn: npt.NDArray[np.bool_]
    inputs: Mapping[str, Floats]  # each (paths,)
    chip_security: npt.NDArray[np.int64]  # step at which location verification starts

    def of(self, name: str) -> Floats:
        """Return one stock, count or level by quarter, shape (quarters + 1, paths)."""
        return self.history.of(name)


def blocks_of(paths: int) -> list[tuple[int, int]]:
    """Return (block number, paths) for every block.

    >>> blocks_of(12_000)
    [(0, 10000), (1, 2000)]
    """
    return [(n, min(BLOCK, paths - n * BLOCK)) for n in range(-(-paths // BLOCK))]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a block takes instead of what it would draw and record by itself.

    With scores and luck sensitivities meet the same luck at every setting of the inputs.
    """

    scores: Floats | None = None  # normal scores of the inputs, shape (inputs, paths)
    luck: npt.NDArray[np.int64] | None = None  # whose draws of chance each path takes, shape (paths,)
    every: int | None = None  # steps between records, instead of a quarter's
    precision: npt.DTypeLike = np.float32  # of the flows


def run_block(
    scenario: Scenario, number: int, paths: int, line: Timeline | None = None, chosen: Chosen | None = None
) -> Block:
    """Run one block; `line` is what `build` makes of the scenario. A path never depends on how many follow it."""
    chosen = chosen or Chosen()
    given = settle(scenario, number, paths, line or build(scenario), chosen)
    history = flows.run(given, chosen.every or scenario.steps_a_quarter)
    return Block(history, given.keys.us, given.keys.cn, given.x, given.moments.chip_security)


def settle(scenario: Scenario, number: int, paths: int, line: Timeline, chosen: Chosen) -> Given:
    """Draw what a block needs, and turn its keys: everything that is settled before its flows run."""
    columns = chosen.luck
    draws = _draw(scenario, number, paths if columns is None else 1 + int(columns.max()))
    drawn, clocks, singles, luck = draws if columns is None else [part[..., columns] for part in draws]
    x = _Inputs(scenario.inputs, drawn if chosen.scores is None else chosen.scores)
    when = _Clock(scenario)
    forever = when(singles[0], x["overwatch_rate"])
    moments = Moments(
        mandate=when(np.cumsum(singles[5:], axis=0), x["mandate_rate"]),
        hbm_relief=when(singles[1], x["hbm_relief_rate"]),
        foundry_shock=when(singles[2], x["foundry_shock_rate"]),
        chip_security=when(singles[3], x["chip_security_rate"]),
        equipment=when(singles[4], x["equipment_rate"]),
    )
    rates = (x["us_close_rate"], x["us_open_rate"], x["cn_close_rate"], x["cn_open_rate"])
    hazards = keys.Hazards(rates, x["coupling"], forever, scenario.dwell_shape)
    turned = keys.simulate(line, hazards, clocks, scenario.step_weeks)
    return Given(
        line,
        x,
        turned,
        _conversions(scenario, x["conversion"], luck),
        moments,
        step_weeks=scenario.step_weeks,
        h100e=scenario.chip.h100e_8bit,
        h100e_domestic=scenario.domestic_chip.h100e_8bit,
        precision=chosen.precision,
    )


def _draw(scenario: Scenario, number: int, paths: int) -> list[Floats]:
    """Draw what a block needs: scores of the inputs, clocks of the keys, clocks of single events, luck of conversions.

    Each seed draws for all its `SEEDED` paths, and the block keeps its first `paths`. The last axis is paths.
    """
    seeds = -(-paths // SEEDED)
    rows = (len(scenario.inputs), 2 * keys.MOVES, 5 + RATCHETS, OPENINGS)
    parts = [np.empty((n, seeds, SEEDED)) for n in rows]
    for seed in range(seeds):
        spawned = np.random.SeedSequence(scenario.seed, spawn_key=(number * BLOCK // SEEDED + seed,))
        rng = np.random.Generator(np.random.PCG64(spawned))
        normal, exponential = rng.standard_normal, rng.standard_exponential
        for part, draw in zip(parts, (normal, exponential, exponential, normal), strict=True):
            for row in part[:, seed]:
                draw(out=row)
        correlate(parts[0][:, seed], list(scenario.inputs), scenario.correlations)
    z, clocks, singles, luck = (part.reshape(len(part), -1)[:, :paths] for part in parts)
    return [z, clocks.reshape(2, keys.MOVES, paths), singles, luck]


class _Inputs(Mapping[str, Floats]):
    """The inputs at their drawn scores; each is reckoned when it is first asked for."""

    def __init__(self, given: Mapping[str, Input], z: Floats) -> None:
        self._given, self._scores = given, dict(zip(given, z, strict=True))
        self._known: dict[str, Floats] = {}

    def __getitem__(self, name: str) -> Floats:
        if name not in self._known:
            self._known[name] = self._given[name].at(self._scores[name])
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)


class _Clock:
    """Turns unit-exponential draws into the step at which a rate per year strikes."""

    def __init__(self, scenario: Scenario) -> None:
        self.step_years = 7 * scenario.step_weeks / 365.25

    def __call__(self, clock: Floats, rate: Floats) -> npt.NDArray[np.int64]:
        with np.errstate(divide="ignore"):
            steps = clock / (rate * self.step_years)
        return np.asarray(np.minimum(steps, 1e9), dtype=np.int64)


SPREAD_OF_OPENINGS: Final = 0.8  # logit spread between openings of one path: seen 0.01 to 0.05 in three openings


def _conversions(scenario: Scenario, level: Floats, luck: Floats) -> Floats:
    """Draw a share for each opening around the path's own level; a fixed input stays fixed."""
    if scenario.inputs["conversion"].fixed:
        return np.broadcast_to(level, luck.shape)
    safe = np.clip(level, 1e-6, 1 - 1e-6)
    return np.asarray(1 / (1 + np.exp(-(np.log(safe / (1 - safe)) + SPREAD_OF_OPENINGS * luck))))


def simulate(scenario: Scenario, workers: int = 1) -> Iterator[Block]:
    """Run all blocks, in order; the numbers do not depend on `workers`."""
    line = build(scenario)
    todo = blocks_of(scenario.paths)
    if workers <= 1 or len(todo) == 1:
        for number, paths in todo:
            yield run_block(scenario, number, paths, line)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting = []
        for number, paths in todo:
            waiting.append(pool.submit(run_block, scenario, number, paths, line))
            if len(waiting) >= 2 * workers:
                yield waiting.pop(0).result()
        for one in waiting:
            yield one.result()


def mapped(scenario: Scenario, function: Callable[[Block], object], workers: int = 1) -> Iterator[object]:
    """Run all blocks and reduce each at once, so that only the reduced values stay in memory."""
    for block in simulate(scenario, workers):
        yield function(block)
