"""How many of one chip replace so many of another, for one kind of work under the same latency limit."""

from __future__ import annotations

import itertools
import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from twokey.chips import UserError
from twokey.deploy.constants import Constants
from twokey.deploy.devices import Hardware
from twokey.deploy.estimate import FACILITY, Estimate, best, options
from twokey.deploy.said import Said
from twokey.deploy.search import KINDS_ZH, Work

_SIZES = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)


@dataclass(frozen=True, slots=True)
class Side:
    """One side: cards, the shape of a cluster, power and price (None where the TDP or the price is unknown)."""

    chip: str
    cards: float
    clusters: float
    cards_per_cluster: float
    layout: str
    rate: float  # tokens a second of all cards
    power_mw: float | None
    price_usd: float | None
    network: str


@dataclass(frozen=True, slots=True)
class Equivalence:
    """`count` cards of the first chip and what replaces them; `low` and `high` bound the replacement at 80 %.

    `exact` is the number before whole clusters are counted. `stops_helping` is the number of cards beyond which twice
    as many cards bring less than 1.5 times the work (training), or None within what was tried.
    """

    work: str
    here: Side
    there: Side
    exact: float
    low: float
    high: float
    stops_helping: float | None
    here_estimate: Estimate
    there_estimate: Estimate
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain JSON data."""
        data = asdict(self)
        data["here_estimate"], data["there_estimate"] = self.here_estimate.as_json(), self.there_estimate.as_json()
        return data


def _layout(e: Estimate) -> str:
    parts = [f"TP{e.tp:g}", f"PP{e.pp:g}", f"DP{e.dp:g}", f"EP{e.ep:g}"]
    return " ".join(part for part in parts if not part.endswith("P1")) or "one device"


def _network(device: Hardware, e: Estimate) -> str:
    domain, speed = device.domain / device.per_card, device.out_gbs * 8 * device.per_card
    if e.devices <= device.domain:
        return Said(f"inside one scale-up domain of {domain:g} cards", f"在 {domain:g} 卡的单个超节点域内")
    return Said(
        f"{speed:.0f} Gb/s scale-out a card between scale-up domains of {domain:g} cards",
        f"{domain:g} 卡超节点域之间，每卡横向扩展 {speed:.0f} Gb/s",
    )


def _side(device: Hardware, e: Estimate, cards: float) -> Side:
    clusters = math.ceil(cards / e.cards - 1e-9)
    whole = clusters * e.cards
    return Side(
        chip=device.name,
        cards=whole,
        clusters=float(clusters),
        cards_per_cluster=e.cards,
        layout=_layout(e),
        rate=whole * e.rate,
        power_mw=None if device.tdp_w is None else whole * device.tdp_w * FACILITY / 1e6,
        price_usd=None if device.price_usd is None else whole * device.price_usd,
        network=_network(device, e),
    )


def equivalent(here: Hardware, count: float, there: Hardware, work: Work, constants: Constants) -> Equivalence:
    """Return how many cards of `there` do the work of `count` cards of `here`.

    Both sides search their own best layout under the same limit. The interval joins both sides' intervals as
    independent errors of the logarithm. Raises UserError where a side cannot do the work at all.
    """
    if not count >= 1:
        raise UserError(f"count: must be at least one card (got {count:g})")
    a, b = _pair(here, count, there, work, constants)
    target = count * a.rate
    exact = target / b.rate
    if work.kind == "train":
        exact, b = _training_size(there, target, work, constants)
    side_b = _side(there, b, exact) if work.kind != "train" else _cluster(there, b, exact)
    up = math.hypot(math.log(a.high / a.rate), math.log(b.rate / b.low))
    down = math.hypot(math.log(a.rate / a.low), math.log(b.high / b.rate))
    side_a = _side(here, a, count) if work.kind != "train" else _cluster(here, a, count)
    notes: dict[str, None] = dict.fromkeys((*a.notes, *b.notes))
    if here.tdp_w is None or there.tdp_w is None:
        missing = [d.name for d in (here, there) if d.tdp_w is None]
        words = Said(
            f"power: no TDP is published for {' and '.join(missing)}", f"功率：{'、'.join(missing)} 未公布 TDP"
        )
        notes[words] = None
    if work.kind == "train":
        batch = Said(
            f"a global batch of {work.batch_tokens / 1e6:g}M tokens is kept on both sides (--batch-tokens)",
            f"双方均保持 {work.batch_tokens / 1e6:g}M token 的全局批量（--batch-tokens）",
        )
        notes[batch] = None
    counted = Said(
        f"power counts {FACILITY:g} W at the meter for each W of accelerator TDP (host, network, cooling)",
        f"功率按每 1 W 加速器 TDP 计 {FACILITY:g} W 电表功率（主机、网络、散热）",
    )
    notes[counted] = None
    limit, limit_zh = "", ""
    if work.tpot_ms is not None:
        limit, limit_zh = f" within {work.tpot_ms:g} ms a token", f"，每 token {work.tpot_ms:g} 毫秒以内"
    return Equivalence(
        work=Said(f"{work.kind} of {work.shape.name}{limit}", f"{work.shape.name} {KINDS_ZH[work.kind]}{limit_zh}"),
        here=side_a,
        there=side_b,
        exact=exact,
        low=exact * math.exp(-down),
        high=exact * math.exp(up),
        stops_helping=stops_helping(there, work, constants),
        here_estimate=a,
        there_estimate=b,
        notes=tuple(notes),
    )


def _pair(here: Hardware, count: float, there: Hardware, work: Work, constants: Constants) -> tuple[Estimate, Estimate]:
    cards = count if work.kind == "train" or count < 768 else None
    return best(here, work, constants, cards), best(there, work, constants, count if work.kind == "train" else None)


def _cluster(device: Hardware, e: Estimate, cards: float) -> Side:
    return replace(_side(device, e, cards), cards=math.ceil(cards), clusters=1.0, cards_per_cluster=math.ceil(cards))


def _training_size(device: Hardware, target: float, work: Work, constants: Constants) -> tuple[float, Estimate]:
    """Find the smallest cluster of one job that reaches `target` tokens a second (efficiency falls with size)."""
    low, high = 1.0, 8.0
    while True:
        try:
            e = best(device, work, constants, high)
        except UserError:
            e = None
        if e is not None and e.rate * high >= target:
            break
        low, high = high, high * 2
        if high > 1e6:
            raise UserError(
                f"{device.name}: no cluster reaches {target:,.0f} tokens a second for "
                f"{work.shape.name}; more cards stop helping"
            )
    for _ in range(30):
        middle = math.floor((low + high) / 2)
        if middle <= low or middle >= high:
            break
        try:
            tried = best(device, work, constants, middle)
            enough = tried.rate * middle >= target
        except UserError:
            enough = False
        low, high = (low, middle) if enough else (middle, high)
        if high - low < max(1.0, high * 0.002):
            break
    return high, best(device, work, constants, high)


def curve(
    device: Hardware, work: Work, constants: Constants, most: float = 16384
) -> list[tuple[float, float, float, float]]:
    """Return (cards, tokens a second of one cluster, low, high) over cluster sizes; sizes that cannot do it are absent.

    For serving one cluster may hold many replicas, and unused cards cost nothing: the curve never falls.
    """
    points = []
    reached = 0.0
    table = None if work.kind == "train" else options(device, work, constants)
    for cards in _SIZES:
        if cards > most:
            break
        if table is not None:
            index = table.best_for(cards * device.per_card)
            total = (
                0.0
                if index is None
                else float(np.floor(cards * device.per_card / table.world[index]) * table.rate[index])
            )
        else:
            try:
                total = best(device, work, constants, cards).rate * cards
            except UserError:
                continue
        reached = max(reached, total)
        if reached > 0:
            points.append((float(cards), reached))
    if not points:
        return []
    e = best(device, work, constants, points[-1][0] if work.kind == "train" else None)
    return [(cards, rate, rate * e.low / e.rate, rate * e.high / e.rate) for cards, rate in points]


def stops_helping(device: Hardware, work: Work, constants: Constants) -> float | None:
    """Return the cluster size beyond which doubling brings less than half as much again; None where it always does."""
    points = curve(device, work, constants)
    for (cards, rate, _, _), (more, faster, _, _) in itertools.pairwise(points):
        if more == 2 * cards and faster < 1.5 * rate:
            return cards
    return None
