"""Files: tables with provenance, charts, and a report that loads nothing and speaks both languages."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from twokey.chips import UserError
from twokey.outlook import charts
from twokey.outlook.arrive import arrive
from twokey.outlook.commit import commit
from twokey.outlook.compare import frontier
from twokey.outlook.explain import tornado
from twokey.outlook.report import write_all
from twokey.outlook.run import Result, run
from twokey.outlook.scenario import load
from twokey.outlook.sources import snapshot_hash


@pytest.fixture(scope="module")
def result() -> Result:
    return run(replace(load("founding-case-2026-01-28"), paths=400, quarters=4))


@pytest.fixture(scope="module")
def folder(result: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    write_all(result, out)
    return out


def test_every_row_of_the_tables_carries_seed_snapshot_unit_and_basis(folder: Path) -> None:
    frame = pl.read_parquet(folder / "lines.parquet")
    assert frame["seed"].unique().to_list() == [20260128]
    assert frame["data_sha256"].unique().to_list() == [snapshot_hash()]
    assert frame["basis"].null_count() == frame["unit"].null_count() == 0
    rows = list(csv.DictReader((folder / "lines.csv").read_text().splitlines()))
    assert len(rows) == frame.height


def test_the_parquet_file_alone_says_where_it_came_from(folder: Path) -> None:
    told = json.loads(pl.read_parquet_metadata(folder / "lines.parquet")["twokey"])
    assert told == json.loads((folder / "provenance.json").read_text())
    assert told["data_sha256"] == snapshot_hash()
    stock = next(given for given in told["inputs"] if given["input"] == "vendor_stock")
    assert stock["rows"][0]["value"] == "700000.0"
    assert stock["rows"][0]["source"].startswith("https://")


def test_every_input_has_a_source_row_or_says_that_it_is_an_assumption(folder: Path) -> None:
    for row in csv.DictReader((folder / "inputs.csv").read_text().splitlines()):
        assert row["sources"], row["input"]
        assert row["sources"] != "assumption" or row["confidence"] == "assumption", row["input"]


def test_the_report_loads_nothing_and_has_both_languages(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"<(script|link|img|iframe)[^>]*(src|href)=", page)
    assert "@import" not in page
    assert page.count('<span lang="en">') == page.count('<span lang="zh">') > 50
    assert page.count("<svg") >= 14  # each chart in both languages
    assert "起点以来累计交付" in page
    assert "delivered since the start" in page


def test_the_report_carries_the_grid_of_its_sliders(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    found = re.search(r'id="grid">(.*?)</script>', page)
    assert found
    grid = json.loads(found[1])
    places = 1
    for slider in grid["sliders"]:
        places *= len(slider["values"])
    assert len(grid["cells"]) == places
    assert all(len(cell) == 6 and len(cell[0]) == len(grid["ends"]) for cell in grid["cells"].values())


def test_charts_are_written_in_every_form(result: Result, tmp_path: Path) -> None:
    spec = charts.fan(result, "gap_8bit")
    starts = {".svg": b"<svg", ".png": b"\x89PNG", ".html": b"<!DOCTYPE html>", ".json": b"{"}
    for ending, start in starts.items():
        assert charts.save(spec, tmp_path / f"c{ending}").read_bytes().lstrip().startswith(start)
    with pytest.raises(UserError, match=r"\.svg, \.png, \.html or \.json"):
        charts.save(spec, tmp_path / "c.gif")


def test_every_chart_is_valid_vega_lite(result: Result) -> None:
    scenario = result.scenario
    specs = [
        charts.fan(result, "gap_8bit"),
        charts.keys(result, "zh"),
        charts.tornado(tornado(scenario, "delivered_total", 2), "t"),
        charts.commitment(commit(scenario)),
        charts.arrival(arrive(scenario)),
        charts.aims(frontier(scenario, (0.0, 1e5), (0.4,), paths=50)),
    ]
    for spec in specs:
        assert charts.altair(spec).to_dict()["title"] == spec["title"]
    broken = {**specs[0], "layer": [{"mark": "fan"}]}
    with pytest.raises(Exception, match="fan"):
        charts.altair(broken)


def test_a_fan_says_its_basis(result: Result) -> None:
    assert "memory bandwidth" in json.dumps(charts.fan(result, "gap_bandwidth"))
    assert "8-bit" in json.dumps(charts.fan(result, "gap_8bit"))
