"""What the law says of every line of a batch, each on its own day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from twokey.chips import UserError
from twokey.law.book.door import admit_frame
from twokey.law.book.reading import AS_OF
from twokey.law.engine.coded import Coded, coded, renumbered
from twokey.law.engine.law import Law, LawInForce
from twokey.law.engine.many import MISSING, ManyLaw
from twokey.law.engine.tree import Arith
from twokey.law.state import state_of


@dataclass(slots=True)
class BookLaw:
    """A law ready for batches: the compiled forms of the days that the lines ask for, made once each."""

    law: Law
    as_of: date
    missing: bool = True
    questions: tuple[str, ...] = ()
    provisions: tuple[str, ...] = ()
    _ready: dict[LawInForce, ManyLaw] = field(default_factory=dict)

    def assess(self, lines: pl.DataFrame | Coded, where: str = "book", first_line: int = 1) -> pl.DataFrame:
        """Return a frame of answers, line by line as in the book: carried columns, provisions, questions, `missing`.

        Errors: UserError with `where`, line and column for what does not pass the door.
        """
        book = lines if isinstance(lines, Coded) else Coded(lines)
        facts = admit_frame(book, where, first_line)
        classes = (
            pl.selectors.enum() | pl.selectors.categorical()
        )  # a reader makes other classes of them in every batch
        carried = pl.DataFrame([book[name] for name in book.columns if "." not in name]).with_columns(
            classes.cast(pl.String)
        )
        if AS_OF not in book.columns:
            return pl.concat([carried, self._on(self.as_of, facts)], how="horizontal")
        days = book[AS_OF]
        if days.dtype in (pl.String, pl.Categorical) or isinstance(days.dtype, pl.Enum):
            days = days.cast(pl.String)
            words, days = days, days.str.to_date(strict=False)
            bad = (days.is_null() & words.is_not_null() & (words.str.strip_chars() != "")).fill_null(False)
            if bad.any():
                line = bad.arg_max() or 0
                raise UserError(
                    f"{where}: line {first_line + line}: {AS_OF}: must be a date as YYYY-MM-DD (got {words[line]!r})"
                )
        if days.dtype != pl.Date:
            raise UserError(f"{where}: column {AS_OF}: must be a date as YYYY-MM-DD (got {days.dtype})")
        return pl.concat([carried, self._by_day(days.fill_null(self.as_of), facts)], how="horizontal")

    def _on(self, day: date, facts: Coded) -> pl.DataFrame:
        at = self.law.at(day)
        if at not in self._ready:
            self._ready[at] = ManyLaw(state_of(self.law, day).folded, self.questions, self.provisions)
        answers = self._ready[at].evaluate(facts, missing=self.missing)
        columns = []
        for name, given in answers.schema.items():
            kind = pl.Categorical() if name == MISSING else self._kind(name)
            if isinstance(kind, pl.Enum) and isinstance(given, pl.Enum):
                columns.append(renumbered(*coded(answers[name]), tuple(kind.categories)).cat.to(kind))
            elif given != kind:
                columns.append(answers[name].cast(kind))
        return answers.with_columns(columns)

    def _kind(self, name: str) -> Any:
        """Return the type of a column, the same on every day and in every batch."""
        question = self.law.questions.get(name)
        if question is None:
            return pl.Boolean
        if question.value is None:
            return pl.Enum(question.answers)
        return pl.Date if isinstance(question.value, Arith) and question.value.op == "years_after" else pl.Float64

    def _by_day(self, days: pl.Series, facts: Coded) -> pl.DataFrame:
        spans = {day: id(self.law.at(day)) for day in days.unique()}
        if len(set(spans.values())) == 1:
            return self._on(next(iter(spans)), facts)
        numbered = facts.frame.with_columns(
            days.alias("@day"), pl.int_range(facts.height, dtype=pl.UInt32).alias("@line")
        )
        parts = []
        for one in dict.fromkeys(spans.values()):
            same = [day for day, span in spans.items() if span == one]
            part = numbered.filter(pl.col("@day").is_in(same))
            parts.append(self._on(same[0], facts.with_frame(part.drop("@day", "@line"))).with_columns(part["@line"]))
        return pl.concat(parts).sort("@line").drop("@line")
