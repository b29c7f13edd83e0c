"""A chip of one's own: what a file may say, and how a mistake in it is named."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twokey.chips import Die, Rate, UserError, load_chip
from twokey.chips.own import chip_of_facts

EXAMPLE = Path(__file__).parents[2] / "examples/chips/my-chip.toml"
HEAD = 'name = "X"\nvendor = "Y"\n'


def test_the_example_is_read_in_full() -> None:
    chip = load_chip(EXAMPLE)
    assert (chip.tpp, chip.dies) == (4480.0, (Die(620.0, True, True),))
    assert chip.performance_density == 4480 / 620
    assert chip.confidence == "own file"
    assert chip.datacenter is True


def test_what_a_file_leaves_out_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(HEAD)
    chip = load_chip(path)
    unknown = (chip.tpp, chip.performance_density, chip.memory_gb, chip.tdp_w, chip.datacenter, chip.country)
    assert unknown == (None,) * 6
    assert (chip.dense_rates, chip.dies) == ((), ())


def test_dates_formats_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    rates = '[[dense_rates]]\nformat = "mxfp6"\ntops = 10066\n[[dense_rates]]\nformat = "log5"\nbits = 5\ntops = 7\n'
    path.write_text("\ufeff" + HEAD + "us_commercial_since = 2026-06-30\n" + rates, encoding="utf-8")
    chip = load_chip(path)
    assert chip.us_commercial_since == date(2026, 6, 30)
    assert chip.dense_rates == (Rate(6, 10066.0, "mxfp6"), Rate(5, 7.0, "log5"))
    assert chip.tpp == 60396


BAD = [
    ("name = 'X'\n", "vendor is missing"),
    (HEAD + "memry_gb = 80\n", "unknown field 'memry_gb'; did you mean memory_gb or memory_type?"),
    (HEAD + "zzz = 80\n", "unknown field 'zzz'; see docs/chips.md"),
    (HEAD + 'memory_gb = "80 GB"\n', "memory_gb: must be a number in GB, without its unit (got text '80 GB')"),
    (HEAD + "memory_gb = true\n", "memory_gb: must be a number in GB"),
    (HEAD + "memory_gb = -80\n", "memory_gb: must not be negative (got -80)"),
    (HEAD + "memory_gb = 0\n", "memory_gb: must be more than zero"),
    (HEAD + "memory_gb = nan\n", "memory_gb: must be a finite number"),
    (HEAD + "memory_gb = inf\n", "memory_gb: must be a finite number"),
    (HEAD + "memory_gb = 1e9\n", "memory_gb: 1e+09 GB is not believable"),
    (HEAD + f"tdp_w = 1{'0' * 400}\n", "tdp_w: a number of many digits W is not believable"),
    (HEAD + "price_usd = [1]\n", "price_usd: must be a number in US$"),
    (HEAD + 'country = "China"\n', "country: must be two capital letters"),
    (HEAD + 'released = "spring"\n', "released: must be 2026"),
    (HEAD + "released = 2026\n", "released: must be text in quotes (got 2026)"),
    (HEAD + 'process = " "\n', "process: is empty"),
    (HEAD + 'datacenter = "yes"\n', "datacenter: must be true or false"),
    (HEAD + 'us_commercial_since = "soon"\n', "us_commercial_since: must be a date"),
    (HEAD + "us_commercial_since = 2026-06-30T10:00:00\n", "without a time"),
    (HEAD + 'aliases = "A1"\n', "aliases: must be a list of texts"),
    (HEAD + "sources = [1]\n", "sources[1]: must be text"),
    (HEAD + f'notes = "{"x" * 2001}"\n', "notes: is longer than 2000 characters"),
    (HEAD + "dense_rates = 5\n", "dense_rates: must be [[dense_rates]] tables"),
    (HEAD + "dense_rates = [5]\n", "dense_rates[1]: must be a table"),
    (HEAD + '[[dense_rates]]\nformat = "fp8"\n', "dense_rates[1]: tops is missing"),
    (HEAD + "[[dense_rates]]\ntops = 3\n", "dense_rates[1]: format is missing"),
    (HEAD + '[[dense_rates]]\nformat = "fp8"\ntops = 1.1e7\n', "dense_rates[1].tops: 1.1e+07"),
    (HEAD + '[[dense_rates]]\nformat = "fp9"\ntops = 3\n', "'fp9' is not a known format"),
    (HEAD + '[[dense_rates]]\nformat = "fp8"\nbits = 16\ntops = 3\n', "dense_rates[1].bits: fp8 has 8 bits, not 16"),
    (HEAD + '[[dense_rates]]\nformat = "x"\nbits = 200\ntops = 3\n', "must be a whole number of bits"),
    (HEAD + '[[dense_rates]]\nformat = "fp8"\ntops = 3\nsparse = 6\n', "dense_rates[1]: unknown field 'sparse'"),
    (HEAD + ('[[dense_rates]]\nformat = "fp8"\ntops = 3\n' * 2), "dense_rates[2].format: fp8 is given twice"),
    (HEAD + "[[dies]]\narea_mm2 = -1\n", "dies[1].area_mm2: must not be negative"),
    (HEAD + '[[dies]]\nnon_planar = "FinFET"\n', "dies[1].non_planar: must be true or false"),
    (HEAD + "tdp_w = \n", "line 3, column 9: Invalid value"),
    (HEAD + "tdp_w = 5 6\n", "line 3, column 11: "),
    (HEAD + "tdp_w", "line 3, column 6: "),
    (HEAD + 'name = "Z"\n', "line 3, column 11: Cannot overwrite a value"),
]


@pytest.mark.parametrize(("text", "message"), BAD, ids=[message for _, message in BAD])
def test_a_mistake_names_the_file_and_the_field_or_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load_chip(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    binary = tmp_path / "x.toml"
    binary.write_bytes(b"name = '\xff'")
    for path, message in [
        (tmp_path / "none.toml", "No such file"),
        (tmp_path, "directory"),
        (binary, "is not UTF-8 text (byte 9)"),
        (Path("a\0b"), "cannot be read"),
    ]:
        with pytest.raises(UserError) as caught:
            load_chip(path)
        assert message in str(caught.value)


def test_a_deeply_nested_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.toml"
    path.write_text(HEAD + "notes = " + "[" * 100_000)
    with pytest.raises(UserError, match=r"cannot be read as TOML|line 3"):
        load_chip(path)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = [
    "country",
    "released",
    "memory_gb",
    "tdp_w",
    "datacenter",
    "us_commercial_since",
    "dense_rates",
    "dies",
    "notes",
]


# The first text drawn loads tables of characters, which takes seconds on a busy machine.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), JUNK))
def test_whatever_a_file_says_it_is_a_chip_or_a_clear_error(table: dict[str, object]) -> None:
    try:
        chip = chip_of_facts({"name": "X", "vendor": "Y", **table}, "mine.toml")
    except UserError as error:
        message = str(error)
    else:
        message = "mine.toml: "
        assert chip.memory_gb is None or chip.memory_gb > 0
        assert chip.tpp is None or chip.tpp > 0
    assert message.startswith("mine.toml: ")
