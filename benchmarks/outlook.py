"""How fast the outlook model is, beside plain Python, simpy and PySD on the same equations.

Run `python benchmarks/outlook.py`.

Times are processor time, which other work on the machine disturbs least; one thread. Every engine gets the same draws.
The slow ones run a few paths and are scaled to 10,000; the line says so. PySD is measured where it is installed
(requirements/bench-outlook.in).
"""

from __future__ import annotations

import importlib
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from twokey.outlook import model, reference
from twokey.outlook.demand import MOST_DOMESTIC
from twokey.outlook.run import run
from twokey.outlook.scenario import Scenario, load
from twokey.outlook.sliders import quick
from twokey.outlook.stocks import STOCKS
from twokey.outlook.timeline import build

PATHS, QUARTERS = 10_000, 20
FEW = 40


def main() -> None:
    """Print each engine's time, its ratio to ours, and the mean that it found."""
    base = replace(load("founding-case-2026-01-28"), paths=PATHS, quarters=QUARTERS)
    kinds, hazards = len(STOCKS), 10
    print(f"{PATHS:,} paths x {QUARTERS} quarters, {kinds} stocks, {hazards} hazards; draws included; one thread")
    for steps, name in ((3, "month"), (13, "week")):
        scenario = replace(base, steps_a_quarter=steps)
        ours = best(partial(drain, scenario))
        print(f"\nstep: {name} ({scenario.steps} steps)")
        show("numpy (this model)", ours, ours, delivered_by(scenario))
        plain(scenario, ours)
        simpy_version(scenario, ours)
        pysd_version(scenario, ours)
    print()
    bounded_memory(base)
    dask(base)
    once = best(lambda: quick(base, {"conversion": 0.1}))
    print(f"one setting of the sliders (1,000 paths, 20 quarters, all lines and fans): {once * 1e3:.0f} ms")


def drain(scenario: Scenario) -> None:
    for _ in model.simulate(scenario):
        pass


def best(call: Callable[[], object], repeat: int = 15) -> float:
    """Return the best processor time of several calls, in seconds."""
    times = []
    for _ in range(repeat):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def show(name: str, seconds: float, ours: float, mean: float, note: str = "") -> None:
    print(f"  {name:34} {seconds * 1e3:12.1f} ms   x{seconds / ours:8.1f}   mean delivered {mean:12,.1f}  {note}")


def delivered_by(scenario: Scenario, paths: int | None = None) -> float:
    blocks = [b.of("delivered")[-1] for b in model.simulate(scenario)]
    values: npt.NDArray[np.float64] = np.concatenate(blocks)[:paths]
    return float(values.mean())


class Draws:
    """What one block drew, path by path, as plain Python numbers."""

    def __init__(self, scenario: Scenario) -> None:
        double = model.run_block(scenario, 0, FEW, chosen=model.Chosen(precision=np.float64))
        single = model.run_block(scenario, 0, FEW)
        self.mean, answer = (float(block.of("delivered")[-1].mean()) for block in (double, single))
        assert abs(answer - self.mean) <= 1e-5 * max(1.0, self.mean), "single and double precision disagree"
        given = model.settle(scenario, 0, FEW, build(scenario), model.Chosen())
        self.line, self.keys, x, fresh, moments = given.line, given.keys, given.x, given.fresh, given.moments
        self.h, self.h100e, self.h100e_home = given.step_weeks, given.h100e, given.h100e_domestic
        self.x = [{name: float(v[p]) for name, v in x.items()} for p in range(FEW)]
        self.fresh = [[float(v) for v in fresh[:, p]] for p in range(FEW)]
        names = ("hbm_relief", "foundry_shock", "chip_security", "equipment")
        self.strikes = [
            reference.Strikes([int(v) for v in moments.mandate[:, p]], *(int(getattr(moments, n)[p]) for n in names))
            for p in range(FEW)
        ]

    def flags(self, path: int) -> tuple[list[bool], list[bool], list[bool]]:
        """Return both keys, and whether import opened, step by step."""
        keys = self.keys
        us, cn, opened = ([bool(v) for v in a[:, path]] for a in (keys.us, keys.cn, keys.reopened))
        return us, cn, opened


def plain(scenario: Scenario, ours: float) -> None:
    draws = Draws(scenario)
    flags = [draws.flags(p) for p in range(FEW)]
    start = time.process_time()
    ends = []
    for p in range(FEW):
        us, cn, opened = flags[p]
        state, step = reference.stepper(
            draws.line, draws.x[p], draws.fresh[p], draws.strikes[p], draws.h, draws.h100e, draws.h100e_home
        )
        for t in range(len(us)):
            step(t, us[t], cn[t], opened[t])
        ends.append(state["delivered"])
    seconds = (time.process_time() - start) * PATHS / FEW
    mean = float(np.mean(ends))
    assert abs(mean - draws.mean) <= 1e-9 * max(1.0, draws.mean), "plain Python and numpy disagree"
    show("plain Python (same equations)", seconds, ours, mean, f"scaled from {FEW} paths; equal to ours on them")


def simpy_version(scenario: Scenario, ours: float) -> None:
    simpy: Any = importlib.import_module("simpy")
    draws = Draws(scenario)
    rng = np.random.default_rng(scenario.seed)
    start = time.process_time()
    ends = []
    for p in range(FEW):
        x = draws.x[p]
        env = simpy.Environment()
        keys = {"us": draws.line.us_start, "cn": True, "opened": False}

        def key(env: Any, name: str, close: float, opens: float, keys: dict[str, bool] = keys) -> Any:
            while True:  # continuous time: exponential dwell in years, the coupling left out
                yield env.timeout(rng.exponential(1 / max(1e-9, close if keys[name] else opens)))
                keys[name] = not keys[name]
                keys["opened"] |= name == "cn" and keys["cn"]

        state, step = reference.stepper(
            draws.line, x, draws.fresh[p], draws.strikes[p], draws.h, draws.h100e, draws.h100e_home
        )

        def clock(env: Any, step: reference.Step = step, keys: dict[str, bool] = keys) -> Any:
            for t in range(scenario.steps):
                step(t, keys["us"], keys["cn"], keys["opened"])
                keys["opened"] = False
                yield env.timeout(draws.h * 7 / 365.25)

        env.process(key(env, "us", x["us_close_rate"], x["us_open_rate"]))
        env.process(key(env, "cn", x["cn_close_rate"], x["cn_open_rate"]))
        env.run(until=env.process(clock(env)))
        ends.append(state["delivered"])
    seconds = (time.process_time() - start) * PATHS / FEW
    show("simpy (keys in continuous time)", seconds, ours, float(np.mean(ends)), f"scaled from {FEW} paths")


def pysd_version(scenario: Scenario, ours: float) -> None:
    import outlook_pysd

    few = 5
    try:
        compiled = outlook_pysd.load(scenario.steps)
    except ImportError:
        print("  PySD: not installed (python -m pip install --requirement requirements/bench-outlook.in)")
        return
    draws = Draws(scenario)
    values = [pysd_values(draws, p) for p in range(few)]
    outlook_pysd.delivered(compiled, values[0])
    start = time.process_time()
    ends = [outlook_pysd.delivered(compiled, v) for v in values]
    seconds = (time.process_time() - start) * PATHS / few
    mine = float(model.run_block(scenario, 0, FEW).of("delivered")[-1, :few].mean())
    show(
        "PySD (a run a path)", seconds, ours, float(np.mean(ends)), f"scaled from {few} paths; ours on them {mine:,.1f}"
    )


def pysd_values(draws: Draws, path: int) -> dict[str, Any]:
    """Constants and time series of one path; chance events become series."""
    x, line, strikes = draws.x[path], draws.line, draws.strikes[path]
    h: float = draws.h
    us, cn, opened = draws.flags(path)
    steps = len(us)
    convert, mandate, demand, gross, memory, foundry = ([0.0] * steps for _ in range(6))
    openings, share = 0, max(x["mandate"], float(line.mandate[0]))
    d, m = x["china_demand_year"] / 52 * h, x["hbm_year"] / 52 * h
    g = x["logic_kwpm"] * 1e3 / (52 / 12) * h * x["ai_wafer_share"] * x["dies_per_wafer"]
    grow_m, grow_g = (1 + x["hbm_growth"]) ** (h / 52), (1 + x["logic_growth"]) ** (h / 52)
    for t in range(steps):
        openings += opened[t]
        for strike in strikes.mandate:
            share = min(MOST_DOMESTIC, share + x["mandate_step"]) if strike == t else share
        m *= 2.0 if strikes.hbm_relief == t else 1.0
        if strikes.equipment == t:
            grow_m = grow_g = 1.0
        d, g, m = d * (1 + x["china_demand_growth"]) ** (h / 52), g * grow_g, m * grow_m
        half = 0.5 if t >= strikes.foundry_shock else 1.0
        foundry[t] = x["foundry_units_week"] * h * half if t >= x["restart_weeks"] // h else 0.0
        convert[t], mandate[t] = draws.fresh[path][openings % len(draws.fresh[path])], share
        demand[t], gross[t], memory[t] = d, g, m

    def each(name: str) -> float:
        weeks: float = x[name]
        return min(1.0, h / weeks)

    duty = float(line.price[0])
    return {
        "us": [float(v) for v in us], "cn": [float(v) for v in cn], "reopened": [float(v) for v in opened],
        "convert": convert, "mandate": mandate, "demand": demand, "gross_dies": gross, "memory": memory,
        "foundry": foundry, "dated": [float(v) for v in line.batches],
        "wanted": x["foreign_demand_year"] / 52 * (1 + x["pass_through"] * duty) ** -x["elasticity"] * h,
        "grant": each("licence_weeks"), "ratio": float(line.ratio[0]), "home": x["us_units_week"] * h,
        "home_to_date": x["us_units_to_date"], "batch": x["batch_units"] * h / x["batch_weeks"],
        "leave_convertible": each("conversion_weeks"), "leave_wafers": each("wafer_weeks"),
        "leave_packaging": each("package_weeks"), "leave_inspection": each("inspection_weeks"),
        "leave_transit": each("customs_weeks"), "leave_installing": each("install_weeks"),
        "leave_domestic": each("domestic_weeks"), "writedown": x["writedown_year"] * h / 52,
        "substitution": x["substitution"], "speed": x["yield_speed"] * h / 52, "learning": x["learning"],
        "ceiling": x["die_yield_ceiling"], "packaging_capacity": x["packaging_year"] / 52 * h, "h100e": draws.h100e,
        "h100e_home": draws.h100e_home, "applications_0": x["applications"], "finished_0": x["vendor_stock"],
        "dies_0": x["die_bank"], "stacks_0": x["hbm_stock"], "wip_0": x["domestic_wip"], "yield_0": x["die_yield"],
        "made_0": x["output_to_date"],
    }  # fmt: skip


def bounded_memory(base: Scenario) -> None:
    many = replace(base, paths=1_000_000, quarters=QUARTERS, steps_a_quarter=3)
    start = time.process_time()
    result = run(many)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"1,000,000 paths, all 29 lines and fans: {seconds:.1f} s, peak memory of the whole process {peak:,.0f} MiB, "
        f"median gap {result.at('gap_8bit', QUARTERS, 0.5):.2f}"
    )


def dask(base: Scenario) -> None:
    scenario = replace(base, paths=20_000, steps_a_quarter=3)
    start = time.perf_counter()
    there = run(scenario, engine="dask")
    seconds = time.perf_counter() - start
    same = np.array_equal(there.quantiles, run(scenario).quantiles)
    print(f"20,000 paths on a local Dask cluster: {seconds:.1f} s with its start; same numbers: {same}")


if __name__ == "__main__":
    sys.path.insert(0, str(__import__("pathlib").Path(__file__).parent))
    main()
