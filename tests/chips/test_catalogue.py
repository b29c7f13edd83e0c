"""The packaged catalogue: its figures, its names, and what it does not know."""

from __future__ import annotations

import csv
import subprocess
import sys
from dataclasses import fields
from datetime import date
from importlib import resources

import pytest

from twokey.chips import Catalogue, Chip, Die, Rate, UserError, catalogue, find
from twokey.chips.table import Addition, read_chip

DATA = resources.files("twokey.chips").joinpath("data")


def rows(file: str) -> list[dict[str, str]]:
    return list(csv.DictReader(DATA.joinpath(file).read_text(encoding="utf-8").splitlines()))


# TPP and density of the regulation's public reading; a half unit of the last printed digit is allowed.
PUBLISHED = [
    ("A100 SXM", 4992, 6.04),
    ("A800 SXM", 4992, 6.04),
    ("H100 SXM", 15832, 19.45),
    ("H800 SXM", 15832, 19.45),
    ("H200 SXM", 15832, 19.45),
    ("H20", 2368, 2.91),
    ("L20", 1912, 3.14),
    ("L2", 1544, 5.25),
    ("L4", 1936, 6.59),
    ("L40S", 5864, 9.63),
    ("RTX 4090", 5284.8, 8.68),
    ("MI300X", 20919.2, 20.57),
    ("MI325X", 20919.2, None),
    ("MI355X", 60396, None),
    ("Gaudi 3", 29360, None),
    ("B200", 36000, None),
    ("B300", 56000, None),
    ("MI250X", 6128, 4.23),
    ("Ascend 910C", 12032, 9.05),
    ("L40", 2896, 4.76),
    ("MI210", 2896, None),
    ("MI300A", 15689.6, 15.43),
    ("MI350X", 55365, None),
    ("MI308", None, None),
    ("RTX PRO 6000D", None, None),
]


@pytest.mark.parametrize(("name", "expected", "density"), PUBLISHED)
def test_tpp_and_density_of_the_chips_that_the_rules_speak_of(
    name: str, expected: float | None, density: float | None
) -> None:
    chip = find(name)
    assert chip.tpp == expected
    assert (chip.performance_density and round(chip.performance_density, 2)) == density


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("NVIDIA H20", "NVIDIA H20 96GB (HGX)"),
        ("H200", "NVIDIA H200 SXM"),
        ("NVIDIA H200 SXM", "NVIDIA H200 SXM"),
        ("nvidia h200", "NVIDIA H200 SXM"),
        ("h-200 sxm", "NVIDIA H200 SXM"),
        ("H200-NVL", "NVIDIA H200 NVL"),
        ("A100-80G-SXM", "NVIDIA A100 80GB SXM"),
        ("A800-80G", "NVIDIA A800 80GB SXM"),
        ("H800", "NVIDIA H800 SXM"),
        ("Ascend 910C", "Huawei Ascend 910C"),
        ("昇腾910C", "Huawei Ascend 910C"),
        ("910B", "Huawei Ascend 910B2"),
        ("Ascend-910B", "Huawei Ascend 910B2"),
        ("Ascend 950DT", "Huawei Ascend 950DT"),
        ("MI308X", "AMD Instinct MI308X"),
        ("AMD MI325X", "AMD Instinct MI325X"),
        ("B30A (planned)", "NVIDIA B30A"),
        ("B300", "NVIDIA B300 (HGX)"),
        ("GB300", "NVIDIA GB300 (per GPU)"),
        ("Siyuan 590", "Cambricon MLU590"),
        ("MetaX-C500", "MetaX C500 (PCIe)"),
        ("Hygon-DCU-64G", "Hygon DCU K100_AI"),
        ("NVIDIA GeForce RTX 5090D V2", "NVIDIA RTX 5090D V2"),
        ("NVIDIA RTX PRO 6000D", "NVIDIA RTX PRO 6000D (RTX 6000D)"),
        ("Intel Gaudi 3", "Intel Gaudi 3"),
        ("Ironwood", "Google TPU v7 (Ironwood)"),
        ("A100-40G-SXM", "NVIDIA A100 40GB SXM"),
        ("A800-40G", "NVIDIA A800 40GB"),
        ("H100-NVL", "NVIDIA H100 NVL"),
        ("H100-96G-500W", "NVIDIA H100 96GB (500 W)"),
        ("MI350X", "AMD Instinct MI350X"),
        ("Ascend-310P-Duo", "Huawei Atlas 300I Duo (2x Ascend 310P)"),
        ("NVIDIA L40", "NVIDIA L40"),
    ],
)
def test_a_chip_answers_to_the_names_in_use(asked: str, name: str) -> None:
    assert find(asked).name == name


def test_every_name_and_alias_finds_its_own_chip() -> None:
    for chip in catalogue():
        for name in (chip.name, chip.name.upper(), chip.name.replace(" ", "-"), *chip.aliases):
            assert find(name) is chip


def test_the_wrong_vendor_does_not_find_a_chip() -> None:
    for name in ("Intel H200", "AMD H20", "Huawei MI300X"):
        with pytest.raises(UserError, match="no chip of this name"):
            find(name)


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UserError, match=r"no chip of this name; did you mean .*H200"):
        find("H2000")
    for name in ("", "   ", "---"):
        with pytest.raises(UserError, match="no chip of this name; see twokey chips list"):
            find(name)
    with pytest.raises(UserError, match="as text"):
        find(200)  # type: ignore[arg-type]


def test_a_short_name_of_two_chips_is_refused_with_both() -> None:
    book = Catalogue([Chip("Acme X1 (PCIe)", "Acme"), Chip("Acme X1 (OAM)", "Acme")])
    with pytest.raises(UserError, match=r"X1: stands for Acme X1 \(PCIe\) and Acme X1 \(OAM\); say which"):
        book.find("X1")
    assert book.find("x1 pcie").name == "Acme X1 (PCIe)"


def test_a_name_or_alias_is_given_once() -> None:
    with pytest.raises(UserError, match="already a chip of this name"):
        catalogue().with_chips([Chip("nvidia-h200 sxm", "NVIDIA")])
    with pytest.raises(UserError, match="H200: stands for NVIDIA H200 SXM and for Acme X"):
        catalogue().with_chips([Chip("Acme X", "Acme", aliases=("H200",))])
    with pytest.raises(UserError, match="H200: stands for H200 and for NVIDIA H200 SXM"):
        catalogue().with_chips([Chip("H200", "Acme")])


def test_every_row_of_the_table_is_a_chip_with_its_source_and_confidence() -> None:
    table = [*rows("accelerators.csv"), *rows("further.csv")]
    assert [chip.name for chip in catalogue()] == [row["name"] for row in table]
    for chip, row in zip(catalogue(), table, strict=True):
        assert chip.unchecked == ("[UNCHECKED]" in row["notes"])
        assert chip.notes == row["notes"]
        assert chip.sources
        assert chip.confidence in ("high", "medium", "low")


def test_an_empty_cell_is_unknown_and_no_number_is_zero() -> None:
    columns = {
        "memory_gb": "memory_gb",
        "memory_bw_gbs": "dram_bandwidth_gbs",
        "interconnect_gbs": "interconnect_gbs",
        "tdp_w": "tdp_w",
        "price_usd": "price_usd",
    }
    for row in [*rows("accelerators.csv"), *rows("further.csv")]:
        chip = find(row["name"])
        for column, field in columns.items():
            assert getattr(chip, field) == (float(row[column]) if row[column] else None)
        assert chip.dies[0].area_mm2 == (float(row["die_area_mm2"]) if row["die_area_mm2"] else None)
        assert len([rate for rate in chip.dense_rates if rate.format == "fp8"]) == bool(row["fp8_tflops_dense"])
        for value in (chip.tpp, chip.performance_density, *(rate.tops for rate in chip.dense_rates)):
            assert value is None or value > 0


def test_each_process_as_printed_says_whether_it_is_planar() -> None:
    known = {row["process"] for row in rows("processes.csv")}
    assert {row["process"] for row in rows("accelerators.csv")} - {""} == known
    assert find("H200").dies == (Die(814.0, True, True),)
    assert find("V100").dies[0].non_planar is True
    assert find("TPU v5p").dies == (Die(None, None, True),)


def test_every_value_of_the_supplement_has_a_source_and_a_chip() -> None:
    fields_in_use = {"alias", "family", "datacenter", "us_commercial_since", "fp6_tflops_dense"}
    for row in rows("supplement.csv"):
        assert row["source"]
        assert row["confidence"]
        assert row["field"] in fields_in_use
        assert find(row["name"]).name == row["name"]


def test_what_the_law_asks_of_a_chip() -> None:
    assert find("RTX 4090").datacenter is False
    assert find("H200").datacenter is True
    assert find("RTX PRO 6000D").datacenter is None
    assert find("H200").us_commercial_since == date(2024, 6, 30)
    assert find("MI325X").us_commercial_since == date(2026, 1, 15)
    assert find("H800").us_commercial_since is None  # a release date alone does not show that it was on sale in the US
    assert {find(name).family for name in ("H200 SXM", "H200 NVL")} == {"H200"}
    assert [find(name).family for name in ("H20", "RTX PRO 6000D", "RTX 5090D V2", "MI308X", "910C")] == [
        "H20",
        "RTX PRO 6000D",
        "RTX 5090D V2",
        "MI308",
        "910C",
    ]
    assert all(chip.family for chip in catalogue())


def test_a_value_of_the_supplement_keeps_its_own_source() -> None:
    chip = find("MI355X")
    assert Rate(6, 10066.0, "fp6") in chip.dense_rates
    assert "brochure" in chip.origin("fp6_tflops_dense").source
    assert chip.origin("tdp_w").source == " | ".join(chip.sources)


@pytest.mark.parametrize("cell", ["-5", "nan", "inf", "0", "1e9", "much"])
def test_a_bad_cell_names_file_line_and_column(cell: str) -> None:
    row = {**rows("accelerators.csv")[0], "memory_gb": cell}
    with pytest.raises(UserError, match=r"accelerators\.csv line 2: memory_gb: "):
        read_chip(row, [Addition("family", "910B", "ours", "high")], {}, "accelerators.csv line 2")


def test_a_chip_is_frozen_and_slotted() -> None:
    chip = find("H200")
    with pytest.raises(AttributeError):
        chip.tdp_w = 0  # type: ignore[misc]
    assert not hasattr(chip, "__dict__")
    assert {field.name for field in fields(Chip)} >= {"name", "dense_rates", "dies", "sources", "unchecked"}


def test_importing_the_room_reads_no_table_and_no_heavy_module() -> None:
    code = (
        "import sys, twokey.chips; heavy = {'rich', 'click', 'polars', 'tomllib', 'csv', 'difflib', 'dataclasses'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_room_has_no_other_names() -> None:
    import twokey.chips

    for name in twokey.chips.__all__:
        assert getattr(twokey.chips, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'fnid'"):
        twokey.chips.fnid  # noqa: B018 - the look-up is what is tested
