"""`twokey chips`, as a person and as another program use it."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from twokey.chips import UserError, catalogue, find
from twokey.cli.chips import chips
from twokey.cli.main import twokey

EXAMPLE = str(Path(__file__).parents[2] / "examples/chips/my-chip.toml")
TWOKEY = [sys.executable, "-c", "from twokey.cli.main import run; run()"]


def run(*arguments: str, columns: int = 80) -> str:
    result: Result = CliRunner().invoke(
        twokey, ["chips", *arguments], env={"COLUMNS": str(columns), "NO_COLOR": "1"}, catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result.output


def shell(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TWOKEY, *arguments], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def test_show_prints_numbers_with_unit_source_and_the_working() -> None:
    page = run("show", "H200")
    for piece in ("NVIDIA H200 SXM", "15,832", "bit-TOPS", "19.45", "4,800", "GB/s", "989.5 × 16 = 15,832", "computed"):
        assert piece in page
    assert page.count("← highest") == 3  # 16 and 8 bits give the same
    assert "https://www.nvidia.com/en-us/data-center/h200/" in page
    assert "Unknown: Dense rate, 4-bit" in page


def test_show_marks_the_bit_length_that_counts() -> None:
    lines = [line for line in run("show", "MI355X").splitlines() if "← highest" in line]
    assert [line.split() for line in lines] == [["fp6", "10,066", "×", "6", "=", "60,396", "←", "highest"]]


def test_show_says_what_is_unknown_and_what_is_unchecked() -> None:
    page = run("show", "RTX PRO 6000D")
    assert "No dense rate is known, so TPP is unknown." in page
    assert " 0 " not in page
    assert "UNCHECKED" in run("show", "Hygon DCU K100_AI")
    assert "may be higher" in run("show", "Atlas 350")  # only its 4-bit rate is published
    assert "UNCHECKED" not in run("show", "H200")


def test_a_part_without_non_planar_logic_has_no_density(tmp_path: Path) -> None:
    path = tmp_path / "old.toml"
    path.write_text('name = "Old"\nvendor = "Y"\n[[dies]]\narea_mm2 = 500\nnon_planar = false\n')
    assert "not defined" in run("show", "--file", str(path))


@pytest.mark.parametrize("columns", [80, 200])
def test_tables_fit_the_terminal(columns: int) -> None:
    for arguments in (["list"], ["show", "MI355X"], ["compare", "H200", "910C", "MI325X", "H20", "B200"]):
        page = run(*arguments, columns=columns)
        assert all(len(line) <= columns for line in page.splitlines() if not line.startswith("  ["))


def test_compare_gives_ratios_to_the_first() -> None:
    page = run("compare", "H200", "Ascend 910C")
    (row,) = [line for line in page.splitlines() if line.startswith(" TPP")]
    assert row.split() == ["TPP,", "bit-TOPS", "15,832", "12,032", "×0.76"]
    (power,) = [line for line in page.splitlines() if line.startswith(" Power")]
    assert power.split() == ["Power,", "W", "700", "unknown"]
    ratios = json.loads(run("compare", "H200", "Ascend 910C", "--format", "json"))["ratios_to_base"]
    assert ratios["Huawei Ascend 910C"]["tpp"] == 12032 / 15832
    assert ratios["Huawei Ascend 910C"]["tdp_w"] is None


def test_many_compared_chips_come_in_blocks_that_repeat_the_first() -> None:
    page = run("compare", "H200", "910C", "MI325X", "H20", "B200", "A100")
    assert page.count("NVIDIA H200 SXM") == 3


def test_list_is_sorted_with_the_unknown_last() -> None:
    listed = json.loads(run("list", "--format", "json"))
    assert len(listed) == len(catalogue())
    known = [chip["tpp"] for chip in listed if chip["tpp"] is not None]
    assert known == sorted(known, reverse=True)
    assert [chip["tpp"] for chip in listed[len(known) :]] == [None] * (len(listed) - len(known))
    up = [c["tdp_w"] for c in json.loads(run("list", "--sort", "power", "--ascending", "--format", "json"))]
    assert [w for w in up if w is not None] == sorted(w for w in up if w is not None)
    assert up[-1] is None
    assert json.loads(run("list", "--sort", "table", "--format", "json"))[0]["name"] == "Huawei Ascend 910B2"
    names = [c["name"] for c in json.loads(run("list", "--sort", "name", "--format", "json"))]
    assert names == sorted(names, key=str.casefold)


def test_list_by_date_reads_quarters_and_puts_the_not_launched_last() -> None:
    listed = json.loads(run("list", "--sort", "released", "--format", "json"))
    dates = [chip["released"] for chip in listed]
    assert dates[:2] == ["2028-Q4", "2027"]
    assert dates.index("2026-Q4") < dates.index("2026-03")
    assert set(dates[dates.index("2018-03-27") + 1 :]) == {None, "not launched"}


def test_list_filters_and_says_what_it_could_not_judge() -> None:
    chosen = json.loads(run("list", "--vendor", "kunlunxin", "--format", "json"))
    assert {chip["vendor"] for chip in chosen} == {"Baidu Kunlunxin"}
    assert {c["country"] for c in json.loads(run("list", "--country", "cn", "--format", "json"))} == {"CN"}
    band = json.loads(run("list", "--min-tpp", "4800", "--max-tpp", "15832", "--format", "json"))
    assert {c["name"] for c in band} >= {"NVIDIA H200 SXM", "NVIDIA A100 80GB SXM"}
    assert all(4800 <= c["tpp"] <= 15832 for c in band)
    cards = json.loads(run("list", "--no-datacenter", "--format", "json"))
    assert {c["datacenter"] for c in cards} == {False}
    page = run("list", "--vendor", "Enflame", "--min-tpp", "1")
    assert "No chip fits these filters." in page
    assert "2 left out" in page


def test_csv_and_markdown() -> None:
    rows = list(csv.DictReader(io.StringIO(run("list", "--format", "csv"))))
    by_name = {row["name"]: row for row in rows}
    assert float(by_name["NVIDIA H200 SXM"]["tpp"]) == 15832
    assert by_name["AMD Instinct MI308X"]["tpp"] == ""
    assert by_name["NVIDIA RTX 4090"]["datacenter"] == "false"
    table = run("list", "--vendor", "Intel", "--format", "markdown").splitlines()
    assert table[1].startswith("| --- | --- | ---: |")
    assert "| Intel Gaudi 3 | US | 29,360 | unknown |" in table[2]
    page = run("show", "H200", "--format", "markdown")
    assert page.startswith("## NVIDIA H200 SXM")
    assert "- fp16: 989.5 × 16 = 15,832" in page
    assert "×0.76" in run("compare", "H200", "910C", "--format", "markdown")
    assert len(run("compare", "H200", "910C", "--format", "csv").splitlines()) == 3


def test_json_of_one_chip() -> None:
    chip = json.loads(run("show", "MI355X", "--format", "json"))
    assert (chip["tpp"], chip["tpp_from"], chip["performance_density"]) == (60396, "fp6", None)
    assert chip["dies"] == [{"area_mm2": None, "non_planar": True, "logic": True}]
    assert json.loads(run("show", "H200", "--format", "json"))["us_commercial_since"] == "2024-06-30"
    assert json.loads(run("show", "RTX PRO 6000D", "--format", "json"))["tpp_from"] is None


def test_a_chip_of_ones_own_is_accepted_everywhere() -> None:
    assert "4,480" in run("show", "--file", EXAMPLE)
    assert "4,480" in run("show", "Example A1", "--file", EXAMPLE)
    assert "×0.28" in run("compare", "H200", "--file", EXAMPLE)
    assert "Example A1" in run("list", "--file", EXAMPLE)


def test_chinese() -> None:
    page = run("show", "RTX PRO 6000D", "--lang", "zh")
    assert "性能密度" in page
    assert "未知" in page
    assert "unknown" not in page
    assert "款芯片" in run("list", "--lang", "zh")
    assert "与第一款芯片之比" in run("compare", "H200", "H20", "--lang", "zh")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "H2000"], "H2000: no chip of this name; did you mean"),
        (["show"], "name a chip, as in: twokey chips show H200"),
        (["compare", "H200"], "name at least two different chips"),
        (["compare", "H200", "h200 sxm"], "name at least two different chips"),
        (["list", "--vendor", "Nvidea"], "--vendor Nvidea: no chip is of this vendor; did you mean NVIDIA?"),
        (["list", "--country", "XX"], "--country XX: no chip is of this country; known: CN, US"),
        (["list", "--min-tpp", "-1"], "--min-tpp: must be a TPP of zero or more"),
        (["list", "--max-tpp", "nan"], "--max-tpp: must be a TPP of zero or more"),
        (["list", "--file", "none.toml"], "none.toml: cannot be read (No such file or directory)"),
        (["show", "H200", "--file", EXAMPLE, "--file", EXAMPLE], "there is already a chip of this name"),
    ],
)
def test_a_mistake_gets_one_clear_message(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(twokey, ["chips", *arguments])
    assert isinstance(result.exception, UserError)
    assert message in str(result.exception)


def test_the_command_ends_a_mistake_with_status_3_and_no_traceback() -> None:
    for arguments in (["chips", "show", "H2000"], ["chips", "list", "--sort", "luck"], ["chips", "shwo"]):
        done = shell(*arguments)
        assert done.returncode == 3
        assert done.stderr
        assert "Traceback" not in done.stderr


def test_a_terminal_without_our_letters_gets_a_page_all_the_same() -> None:
    for arguments in (["show", "H200"], ["list", "--lang", "zh"], ["compare", "H200", "H20"]):
        done = shell("chips", *arguments, PYTHONIOENCODING="ascii")
        assert (done.returncode, done.stderr) == (0, "")


def test_names_complete_without_quotes_and_every_offer_finds_its_chip() -> None:
    context = click.Context(chips.commands["show"])
    offers = [item.value for item in chips.commands["show"].params[0].shell_complete(context, "910")]
    assert {find(offer).name for offer in offers} == {
        "Huawei Ascend 910B2",
        "Huawei Ascend 910B3",
        "Huawei Ascend 910B4",
        "Huawei Ascend 910C",
    }
    assert not any(" " in offer for offer in offers)
    everything = [item.value for item in chips.commands["show"].params[0].shell_complete(context, "")]
    assert [find(offer).name for offer in everything] == list(catalogue().names())


def test_help_loads_no_table_and_no_rich() -> None:
    code = (
        "import sys; from twokey.cli.main import twokey\n"
        "try: twokey(['chips', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'rich', 'csv', 'twokey.chips.table'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
