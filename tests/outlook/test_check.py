"""Published analyses are reproduced within their tolerance, and a wrong number is seen."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from twokey.chips import UserError
from twokey.outlook.check import check_file, check_fiscal, tolerance
from twokey.outlook.check.rows import Outcome, read_published
from twokey.outlook.sources import data_folder

OUTPUTS = data_folder() / "published_outputs.csv"
FISCAL = data_folder() / "epoch_nvidia_fiscal_units.csv"
OUTCOMES = check_file(OUTPUTS)
HEADER = "analysis,output,value,low,high,unit,tolerance_or_check,how,url,verified\n"


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda o: f"{o.published.analysis}-{o.published.output[:30]}")
def test_no_row_differs_and_what_is_not_reproducible_says_why(outcome: Outcome) -> None:
    assert outcome.status != "differs"
    if outcome.status != "reproduced":
        assert outcome.computed.reason


def test_fourteen_rows_are_reproduced_in_full_or_in_part() -> None:
    full = [o for o in OUTCOMES if o.status == "reproduced"]
    part = [o for o in OUTCOMES if o.status == "partly reproduced"]
    assert (len(full), len(part), len(OUTCOMES)) == (13, 1, 27)


def test_every_fiscal_row_is_within_half_a_percent_and_two_percent() -> None:
    outcomes = check_fiscal(FISCAL)
    assert len(outcomes) == 7
    assert {o.status for o in outcomes} == {"reproduced"}
    assert max(o.off_by or 0.0 for o in outcomes) < 0.005


@pytest.mark.parametrize("column", ["epoch_units_p50", "epoch_units_p05", "epoch_units_p95", "epoch_h100e_p50"])
def test_a_wrong_fiscal_number_is_seen(tmp_path: Path, column: str) -> None:
    rows = list(csv.DictReader(FISCAL.read_text().splitlines()))
    rows[1][column] = str(float(rows[1][column]) * 1.03)
    file = tmp_path / "units.csv"
    with file.open("w") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert [o.status for o in check_file(file)].count("differs") == 1


def _write(folder: Path, *rows: str) -> Path:
    file = folder / "mine.csv"
    file.write_text(HEADER + "".join(row + "\n" for row in rows))
    return file


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ("SEMI-2025,910C packages the HBM stock allows,1700000,,,packages,2%,,,read", "differs"),
        ("CSIS-2025,910C upper bound from the die bank,1000001,,,packages,exact,2M / 2,,read", "differs"),
        ("BIS-2026,which chips pass the thresholds,H20 B200 pass,,,,exact,,,read", "differs"),
        ("BIS-2026,which chips pass the thresholds,H100 A800 pass; B300 does not,,,,exact,,,read", "reproduced"),
        ("IFP-B30A,B30A TPP / H20 TPP,>13,,,ratio,,,,read", "differs"),
        ("IFP-B30A,B30A TPP / H20 TPP,<12,,,ratio,,,,read", "differs"),
        ("IFP-B30A,B30A TPP / H20 TPP,<13,,,ratio,,,,read", "reproduced"),
        ("EPOCH-2026,global stock Jan 2026,99M+,,,H100e,lower bound,sum of owners,,read", "differs"),
        ('EPOCH-OWN,"US / China ratio of stock, end 2025Q2",10.6,,,ratio,,,,read', "reproduced"),
        ('EPOCH-OWN,"US / China ratio with smuggled, end 2025Q2",7.2,,,ratio,,,,read', "reproduced"),
        ("EPOCH-OWN,US / China ratio of compute added in 2025H1,12.2,,,ratio,,,,read", "reproduced"),
        ("EPOCH-OWN,US / China ratio of compute added in 2025H1,7.1,,,ratio,,,,read", "differs"),
        ("EPOCH-SMUG,smuggled through 2025Q2,411461,181535,993050,H100e (90%),,,,read", "reproduced"),
        ("EPOCH-SMUG,smuggled through 2025Q2,411461,181535,500000,H100e (90%),,,,read", "differs"),
        ("EPOCH-2024,H800 sold to China in calendar 2023,115429,,,chips,,,,read", "reproduced"),
        ("MS-2025,China cloud-AI market 2027,48,,,USD bn,,239 x 20%,,read", "reproduced"),
        ("US-LICENCE,H200 under licences by July 2026,370000,,,chips,,10bn / 27000,,read", "reproduced"),
        ("RAND-HEIM,910C packages from 3M proxy dies,1500000,,,packages,,,,read", "reproduced"),
        ("SEMI-2026,910C-class packages from CXMT 2026,770000,,,packages,,,,read", "reproduced"),
        ("CFR,Huawei AI chips made 2026,2000000,,,chips,,,,read", "restated"),
        ("CSIS-2025,910C after packaging losses,750000,,,packages,,,,read", "not reproducible"),
        ("A-NEW-HOUSE,chips,5,,,chips,,,,read", "not reproducible"),
    ],
)
def test_rows_of_the_same_form(tmp_path: Path, row: str, status: str) -> None:
    assert check_file(_write(tmp_path, row))[0].status == status


def test_tolerance_is_what_the_row_states_else_by_its_digits(tmp_path: Path) -> None:
    file = _write(
        tmp_path,
        "A,x,5,,,,3%,,,r",
        "A,x,5,,,,exact,,,r",
        "A,x,805000,,,,,,,r",
        "A,x,100000000,,,,,,,r",
        "A,x,1.2,,,,,,,r",
    )
    assert [round(tolerance(row), 3) for row in read_published(file)] == [0.03, 0.0, 0.02, 0.1, 0.042]


def test_mistakes_name_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("analysis,output\nA,b\n")
    with pytest.raises(UserError, match=r"bad.csv: line 1: no column value, low"):
        check_file(file)
    file.write_text(HEADER + ",x,1,,,,,,,\n")
    with pytest.raises(UserError, match="line 2: the first cell is empty"):
        check_file(file)
    file.write_text(HEADER + "A,x,1,2,3,4,5,6,7,8,9,10\n")
    with pytest.raises(UserError, match="line 2: more cells"):
        check_file(file)
    file.write_text(FISCAL.read_text().replace("0.33", "a third"))
    with pytest.raises(UserError, match="line 2: could not convert"):
        check_file(file)
    with pytest.raises(UserError, match="no such file"):
        check_file(tmp_path / "none.csv")
