"""The command: every answer in every form, clear errors, honest exit statuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from twokey.chips import UserError
from twokey.cli.main import twokey

BOOK = str(Path(__file__).parents[2] / "examples" / "outlook" / "open-book.csv")
SMALL = ["--paths", "200", "--quarters", "4"]


def call(*args: str) -> Result:
    result = CliRunner(env={"COLUMNS": "160"}).invoke(twokey, ["outlook", *args])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.mark.parametrize(
    "args",
    [
        ["scenarios"],
        ["inputs"],
        ["series"],
        ["series", "h20_price"],
        ["run", *SMALL],
        ["run", *SMALL, "--line", "gap_8bit"],
        ["commit", *SMALL, "--lang", "zh"],
        ["arrive", *SMALL],
        ["compare", "no-exports", "unrestricted", *SMALL, "--quarter", "4"],
        ["explain", *SMALL, "--quarter", "3"],
        ["exposure", BOOK, "--paths", "200", "--quarters", "6"],
        ["check"],
        ["backtest"],
    ],
    ids=lambda a: "-".join(a[:1]),
)
def test_every_answer_comes_as_text_and_as_json(args: list[str]) -> None:
    text = call(*args)
    assert text.exit_code == 0
    assert text.output.strip()
    assert json.loads(call(*args, "--format", "json").output)


def test_csv_reads_back(tmp_path: Path) -> None:
    rows = list(csv.DictReader(call("run", *SMALL, "--format", "csv").output.splitlines()))
    assert {"line", "basis", "unit", "p50", "mean"} <= set(rows[0])
    assert len({row["line"] for row in rows}) == 29


def test_the_same_command_prints_the_same_numbers() -> None:
    assert call("run", *SMALL).output == call("run", *SMALL).output
    assert call("run", *SMALL).output != call("run", *SMALL, "--seed", "5").output


def test_two_bases_are_refused() -> None:
    with pytest.raises(UserError, match="different bases"):
        call("series", "nvidia_revenue_china_hk_by_billing", "nvidia_revenue_china_hk_by_customer_hq")
    with pytest.raises(UserError, match="different bases"):
        call("series", "--sum", "nvidia_revenue_total", "nvidia_china_spec_dc_gpu_revenue")


def test_set_fixes_an_input_and_says_when_it_cannot() -> None:
    low = json.loads(call("run", *SMALL, "--set", "conversion=0", "--line", "ordered", "--format", "json").output)
    assert all(row["mean"] == 0 for row in low)
    with pytest.raises(UserError, match="INPUT=NUMBER"):
        call("run", *SMALL, "--set", "conversion")
    with pytest.raises(UserError, match="did you mean conversion"):
        call("run", *SMALL, "--set", "conversions=0.1")
    with pytest.raises(UserError, match="a share lies from 0 to 1"):
        call("run", *SMALL, "--set", "mandate=80")
    with pytest.raises(UserError, match="must be a number from 0"):
        call("run", *SMALL, "--set", "vendor_stock=-1")


def test_check_ends_with_one_where_a_row_differs(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(
        "analysis,output,value,low,high,unit,tolerance_or_check,how,url,verified\n"
        "CSIS-2025,910C upper bound from the die bank,2000000,,,packages,exact,2M / 2,,read\n"
    )
    assert call("check", str(file)).exit_code == 1
    assert "differs" in call("check", str(file)).output


def test_run_writes_its_files_and_reads_a_book(tmp_path: Path) -> None:
    result = call("run", "--paths", "200", "--quarters", "6", "--out", str(tmp_path), "--book", BOOK)
    assert result.exit_code == 0
    assert "ORD-0001" in result.output
    assert {"lines.parquet", "lines.csv", "provenance.json", "report.html", "gap_8bit.svg"} <= {
        file.name for file in tmp_path.iterdir()
    }


def test_smuggled_compute_is_labelled() -> None:
    assert "not in any total" in call("run", *SMALL).output
    assert "counted in China's totals" in call("run", *SMALL, "--include-smuggled").output


def test_a_frontier_marks_the_present_policy() -> None:
    rows = json.loads(call("frontier", "--paths", "100", "--quarters", "4", "--format", "json").output)
    assert [row["policy"] for row in rows].count("present") == 1
    assert any(row["on the frontier"] for row in rows)


def test_the_answer_speaks_chinese() -> None:
    text = call("run", *SMALL, "--lang", "zh").output
    assert "起点以来累计交付" in text
    assert "走私算力单列" in text
    assert "compute of China" not in text
