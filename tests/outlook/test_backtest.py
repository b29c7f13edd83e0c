"""The back-test: only what was known then, proper scores, and the bars that the forecasts must hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from twokey.chips import UserError
from twokey.outlook import inputs, sources
from twokey.outlook.backtest import backtest, baselines, forecast, read_targets, rolling
from twokey.outlook.backtest.chance import at_origin
from twokey.outlook.backtest.knowledge import Settings, state, values
from twokey.outlook.backtest.revenue import SPEC
from twokey.outlook.backtest.scores import brier, covered, crps, pinball
from twokey.outlook.backtest.targets import Target, fiscal_quarter

REPORT = backtest()
HEADER = "id,origin_date,question,type,known_at_origin,outcome,unit,source\n"


def test_mean_crps_beats_persistence_and_climatology_and_is_no_worse_than_guidance() -> None:
    for name in ("persistence", "climatology"):
        assert REPORT.mean_crps(beside=name) < REPORT.mean_crps(name), name
    assert REPORT.mean_crps(beside="guidance") <= REPORT.mean_crps("guidance")


def test_eighty_percent_intervals_hold_65_to_95_percent() -> None:
    held, of = REPORT.coverage()
    assert of == 11
    assert 0.65 <= held / of <= 0.95


def test_the_bars_hold_without_reconstructed_figures_too() -> None:
    strict = backtest(strict=True)
    for name in ("persistence", "climatology", "guidance"):
        assert strict.mean_crps(beside=name) < strict.mean_crps(name), name


def test_every_target_is_forecast_and_the_open_one_is_not_scored() -> None:
    assert all(s.mean is not None for s in REPORT.scored)
    still_open = next(s for s in REPORT.scored if s.target.id == "BT17")
    assert still_open.losses["model"] is None
    assert still_open.p50 is not None


def test_no_event_is_certain() -> None:
    events = [s.mean for s in REPORT.scored if not s.target.continuous]
    assert len(events) == 7
    assert all(p is not None and 0.02 <= p <= 0.98 for p in events)


def _said(target: Target) -> list[object]:
    """Return everything that is said of a target on its origin: settings, forecast and rivals."""
    settings = rolling.choose(target.origin)
    said: list[object] = [settings, forecast(target, settings)[0]]
    if target.continuous:
        rivals = baselines.persistence(target), baselines.climatology(target), baselines.guidance(target)
        return [*said, *rivals]
    return [*said, baselines.persistence_of_event(target), baselines.climatology_of_event(target)]


def _forget() -> None:
    for cached in (sources.series_rows, sources.policy_events, inputs.defaults, rolling.choose):
        cached.cache_clear()


@pytest.mark.parametrize("target", [s.target for s in REPORT.scored if s.target.id != "BT17"], ids=lambda t: t.id)
def test_what_came_later_changes_no_forecast(monkeypatch: pytest.MonkeyPatch, target: Target) -> None:
    before, whole, known = _said(target), sources.table, str(target.origin)

    def otherwise(name: str) -> tuple[dict[str, str], ...]:
        """Return a table in which everything that came after the origin came out another way."""
        other = {"loosen": "tighten", "tighten": "loosen", "open": "closed", "closed": "open"}
        changed = []
        for row in map(dict, whole(name)):
            if row.get("as_of", "") > known:
                row |= {k: other.get(row[k], row[k]) for k in ("direction", "state") if k in row}
                row |= {k: str(7 * float(row[k]) + 1) for k in ("value", "share") if row.get(k) and name != "inputs"}
            if name == "regimes" and row["end"] > known:
                row["end"] = ""
            changed.append(row)
        if name == "series":  # and each series goes on
            last = {row["series"]: row for row in changed}
            changed += [
                row | {"as_of": "2099-01-01", "value": str(7 * float(row["value"]) + 1)} for row in last.values()
            ]
        return tuple(changed)

    assert otherwise("series") != whole("series")
    monkeypatch.setattr(sources, "table", otherwise)
    monkeypatch.setattr(inputs, "table", otherwise)
    _forget()
    try:
        for then, now in zip(before, _said(target), strict=True):
            np.testing.assert_array_equal(then, now)
    finally:
        _forget()


def test_a_scenario_at_an_origin_holds_no_event_that_came_later() -> None:
    as_of = {e.id: e.as_of for e in sources.policy_events()}
    for origin in (date(2025, 12, 22), date(2026, 1, 28), date(2026, 5, 14)):
        found = [as_of[source] for event in at_origin(origin).events for source in event.sources]
        assert max(found, default=origin) <= origin
    assert [e.act for e in at_origin(date(2026, 1, 28)).events] == ["ratio_cap", "batch"]


def test_settings_are_chosen_on_earlier_origins_only(monkeypatch: pytest.MonkeyPatch) -> None:
    origin = date(2025, 11, 19)
    rolling.choose.cache_clear()
    before = rolling.choose(origin)
    asked: list[date] = []
    published = {fiscal_quarter(row.period): row.as_of for row in sources.series(SPEC)}
    original: Callable[..., object] = rolling.controlled

    def spy(when: date, start: date, end: date, *args: object, **options: object) -> object:
        asked.append(published[start, end])  # the day on which the outcome was known, after the forecast's own
        assert when < published[start, end]
        return original(when, start, end, *args, **options)

    monkeypatch.setattr(rolling, "controlled", spy)
    rolling.choose.cache_clear()
    assert rolling.choose(origin) == before
    assert origin in published.values()
    assert max(asked) < origin  # what was published on the day itself is not used
    rolling.choose.cache_clear()
    assert rolling.choose(date(2024, 5, 22)) == Settings()


def test_states_are_those_known_on_the_day() -> None:
    assert state("export", date(2025, 4, 10), date(2025, 4, 14)) == "open"  # the letter was made public on 15 April
    assert state("export", date(2025, 4, 10), date(2025, 4, 15)) == "closed"


def test_what_a_target_says_was_known_fills_a_gap_but_never_replaces_a_value() -> None:
    found = values(SPEC, date(2025, 4, 27), strict=False, said="letter; FY26Q1 4.6; FY25Q4 9.9")
    assert found["FY26Q1"] == 4.6
    assert found["FY25Q4"] == 4.22


def test_scores_are_proper() -> None:
    rng = np.random.default_rng(0)
    truth, wide = rng.normal(0, 1, 4_000), rng.normal(0, 3, 4_000)
    outcomes = rng.normal(0, 1, 200)
    assert np.mean([crps(truth, y) for y in outcomes]) < np.mean([crps(wide, y) for y in outcomes])
    assert np.mean([pinball(truth, y) for y in outcomes]) < np.mean([pinball(wide, y) for y in outcomes])
    assert np.mean([covered(truth, y) for y in outcomes]) == pytest.approx(0.8, abs=0.08)
    hits = rng.random(4_000) < 0.3
    assert np.mean([brier(0.3, bool(h)) for h in hits]) < np.mean([brier(0.5, bool(h)) for h in hits])


def test_crps_of_a_sample_equals_its_definition() -> None:
    x = np.array([1.0, 4.0, 6.0])
    pairs = np.abs(x[:, None] - x[None, :]).mean() / 2
    assert crps(x, 3.0) == pytest.approx(np.abs(x - 3.0).mean() - pairs)


def test_quiet_quarters_and_the_shock_are_both_in_the_rolling_origins() -> None:
    by_quarter = {r.quarter: r for r in REPORT.rolled}
    assert set(by_quarter) == {"FY25Q2", "FY25Q3", "FY25Q4", "FY26Q1", "FY26Q2", "FY26Q3", "FY26Q4", "FY27Q1"}
    assert by_quarter["FY26Q2"].model < 0.1 * by_quarter["FY26Q2"].persistence


@pytest.mark.parametrize(
    ("question", "kind", "family"),
    [
        ("China H200 revenue in FY27Q2", "continuous", "controlled revenue"),
        ("NVIDIA data-centre revenue in FY27Q2", "continuous", "series"),
        ("FY26 China incl. HK revenue, billing basis", "continuous", "annual china revenue"),
        ("domestic share of China cards 2026 (IDC basis)", "continuous", "share"),
        ("MI308 licence granted by 2026-06-30", "binary", "licence"),
        ("B30A licence by 2026-12-31", "binary", "new chip licence"),
        ("AI OVERWATCH Act enacted by 2026-12-31", "binary", "act"),
        ("China lifts its H200 purchase stop by 2026-09-30", "binary", "turn"),
        ("at least 50k H200 delivered by 2026-12-31", "binary", "delivered units"),
        ("the moon is full by 2026-12-31", "binary", "unknown"),
    ],
)
def test_questions_of_the_same_form_are_understood(tmp_path: Path, question: str, kind: str, family: str) -> None:
    file = tmp_path / "targets.csv"
    file.write_text(HEADER + f'X1,2026-03-10,"{question}",{kind},,1,,s\n')
    assert read_targets(file)[0].family == family
    scored = backtest(file).scored[0]
    assert (scored.mean is None) == (family == "unknown")
    assert bool(scored.note) or family != "unknown"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("X,soon,q,binary,,1,,s", "line 2: origin_date 'soon' is not a date"),
        ("X,2026-01-01,q,maybe,,1,,s", "line 2: type 'maybe'"),
        ("X,2026-01-01,q,binary,,perhaps,,s", "line 2: outcome 'perhaps' holds no number"),
    ],
)
def test_mistakes_in_targets_name_file_and_line(tmp_path: Path, row: str, says: str) -> None:
    file = tmp_path / "targets.csv"
    file.write_text(HEADER + row + "\n")
    with pytest.raises(UserError, match=says):
        backtest(file)


def test_the_documentation_prints_the_scores_of_today() -> None:
    text = (Path(__file__).parents[2] / "docs" / "outlook.md").read_text(encoding="utf-8")
    for name in ("persistence", "climatology"):
        assert f"against {name} | {REPORT.mean_crps(beside=name):.3f} | {REPORT.mean_crps(name):.3f} |" in text
    guided = f"(6 targets) | {REPORT.mean_crps(beside='guidance'):.3f} | {REPORT.mean_crps('guidance'):.3f} |"
    assert guided in text
    assert f"{REPORT.mean_brier():.3f} | {REPORT.mean_brier('persistence'):.3f} / " in text
    for scored in REPORT.scored:
        assert f"| {scored.target.id} | {scored.target.origin} |" in text
