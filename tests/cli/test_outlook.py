"""The command: every answer in every form, clear errors, honest exit statuses."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from string import Formatter

import pytest
from click.testing import CliRunner, Result

from twokey.chips import UserError
from twokey.cli.main import twokey
from twokey.cli.outlook_words import SAYINGS
from twokey.outlook.report import write_all
from twokey.outlook.run import run
from twokey.outlook.scenario import load

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
        ["compare", "no-exports", "unrestricted", *SMALL],
        ["explain", *SMALL],
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


@pytest.mark.parametrize(
    "args",
    [
        ["run", *SMALL, "--line", "gap_8bit"],
        ["run", *SMALL, "--include-smuggled"],
        ["commit", *SMALL],
        ["arrive", *SMALL],
        ["explain", *SMALL, "--quarter", "3"],
        ["explain", *SMALL, "--quarter", "3", "--line", "gap_8bit", "--below", "30"],
        ["frontier", *SMALL],
        ["compare", "no-exports", "world-2026-10-09", *SMALL, "--quarter", "4"],
        ["exposure", BOOK, "--paths", "200", "--quarters", "6"],
        ["inputs"],
        ["scenarios"],
    ],
    ids=lambda a: "-".join(a[:1]),
)
def test_no_english_is_left_in_a_chinese_answer(args: list[str]) -> None:
    text = call(*args, "--lang", "zh").output
    assert re.search("[\u4e00-\u9fff]", text)
    left = re.findall(r"\b[a-z]{2,}(?: [a-z]{2,})+\b", text.replace("twokey outlook run", ""))
    assert not left


@pytest.mark.parametrize("name", SAYINGS)
def test_both_languages_of_a_sentence_have_the_same_gaps(name: str) -> None:
    gaps = [{gap for _, gap, _, _ in Formatter().parse(text) if gap} for text in SAYINGS[name]]
    assert gaps[0] == gaps[1] or name == "defined"


def test_progress_is_told_while_charts_are_drawn(tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    result = run(replace(load("founding-case-2026-01-28"), paths=100, quarters=2))
    written = write_all(result, tmp_path, lambda done, of, name: told.append((done, of, name)))
    assert [done for done, _, _ in told] == list(range(len(told)))
    assert told[-1] == (len(told) - 1, len(told) - 1, "report.html")
    assert {name for _, _, name in told} <= {file.name for file in written}
    assert {"gap_8bit.svg", "gap_8bit.zh.svg", "keys.zh.html"} <= {name for _, _, name in told}


def test_a_chart_speaks_the_language_of_the_answer(tmp_path: Path) -> None:
    for lang, title in (("en", "Two aims"), ("zh", "两个目标")):
        file = tmp_path / f"aims-{lang}.json"
        call("frontier", "--paths", "50", "--quarters", "2", "--lang", lang, "--out", str(file))
        assert json.loads(file.read_text(encoding="utf-8"))["title"]["text"] == title
