"""A book of orders: the same door and answers as one order, in any form, in batches, on one machine or many."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_orders import days, orders

from twokey.chips.errors import UserError
from twokey.law.assessing import decide
from twokey.law.book import BookLaw, assess_book, reading
from twokey.law.engine.facts import admit, dictionary
from twokey.law.source import law

DAY = date(2026, 1, 28)
KINDS: dict[str, Any] = {"number": pl.Float64, "integer": pl.Float64, "boolean": pl.Boolean, "date": pl.Date}
FIELDS = {"item.chip", "item.tpp", "item.performance_density", "item.dram_bandwidth_gbs", "item.transfer_rate_gbs",
    "item.datacenter", "item.us_commercial_since", "item.family", "item.maker", "item.origin"}  # fmt: skip
CIRCUIT = pl.Struct(
    {name.removeprefix("item."): KINDS.get(dictionary()[name].type, pl.String) for name in sorted(FIELDS)}
)


CHIPS = st.sampled_from(["H200 SXM", "H100 SXM", "H20", "A800 SXM", "RTX 4090D", "Ascend 910C", "MI308X", "L40S"])


@st.composite
def lines_of_a_book(draw: st.DrawFn) -> dict[str, Any]:
    """Draw an order as the door lets it in, at times with chips by name."""
    stated = admissible(draw(orders()))
    if draw(st.booleans()):
        stated["item.chip"] = draw(CHIPS)
    else:
        stated.pop("item.chip", None)
    if draw(st.booleans()):
        stated["item.contains"] = [{"item.chip": one} for one in draw(st.lists(CHIPS, min_size=1, max_size=3))]
    elif "item.contains" in stated:
        inner = [{name: one[name] for name in FIELDS & one.keys() - {"item.chip"}} for one in stated["item.contains"]]
        stated["item.contains"] = [admissible(one) for one in inner]
        if not all(stated["item.contains"]) or not stated["item.contains"]:
            del stated["item.contains"]
    return stated


def admissible(order: dict[str, Any]) -> dict[str, Any]:
    """Return the facts that the door lets in."""
    kept = {}
    for name, value in order.items():
        with contextlib.suppress(UserError):
            kept |= admit({name: value})
    return kept


def frame_of(lines: list[dict[str, Any]]) -> pl.DataFrame:
    """Return orders as a book has them: a column a fact, null where it is unknown."""
    names = list(dict.fromkeys(name for line in lines for name in line)) or ["item.tpp"]
    columns = []
    for name in names:
        if name == "item.contains":
            packed = [[_plain(one) for one in line[name]] if name in line else None for line in lines]
            columns.append(pl.Series(name, packed, dtype=pl.List(CIRCUIT)))
        else:
            fact = dictionary().get(name)
            kind = pl.Date if name == "as_of" else KINDS.get(fact.type, pl.String) if fact else None
            given = [line.get(name) for line in lines]
            columns.append(pl.Series(name, given, dtype=kind, strict=False))
    return pl.DataFrame(columns)


def _plain(circuit: dict[str, Any]) -> dict[str, Any]:
    return {name.removeprefix("item."): value for name, value in circuit.items()}


def differences(lines: list[dict[str, Any]], answers: pl.DataFrame, day: date) -> list[str]:
    """Return where the columns of a result are not what each order is answered by itself."""
    found = []
    for number, line in enumerate(lines):
        one = decide({name: value for name, value in line.items() if name != "as_of"}, line.get("as_of") or day)
        expected = {key: one.value(key) for key in one.state.compiled.provisions}
        expected |= {key: one.answer(key) for key in one.state.compiled.questions}
        row = answers.row(number, named=True)
        for key in expected:
            if row[key] != expected[key] and not _close(row[key], expected[key]):
                found.append(f"line {number + 1}: {key}: book {row[key]!r}, one order {expected[key]!r}")
    return found


def _close(one: Any, other: Any) -> bool:
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    return numbers and abs(one - other) <= 1e-9 * max(1.0, abs(other))


BOOK = BookLaw(law(), DAY)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(lines_of_a_book(), st.none() | days()), min_size=1, max_size=6))
def test_a_book_answers_line_by_line_and_day_by_day_as_one_order_does(
    dated: list[tuple[dict[str, Any], date | None]],
) -> None:
    lines = [{**line, "as_of": day} for line, day in dated]
    assert differences(lines, BOOK.assess(frame_of(lines)), DAY) == []


FIXED: list[dict[str, Any]] = [
    {"id": "a", "item.chip": "H200 SXM", "item.kind": "ic", "movement.kind": "export", "movement.origin": "US",
     "movement.destination": "CN", "consignee.country": "CN", "consignee.hq": "CN", "as_of": date(2026, 1, 28)},
    {"id": "b", "item.chip": "H20", "item.kind": "ic", "movement.kind": "export", "movement.origin": "US",
     "movement.destination": "CN", "consignee.country": "CN", "exporter.name": "Nvidia Corporation", "as_of": date(2025, 4, 9)},
    {"id": "c", "item.kind": "computer", "item.contains": [{"item.chip": "H100 SXM"}, {"item.chip": "A800 SXM"}],
     "movement.destination": "SG", "movement.origin": "US", "movement.kind": "export", "consignee.parent_hq": "CN"},
    {"id": "d", "item.tpp": 4799.0, "item.performance_density": 5.92, "item.datacenter": True, "item.kind": "ic",
     "consignee.entity_list": False, "item.us_commercial_since": date(2024, 1, 1), "item.quantity": 12.0},
    {"id": "e", "item.kind": "computer", "item.contains": [{"item.chip": "Ascend 910C"}], "movement.destination": "cn"},
]  # fmt: skip


def as_parquet(frame: pl.DataFrame, path: Path) -> Path:
    frame.write_parquet(path.with_suffix(".parquet"), row_group_size=2)
    return path.with_suffix(".parquet")


def as_arrow(frame: pl.DataFrame, path: Path) -> Path:
    frame.write_ipc(path.with_suffix(".arrow"), record_batch_size=2)
    return path.with_suffix(".arrow")


def as_arrow_stream(frame: pl.DataFrame, path: Path) -> Path:
    frame.write_ipc_stream(path.with_suffix(".arrow"))
    return path.with_suffix(".arrow")


def as_csv(frame: pl.DataFrame, path: Path) -> Path:
    chips = pl.col("item.contains").list.eval(pl.element().struct.field("chip")).list.join("; ")
    frame.with_columns(chips).write_csv(path.with_suffix(".csv"))
    return path.with_suffix(".csv")


@pytest.mark.parametrize("write", [as_parquet, as_arrow, as_arrow_stream, as_csv])
@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".csv"])
def test_every_form_gives_the_answers_of_one_order(
    write: Callable[[pl.DataFrame, Path], Path], suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH", 2)
    source, out = write(frame_of(FIXED), tmp_path / "book"), tmp_path / f"result{suffix}"
    batches: list[int] = []
    assert assess_book(BookLaw(law(), DAY), source, out, lambda batch: batches.append(batch.height)) == len(FIXED)
    if write in (as_parquet, as_arrow):
        assert batches == [2, 2, 1]
    answers = {".csv": pl.read_csv, ".parquet": pl.read_parquet, ".arrow": pl.read_ipc}[suffix](out)
    stated = [{name: value for name, value in line.items() if name != "id"} for line in FIXED]
    if suffix == ".csv":
        assert answers["id"].to_list() == ["a", "b", "c", "d", "e"]  # its answers: the next test
        return
    assert answers["id"].to_list() == ["a", "b", "c", "d", "e"]
    assert differences(stated, answers, DAY) == []


def test_a_result_in_csv_says_the_same_as_one_in_parquet(tmp_path: Path) -> None:
    source = as_parquet(frame_of(FIXED), tmp_path / "book")
    for name in ("r.csv", "r.parquet"):
        assess_book(BookLaw(law(), DAY), source, tmp_path / name)
    text = pl.read_csv(tmp_path / "r.csv", infer_schema=False)
    whole = pl.read_parquet(tmp_path / "r.parquet")
    assert text.columns == whole.columns
    for name in whole.columns:
        if not isinstance(whole.schema[name], pl.List) and whole.schema[name] != pl.Float64:
            assert text[name].to_list() == whole[name].cast(pl.String).to_list(), name


def test_columns_that_are_no_facts_are_carried() -> None:
    frame = frame_of(FIXED).with_columns(pl.Series("customer", ["v", None, "x", "y", "z"]))
    answers = BookLaw(law(), DAY).assess(frame)
    assert answers["customer"].to_list() == ["v", None, "x", "y", "z"]
    assert answers["id"].to_list() == ["a", "b", "c", "d", "e"]
    assert answers["as_of"].to_list() == frame["as_of"].to_list()


def test_missing_names_what_each_line_lacks() -> None:
    answers = BookLaw(law(), DAY).assess(
        pl.DataFrame({"item.tpp": [5000.0], "item.kind": ["ic"], "item.datacenter": [True]})
    )
    missing = answers["missing"][0]
    assert "movement.destination" in missing
    assert "item.tpp" not in missing


UNKNOWN = [
    pl.DataFrame({"item.tpp": [float("nan"), -1.0, None, 4800.0]}),
    pl.DataFrame({"item.tpp": [-1, -1, None, 4800]}),
]


@pytest.mark.parametrize("frame", UNKNOWN)
def test_nan_and_minus_one_are_unknown(frame: pl.DataFrame) -> None:
    assert BookLaw(law(), DAY).assess(frame)["us-export:high_performance"].to_list() == [None, None, None, True]


def test_empty_words_are_unknown() -> None:
    answers = BookLaw(law(), DAY).assess(pl.DataFrame({"item.family": ["", " ", None, "H20"]}))
    assert answers["us-export:prohibition_10_guidance"].to_list() == [None, None, None, False]


BAD = {
    "an unknown column": (pl.DataFrame({"item.tp": [1]}), ["column item.tp", "did you mean item.tpp"]),
    "text for numbers": (pl.DataFrame({"item.tpp": ["x"]}), ["column item.tpp", "number in TPP"]),
    "numbers for text": (pl.DataFrame({"movement.destination": [86]}), ["column movement.destination", "text"]),
    "numbers for flags": (pl.DataFrame({"item.datacenter": [1]}), ["column item.datacenter", "boolean"]),
    "text for dates": (pl.DataFrame({"item.us_commercial_since": ["2024"]}), ["column item.us_commercial_since", "date"]),
    "a negative number": (pl.DataFrame({"item.tpp": [1.0, 2.0, -5.0]}), ["line 3", "item.tpp", "negative"]),
    "an absurd number": (pl.DataFrame({"item.tpp": [1.0, 1e12]}), ["line 2", "item.tpp", "beyond"]),
    "an infinite number": (pl.DataFrame({"item.tpp": [1.0, float("inf")]}), ["line 2", "item.tpp", "beyond"]),
    "half a unit": (pl.DataFrame({"item.quantity": [1.0, None, 1.5]}), ["line 3", "item.quantity", "whole number"]),
    "a long country": (pl.DataFrame({"movement.destination": ["CN", "China"]}), ["line 2", "movement.destination", "letters"]),
    "an unknown word": (pl.DataFrame({"item.kind": ["ic", "ic", "chip"]}), ["line 3", "item.kind", "ic, hbm, computer"]),
    "an unknown chip": (pl.DataFrame({"item.chip": ["H20", "H2000"]}), ["line 2", "item.chip", "H200"]),
    "an unknown chip in a list": (pl.DataFrame({"item.contains": ["H20", "H20;B9000"]}), ["line 2", "item.contains", "B9000"]),
    "a list of numbers": (pl.DataFrame({"item.contains": [[1.0]]}), ["item.contains", "list of structs"]),
    "an unknown field in a list": (pl.DataFrame({"item.contains": [[{"tp": 1.0}]]}), ["item.contains", "item.tp", "item.tpp"]),
    "a day that is none": (pl.DataFrame({"as_of": ["2026-01-28", "2026-13-45"], "item.tpp": [1.0, 2.0]}), ["line 2", "as_of", "2026-13-45"]),
    "days as numbers": (pl.DataFrame({"as_of": [20260128]}), ["as_of", "YYYY-MM-DD"]),
    "a list that a book cannot hold": (pl.DataFrame({"item.dense_rates": [[{"bits": 16, "tops": 1.0}]]}), ["item.dense_rates", "item.tpp"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_book_with(name: str, tmp_path: Path) -> None:
    frame, expected = BAD[name]
    frame.write_parquet(tmp_path / "book.parquet")
    with pytest.raises(UserError) as error:
        assess_book(BookLaw(law(), DAY), tmp_path / "book.parquet", tmp_path / "result.parquet")
    for part in ("book.parquet", *expected):
        assert part in str(error.value)
    assert [one.name for one in tmp_path.iterdir()] == ["book.parquet"]


FILES = {
    "text.csv": (b"item.tpp,id\n5,a\nmany,b\n", ["text.csv", "many"]),
    "ragged.csv": (b"item.tpp,id\n5,a\n6\n", ["ragged.csv", "2"]),
    "empty.csv": (b"", ["empty.csv"]),
    "head.csv": (b"item.tpp,id\n", ["head.csv", "no lines"]),
    "bytes.csv": (b"item.family,id\n\xff\xfe,a\n", ["bytes.csv"]),
    "broken.parquet": (b"PAR1 nothing", ["broken.parquet", "cannot be read as parquet"]),
    "broken.arrow": (b"ARROW1 nothing", ["broken.arrow", "cannot be read as arrow"]),
    "book.xlsx": (b"x", ["book.xlsx", ".parquet, .arrow or .csv"]),
}


@pytest.mark.parametrize("name", FILES)
def test_a_malformed_file(name: str, twokey: Any, tmp_path: Path) -> None:
    content, expected = FILES[name]
    (tmp_path / name).write_bytes(content)
    ran = twokey("assess", "--book", tmp_path / name, "--out", tmp_path / "result.csv", "--as-of", "2026-01-28")
    assert ran.status == 3
    assert "Traceback" not in ran.err
    for part in expected:
        assert part in ran.err
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_a_result_that_was_there_stays_when_a_later_batch_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH", 1)
    (tmp_path / "result.csv").write_text("of yesterday")
    (tmp_path / "book.csv").write_text("item.tpp\n5\n-7\n")
    with pytest.raises(UserError, match="negative"):
        assess_book(BookLaw(law(), DAY), tmp_path / "book.csv", tmp_path / "result.csv")
    assert (tmp_path / "result.csv").read_text() == "of yesterday"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["book.csv", "result.csv"]


def test_the_command_counts_the_answers(twokey: Any, tmp_path: Path) -> None:
    source = as_parquet(frame_of(FIXED), tmp_path / "book")
    ran = twokey("assess", "--book", source, "--out", tmp_path / "r.parquet", "--as-of", "2026-01-28")
    assert ran.status == 0
    assert "5 lines assessed" in ran.out
    assert "us-export:export_route" in ran.out
    expected = pl.read_parquet(tmp_path / "r.parquet")["us-export:export_route"].null_count()
    assert f"needs_information {expected}" in " ".join(ran.out.split())


def test_dask_gives_what_one_machine_gives(twokey: Any, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    source = as_parquet(frame_of(FIXED * 3), tmp_path / "book")
    overlay = tmp_path / "mine.toml"
    overlay.write_text('title = "t"\n[parameters.us-export]\na1_tpp.is = 4000\n')
    common = ("assess", "--book", source, "--as-of", "2026-01-28", "--overlay", overlay)
    near = twokey(*common, "--out", tmp_path / "near.parquet")
    far = twokey(*common, "--out", tmp_path / "far.parquet", "--engine", "dask")
    assert (near.status, far.status) == (0, 0)
    assert sorted(near.out.splitlines()[:-1]) == sorted(far.out.splitlines()[:-1])
    parts = [pl.read_parquet(part) for part in sorted((tmp_path / "far.parquet").glob("part-*.parquet"))]
    assert len(parts) == 8
    assert pl.concat(parts).equals(pl.read_parquet(tmp_path / "near.parquet"))


def test_dask_says_what_it_cannot_read(twokey: Any, tmp_path: Path) -> None:
    (tmp_path / "book.csv").write_text("item.tpp\n5\n")
    source = as_parquet(frame_of(FIXED), tmp_path / "book")
    cases = [
        (tmp_path / "book.csv", "r.parquet", (), "reads a Parquet file"),
        (source, "r.csv", (), "folder of Parquet parts"),
        (source, "r.parquet", ("--scheduler", "tcp://127.0.0.1:9"), "cannot be reached"),
    ]
    for book, out, more, expected in cases:
        ran = twokey("assess", "--book", book, "--out", tmp_path / out, "--engine", "dask", *more)
        assert ran.status == 3
        assert expected in ran.err


def test_a_wrong_line_on_a_worker_is_one_clear_error(twokey: Any, tmp_path: Path) -> None:
    pl.DataFrame({"item.tpp": [1.0, -7.0]}).write_parquet(tmp_path / "book.parquet", row_group_size=1)
    ran = twokey("assess", "--book", tmp_path / "book.parquet", "--out", tmp_path / "r.parquet", "--engine", "dask")
    assert ran.status == 3
    assert "negative" in ran.err


def test_the_json_of_one_order_and_the_line_agree(twokey: Any, tmp_path: Path) -> None:
    stated = {name: value for name, value in FIXED[0].items() if name not in ("id", "as_of")}
    (tmp_path / "order.json").write_text(json.dumps(stated))
    told = json.loads(twokey("assess", tmp_path / "order.json", "--as-of", "2026-01-28", "--format", "json").out)
    row = BookLaw(law(), DAY).assess(frame_of([stated])).row(0, named=True)
    for one in told["answers"]:
        assert row[f"{one['regime']}:{one['question']}"] == one["answer"]
