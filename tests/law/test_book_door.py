"""The door of a book: NaN is unknown, circuits hold no circuits, and a run that fails leaves nothing behind."""

from __future__ import annotations

import math
import re
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.ipc as pa_ipc
import pytest

from twokey.chips.errors import UserError
from twokey.law.book import BookLaw, admit_frame, assess_book, read_book, reading
from twokey.law.engine.coded import Coded
from twokey.law.order import facts_of_order
from twokey.law.source import law


def test_nan_and_minus_one_are_nulls_behind_the_door() -> None:
    facts = admit_frame(Coded(pl.DataFrame({"item.tpp": [math.nan, -1.0, 4800.0]})), "book")
    assert facts["item.tpp"].to_list() == [None, None, 4800.0]


def test_a_circuit_holds_no_circuits() -> None:
    inner = {"item.kind": "ic", "item.contains": [{"item.tpp": 5000}]}
    with pytest.raises(UserError, match=r"item\.contains"):
        facts_of_order({"item.kind": "computer", "item.contains": [inner]})
    with pytest.raises(UserError, match="a circuit contains no circuits"):
        admit_frame(Coded(pl.DataFrame({"item.contains": [[inner]]})), "book")


def test_a_run_that_fails_halfway_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH", 2)
    source, out = tmp_path / "book.parquet", tmp_path / "result.parquet"
    pl.DataFrame({"item.tpp": [1.0, 2.0, 3.0, -7.0]}).write_parquet(source, row_group_size=2)
    with pytest.raises(UserError, match=r"line 4: item\.tpp: must not be negative"):
        assess_book(BookLaw(law(), date(2026, 1, 28)), source, out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book.parquet"]


@pytest.mark.parametrize(("column", "word"), [("item.chip", "H200 SXM"), ("exporter.country", "US")])
def test_a_word_is_refused_where_a_line_has_it_and_only_there(column: str, word: str) -> None:
    classes = pl.Enum([word, "no such word"])
    admitted = admit_frame(Coded(pl.DataFrame({column: pl.Series([word], dtype=classes)})), "book")
    assert admitted[column].to_list() == [word]
    with pytest.raises(UserError, match=rf"line 2: {re.escape(column)}.*no such word"):
        admit_frame(Coded(pl.DataFrame({column: pl.Series([word, "no such word"], dtype=classes)})), "book")


def test_a_number_beyond_its_dictionary_is_a_malformed_file(tmp_path: Path) -> None:
    words = pa.DictionaryArray.from_arrays(pa.array([0, 2], pa.int32()), pa.array(["US", "CN"]), safe=False)
    table = pa.table({"exporter.country": words})
    with pa_ipc.new_file(tmp_path / "book.arrow", table.schema) as file:
        file.write_table(table)
    with pytest.raises(UserError, match=r"book\.arrow: .*column exporter\.country: a word's number is beyond"):
        list(read_book(tmp_path / "book.arrow"))


def test_words_that_stand_twice_in_their_dictionary_are_read_as_text(tmp_path: Path) -> None:
    words = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2], pa.int8()), pa.array(["US", "US", None]))
    table = pa.table({"exporter.country": words})
    with pa_ipc.new_file(tmp_path / "book.arrow", table.schema) as file:
        file.write_table(table)
    (lines,) = read_book(tmp_path / "book.arrow")
    assert admit_frame(lines, "book")["exporter.country"].to_list() == ["US", "US", None]
