"""Placement: within every limit, priced rightly, and explained when there is none."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from twokey.chips import UserError
from twokey.cli.deploy import deploy
from twokey.deploy import hardware, model
from twokey.deploy.conditions import Ceiling, DomesticShare, EndUse, Place
from twokey.deploy.constants import packaged
from twokey.deploy.mix import cheapest
from twokey.deploy.needs import Need
from twokey.deploy.place import Placement, place, place_with, relaxation, sweep
from twokey.deploy.plan import Fleet, Plan, Site, Workload, build, read
from twokey.deploy.said import Said
from twokey.deploy.solver import INFINITY, Programme, solve

EXAMPLE = Path(__file__).parents[2] / "examples" / "deploy" / "twenty_sites.toml"
H200, A910 = hardware("H200 SXM"), hardware("Ascend 910C")


def small(
    *conditions: Any, objective: Any = "served", imported: float = 100, domestic: float = 200, **more: Any
) -> Plan:
    sites = (Site("north", "CN", 1e6), Site("harbour", "HK", 1e6))
    fleets = (Fleet("north", A910, domestic, 1.0, 1.0), Fleet("harbour", H200, imported, 1.0, 3.0))
    chat = Workload("chat", "inference", model("Qwen3-32B"), "consumer", 1.0, 2000, 500, (1000.0,))
    lab = Workload("lab", "inference", model("Qwen3-8B"), "research", 1.0, 2000, 500, (1000.0,))
    job = Workload("job", "training", model("Qwen3-8B"), "research", 1.0, 4096, 0, (), None, 1e12, 30)
    return Plan("small", objective, sites, fleets, (chat, lab, job), tuple(conditions), **more)


NEEDS = {
    (0, H200.name): Need((80.0,)),
    (0, A910.name): Need((160.0,)),
    (1, H200.name): Need((20.0,)),
    (1, A910.name): Need((40.0,)),
    (2, H200.name): Need((50.0,)),
    (2, A910.name): Need((100.0,)),
}


def used(answer: Placement) -> dict[str, float]:
    found: dict[str, float] = {}
    for a in answer.assignments:
        found[a.chip] = found.get(a.chip, 0.0) + a.cards
    return found


def test_limits_hold_and_the_bound_is_a_bound() -> None:
    answer = place_with(small(), NEEDS)
    assert used(answer)[H200.name] <= 100 + 1e-6
    assert used(answer)[A910.name] <= 200 + 1e-6
    assert answer.value <= answer.bound * (1 + 1e-9)
    jobs = [a for a in answer.assignments if a.phase == "training"]
    assert all(a.share == pytest.approx(1) for a in jobs)


def test_whole_answer_equals_the_best_of_all_job_placements() -> None:
    """Every way of putting the job somewhere or nowhere, tried one by one."""
    plan = small()
    answer = place_with(plan, NEEDS)
    values = []
    for home in (None, H200.name, A910.name):
        needs = {**NEEDS}
        for chip in (H200.name, A910.name):
            needs[2, chip] = NEEDS[2, chip] if chip == home else Need(why_not="elsewhere")
        values.append(place_with(plan, needs).value)
    assert answer.value == pytest.approx(max(values), rel=1e-4)


@pytest.mark.parametrize("measure", ["nominal-compute", "cards", "delivered-tokens", "tasks"])
def test_a_share_holds_in_the_measure_that_it_names(measure: Any) -> None:
    c = DomesticShare("share", "inference", 0.7, measure)
    answer = place_with(small(c, imported=1000, domestic=400), NEEDS)
    report = answer.conditions[0]
    assert report.achieved is not None
    assert report.achieved >= 0.7 - 1e-6
    amount = {
        "nominal-compute": lambda a: a.cards * {H200.name: 989.5, A910.name: 752.0}[a.chip],
        "cards": lambda a: a.cards,
        "delivered-tokens": lambda a: a.share * 1000,
        "tasks": lambda a: a.share,
    }[measure]
    mine = [a for a in answer.assignments if a.phase == "inference"]
    share = sum(amount(a) for a in mine if a.domestic) / sum(amount(a) for a in mine)
    assert share == pytest.approx(report.achieved, abs=1e-6)


def test_price_of_a_share_is_what_a_point_more_costs() -> None:
    def at(share: float) -> Placement:
        c = DomesticShare("share", "inference", share, "nominal-compute")
        return place_with(
            small(c, objective="cost", imported=1000, domestic=1000),
            {
                **NEEDS,
                (0, A910.name): Need((400.0,)),
                (1, A910.name): Need((100.0,)),
            },
        )

    price = at(0.5).conditions[0].price
    assert price is not None
    assert price > 0
    assert at(0.501).value - at(0.5).value == pytest.approx(price * 0.1, rel=0.05)


def test_a_slack_condition_costs_nothing() -> None:
    c = DomesticShare("share", "inference", 0.01, "cards")
    report = place_with(small(c), NEEDS).conditions[0]
    assert report.price == 0
    assert not report.binding
    assert report.slack is not None
    assert report.slack > 0


def test_end_use_and_place_leave_no_column() -> None:
    answer = place_with(small(EndUse("use", (H200.name,), ("research",), ("training",))), NEEDS)
    assert all(a.phase == "training" and a.workload == "job" for a in answer.assignments if a.chip == H200.name)
    answer = place_with(small(Place("there", (H200.name,), ("CN",))), NEEDS)
    assert H200.name not in used(answer)


def test_ceiling_counts_cards_in_use() -> None:
    answer = place_with(small(Ceiling("cap", (H200.name,), 30)), NEEDS)
    assert used(answer).get(H200.name, 0.0) <= 30 + 1e-6


def test_fewest_imported_uses_domestic_first() -> None:
    answer = place_with(small(objective="imported", domestic=250), NEEDS)
    assert answer.feasible
    assert answer.value == pytest.approx(
        50, rel=0.01
    )  # 300 domestic cards are needed: one part of 50 is missing 25 imported


def test_infeasible_names_the_clash_and_what_would_settle_it() -> None:
    c = DomesticShare("share", "inference", 0.9, "cards")
    answer = place_with(small(c, objective="cost", imported=1000, domestic=100), NEEDS)
    assert not answer.feasible
    text = " ".join(answer.core)
    assert "inference at least 90 % domestic" in text
    assert "the number of cards" in text
    assert "power" not in text
    assert "more Huawei Ascend 910C" in text
    more = next(s for s in answer.core if "more Huawei Ascend 910C" in s)
    extra = float(more.split(" before ")[1].split(" more ")[0].replace(",", ""))
    enough = place_with(small(c, objective="cost", imported=1000, domestic=100 + extra), NEEDS)
    assert enough.feasible
    too_few = place_with(small(c, objective="cost", imported=1000, domestic=100 + extra - 2), NEEDS)
    assert not too_few.feasible


def test_power_that_more_cards_need_is_named_with_them() -> None:
    """Where the power of the sites lets no more cards run, cards alone would settle nothing."""
    plan = small(objective="cost", imported=10, domestic=10)
    tight = replace(plan, sites=tuple(replace(site, power_kw=20.0) for site in plan.sites))
    answer = place_with(tight, NEEDS)
    assert not answer.feasible
    more = next(s for s in answer.core if "more NVIDIA H200 SXM and" in s)
    cards = float(more.split(" before ")[1].split(" more ")[0].replace(",", ""))
    kw = float(more.split(" and ")[-1].split(" kW")[0].replace(",", ""))
    assert kw == cards  # 1 kW a card
    fleets = (tight.fleets[0], replace(tight.fleets[1], cards=10 + cards))
    sites = (tight.sites[0], replace(tight.sites[1], power_kw=20 + kw))
    assert not place_with(replace(tight, fleets=fleets), NEEDS).feasible
    assert place_with(replace(tight, fleets=fleets, sites=sites), NEEDS).feasible


def test_every_sentence_of_a_placement_has_its_chinese() -> None:
    c = DomesticShare("share", "inference", 0.9, "cards")
    for plan, needs in (
        (small(c, objective="cost", imported=1000, domestic=100), NEEDS),
        (small(objective="cost"), {**NEEDS, (0, H200.name): Need(), (0, A910.name): Need()}),
        (small(Place("there", (H200.name, A910.name), ("US",)), objective="cost"), NEEDS),
    ):
        answer = place_with(plan, needs)
        assert answer.core
        assert all(isinstance(sentence, Said) for sentence in answer.core)
    served = place_with(small(c, Ceiling("cap", (H200.name,), 30), EndUse("use", (H200.name,), ())), NEEDS)
    said = [served.unit, *(c.words for c in served.conditions), *(c.step for c in served.conditions)]
    said += [why for _, _, why in served.unserved]
    assert served.unserved
    assert all(isinstance(each, Said) for each in said)


def test_more_than_all_of_it_cannot_be_asked(tmp_path: Path) -> None:
    overlay = tmp_path / "o.toml"
    share = 'kind = "domestic-share"\nof = "inference"\nat_least = 1\nmeasure = "cards"\nstrict = true\n'
    overlay.write_text(f'[[condition]]\nid = "x"\n{share}', "utf-8")
    with pytest.raises(UserError, match="more than all of it cannot be kept"):
        read(EXAMPLE, [overlay])


def test_workload_that_fits_no_chip_is_named() -> None:
    needs = {**NEEDS, (0, H200.name): Need(why_not="does not fit"), (0, A910.name): Need(why_not="does not fit")}
    answer = place_with(small(objective="cost", imported=1000), needs)
    assert answer.core == ("chat can run on no chip of the plan: does not fit",)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 300), st.integers(0, 300), st.floats(0, 1))
def test_more_cards_never_serve_less(imported: int, domestic: int, share: float) -> None:
    c = DomesticShare("share", "inference", share, "cards")
    a = place_with(small(c, imported=imported, domestic=domestic), NEEDS, prices=False)
    b = place_with(small(c, imported=imported + 50, domestic=domestic + 50), NEEDS, prices=False)
    assert b.bound >= (a.bound if a.feasible else 0.0) - 1e-6


def test_a_stricter_share_never_serves_more() -> None:
    values = []
    for share in np.linspace(0, 1, 6):
        c = DomesticShare("share", "inference", float(share), "nominal-compute")
        values.append(place_with(small(c), NEEDS, prices=False).bound)
    assert all(a >= b - 1e-9 for a, b in itertools.pairwise(values))


def test_example_of_twenty_sites_is_placed() -> None:
    plan = read(EXAMPLE)
    assert len(plan.sites) == 20
    answer = place(plan, packaged())
    assert answer.feasible
    assert answer.gap <= 0.005
    for fleet in plan.fleets:
        for t in range(plan.periods):
            mine = [
                a
                for a in answer.assignments
                if (a.site, a.chip) == (fleet.site, fleet.device.name) and a.period in (t, None)
            ]
            assert sum(a.cards for a in mine) <= fleet.cards + 1e-4
    for site in plan.sites:
        kw = {(f.site, f.device.name): f.kw for f in plan.fleets}
        for t in range(plan.periods):
            mine = [a for a in answer.assignments if a.site == site.name and a.period in (t, None)]
            assert sum(a.cards * kw[a.site, a.chip] for a in mine) <= site.power_kw * (1 + 1e-6)


def test_founding_case_swept() -> None:
    points = sweep(read(EXAMPLE), packaged(), "inference-domestic", [0.0, 0.6, 1.0])
    values = [p.value for _, p in points]
    assert values[0] * (1 + 1e-6) >= values[1]
    assert values[1] * (1 + 1e-6) >= values[2]
    assert values[2] < values[0]


@pytest.mark.parametrize(("slices", "price"), [(1, 6.70), (2, 5.69), (None, 4.68), (3, 4.68), (4, 5.69), (48, 4.68)])
def test_melange_at_three_levels_of_divisibility(slices: int | None, price: float) -> None:
    """Its public example (30 requests a second in four sizes, A10G and A100): indivisible, halves, free."""
    rates = [0.2 * 30, 0.1 * 30, 0.5 * 30, 0.2 * 30]
    throughput = {"A10G": [2, 1, 5, 2], "A100-80GB": [20, 20, 40, 20]}
    _, paid = cheapest(rates, throughput, {"A10G": 1.01, "A100-80GB": 3.67}, slices)
    assert paid == pytest.approx(price)


GOOD: dict[str, Any] = {
    "site": [{"name": "a", "place": "CN", "power": "5MW"}],
    "fleet": [{"site": "a", "chip": "H20", "cards": 64}],
    "workload": [{"name": "w", "phase": "inference", "model": "Qwen3-8B", "demand": 100}],
}


@pytest.mark.parametrize(
    ("table", "field", "value", "words"),
    [
        ("site", "power", "0MW", "a site with no power runs nothing"),
        ("site", "power", None, "power: is missing"),
        ("site", "power", "5", "unit"),
        ("fleet", "chip", "H20O", "did you mean H20"),
        ("fleet", "site", "b", "no site 'b'"),
        ("fleet", "cards", -1, "must not be negative"),
        ("fleet", "chip", "Ascend 910C", "kw_per_card: no TDP is published"),
        ("workload", "demand", -5, "must not be negative"),
        ("workload", "model", "Qwen3-9B", "did you mean Qwen3-8B"),
        ("workload", "tpot", "50 min", "unit"),
        ("workload", "phase", "serving", "phase"),
        ("workload", "color", 1, "no such field"),
        ("workload", "input", 0, "input: must be greater than zero"),
        ("workload", "precision", "fp9", "did you mean fp8"),
        ("workload", "batch_tokens", -1, "must not be negative"),
    ],
)
def test_bad_plans_name_table_and_field(table: str, field: str, value: Any, words: str) -> None:
    data = json.loads(json.dumps(GOOD))
    if value is None:
        del data[table][0][field]
    else:
        data[table][0][field] = value
    with pytest.raises(UserError, match=words):
        build(data, "plan.toml", ())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("site = 4", "plan.toml:1: site: must be a list of tables"),
        ('workload = ["chat"]', "plan.toml:1: workload\\[0\\]: must be a table"),
        ('name = "p"\nworkloads = []', "plan.toml:2: workloads: unknown key 'workloads'; did you mean workload"),
        (
            '[[condition]]\nid = "x"\nkind = "domestic-share"\nof = "inference"\nmeasure = []',
            "measure: \\[\\] is not one of",
        ),
    ],
)
def test_a_plan_of_another_form_is_refused_with_its_line(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(text, "utf-8")
    with pytest.raises(UserError, match=words):
        read(tmp_path / "plan.toml")


def test_an_unknown_engine_of_a_workload_is_an_error() -> None:
    data = json.loads(json.dumps(GOOD))
    data["workload"][0]["engine"] = "vlm"
    with pytest.raises(UserError, match=r"workload w: engine: 'vlm' is not one of.*did you mean vllm"):
        place(build(data, "plan.toml", ()), packaged())


def test_a_share_must_say_what_it_counts(tmp_path: Path) -> None:
    overlay = tmp_path / "o.toml"
    overlay.write_text('[[condition]]\nid = "x"\nkind = "domestic-share"\nof = "inference"\nat_least = 0.6\n', "utf-8")
    with pytest.raises(UserError, match="a share must say what it counts"):
        read(EXAMPLE, [overlay])
    overlay.write_text(overlay.read_text("utf-8") + 'measure = "cards"\n', "utf-8")
    assert read(EXAMPLE, [overlay]).conditions[-1].id == "x"
    overlay.write_text(overlay.read_text("utf-8").replace("0.6", "60"), "utf-8")
    with pytest.raises(UserError, match=r"between 0 and 1 \(got 60\); 60 % is 0\.6"):
        read(EXAMPLE, [overlay])


def test_command_prints_prices_and_ends_with_1_where_there_is_no_plan(tmp_path: Path) -> None:
    out = tmp_path / "placement.json"
    result = CliRunner().invoke(deploy, ["place", str(EXAMPLE), "--out", str(out)], catch_exceptions=False)
    assert result.exit_code == 0
    assert "linear bound" in result.stdout
    assert "inference-domestic" in result.stdout
    assert json.loads(out.read_text("utf-8"))["feasible"]
    result = CliRunner().invoke(deploy, ["place", str(EXAMPLE), "--objective", "cost"], catch_exceptions=False)
    assert result.exit_code == 1
    assert "cannot hold together" in result.stdout


@pytest.mark.parametrize("objective", ["cost", "imported"])
def test_a_share_of_the_demand_may_be_enough(objective: str) -> None:
    args = ["place", str(EXAMPLE), "--objective", objective, "--service", "0.3", "--format", "json"]
    result = CliRunner().invoke(deploy, args, catch_exceptions=False)
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    assert answer["gap"] <= 0.005
    assert all(left <= 0.7 + 1e-6 for _, left, _ in answer["unserved"])
    with pytest.raises(UserError, match="service: must be above 0 and at most 1"):
        CliRunner().invoke(deploy, [*args[:-3], "30", *args[-2:]], catch_exceptions=False)


def test_sweep_draws_the_trade_off(tmp_path: Path) -> None:
    chart = tmp_path / "s.svg"
    result = CliRunner().invoke(
        deploy,
        ["place", str(EXAMPLE), "--sweep", "inference-domestic", "--steps", "3", "--chart", str(chart)],
        catch_exceptions=False,
    )
    assert result.exit_code == 0
    assert "100 %" in result.stdout
    assert "<svg" in chart.read_text("utf-8")


def test_demand_over_time_uses_the_same_cards_again() -> None:
    plan = small(domestic=40, imported=80)
    by_day = replace(plan.workloads[0], demand=(1000.0, 0.0))
    by_night = replace(plan.workloads[1], demand=(0.0, 1000.0))
    plan = replace(plan, workloads=(by_day, by_night))
    needs = {(w, d.name): Need((NEEDS[w, d.name].cards[0],) * 2) for w in (0, 1) for d in (H200, A910)}
    assert place_with(plan, needs).served == pytest.approx(1)


def test_a_relaxation_built_up_column_by_column_is_the_whole_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    jobs, fleets = 60, 12
    column = np.arange(jobs * fleets)
    worth, cards = rng.uniform(1, 5, len(column)), rng.uniform(1, 9, len(column))
    programme = Programme(
        -worth,
        np.zeros(len(column)),
        np.ones(len(column)),
        np.zeros(len(column), dtype=bool),
        np.full(jobs + fleets, -INFINITY),
        np.concatenate([np.ones(jobs), np.full(fleets, 10.0)]),
        np.concatenate([column // fleets, jobs + column % fleets]).astype(np.int32),
        np.concatenate([column, column]).astype(np.int32),
        np.concatenate([np.ones(len(column)), cards]),
    )
    whole = solve(programme)
    monkeypatch.setattr("twokey.deploy.place._LARGE", 10)
    session, found = relaxation(programme, 60)
    assert found.objective == pytest.approx(whole.objective, rel=1e-7)
    assert session.run().objective == pytest.approx(whole.objective, rel=1e-7)
