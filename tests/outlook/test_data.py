"""The data: every row says when it could be known, every source exists, and bases are never mixed."""

from __future__ import annotations

from datetime import date

import pytest

from twokey.chips import UserError
from twokey.outlook.basis import MixedBasisError, Quantity, one_basis
from twokey.outlook.inputs import SINCE, conversion_interval, defaults, posterior
from twokey.outlook.scenario import load, ready, source_ids
from twokey.outlook.sources import (
    outlook_chips,
    policy_events,
    series,
    series_rows,
    snapshot_hash,
    spells,
    table,
)


def test_all_rows_are_there_and_ids_are_unique() -> None:
    ids = [row.id for row in series_rows()]
    assert len(ids) == len(set(ids)) == 397
    assert len({row.series for row in series_rows()}) == 106
    assert len(policy_events()) == 34
    assert len(outlook_chips()) == 16


def test_every_row_has_a_day_on_which_it_could_be_known_and_a_source() -> None:
    for row in series_rows():
        assert date(2022, 1, 1) < row.as_of < date(2026, 11, 1), row.id
        assert row.source, row.id
        assert row.as_of_kind, row.id


def test_a_value_is_not_known_before_its_day() -> None:
    assert [r.value for r in series("nvidia_china_spec_dc_gpu_revenue", date(2025, 5, 27))][-1] == 4.22
    assert [r.value for r in series("nvidia_china_spec_dc_gpu_revenue", date(2025, 5, 28))][-1] == 4.6


def test_strict_leaves_out_what_was_reconstructed_later() -> None:
    name = "nvidia_china_spec_dc_gpu_revenue"
    assert len(series(name)) == 9
    assert [r.period for r in series(name, strict=True)] == ["FY26Q1", "FY26Q2", "FY26Q3", "FY26Q4", "FY27Q1"]


def test_the_end_of_a_spell_is_not_known_before_it_comes() -> None:
    before = spells("export", date(2025, 8, 7))[-1]
    after = spells("export", date(2025, 8, 8))
    assert (before.state, before.end) == ("closed", None)
    assert (after[-2].state, after[-2].end, after[-1].state) == ("closed", date(2025, 8, 8), "open")


@pytest.mark.parametrize(
    "row", table("hazards_published"), ids=lambda r: f"{r['key']}-{r['leaving_state']}-{r['window']}"
)
def test_posteriors_agree_with_the_published_hazard_table(row: dict[str, str]) -> None:
    # the table gives moves and exposure to two decimals; windows are "2022-08 on" and "2025-04 on"
    since = date(2022, 8, 26) if row["window"].startswith("2022") else SINCE
    key = "export" if row["key"] == "US" else "import"
    moves, years = posterior(key, row["leaving_state"], date(2026, 10, 9), since)
    assert moves - 0.5 == float(row["transitions"])
    assert years - 0.25 == pytest.approx(float(row["exposure_years"]), abs=0.03)


def test_the_default_window_is_the_later_one() -> None:
    assert posterior("import", "closed", date(2026, 10, 9))[0] == 2.5


def test_conversion_narrows_as_reopenings_are_seen() -> None:
    ends = [conversion_interval(d) for d in (date(2025, 6, 1), date(2025, 12, 1), date(2026, 10, 9))]
    assert ends[0][1] > ends[1][1] > ends[2][1]


def test_every_source_of_every_input_and_event_exists() -> None:
    known = source_ids()
    for given in defaults(date(2026, 1, 28)).values():
        assert all(source in known for source in given.sources), given.name
        assert given.sources or given.confidence == "assumption", given.name
    for name in ready():
        for event in load(name).events:
            assert event.sources, (name, event)


def test_an_interval_that_does_not_hold_its_value_is_dropped() -> None:
    row = next(r for r in series_rows() if r.id == "china_h100e_cambricon_siyuan_590@2024Q2")
    assert (row.value, row.low, row.high) == (215.0, None, None)


def test_two_bases_of_one_companys_china_revenue_are_refused() -> None:
    billing = series("nvidia_revenue_china_hk_by_billing")[-1].quantity
    headquarters = series("nvidia_revenue_china_hk_by_customer_hq")[1].quantity
    with pytest.raises(MixedBasisError, match="different bases"):
        one_basis([billing, headquarters])
    with pytest.raises(MixedBasisError):
        _ = billing - headquarters
    with pytest.raises(MixedBasisError):
        _ = billing / headquarters
    assert (billing + billing).value == 2 * billing.value


def test_one_basis_in_two_units_is_refused() -> None:
    with pytest.raises(MixedBasisError, match="different units"):
        one_basis([Quantity(1.0, "usd_bn", "b"), Quantity(1.0, "usd", "b")])


def test_cards_of_every_grade_are_not_data_centre_chips() -> None:
    with pytest.raises(MixedBasisError):
        one_basis(
            [r.quantity for n in ("china_accelerator_cards_nvidia_idc", "china_units_nvidia_h20") for r in series(n)]
        )


def test_an_unknown_series_names_the_nearest() -> None:
    with pytest.raises(UserError, match="nvidia_revenue_total"):
        series("nvidia_revenue_totl")


def test_the_snapshot_is_a_sha256() -> None:
    assert len(snapshot_hash()) == 64
