"""What of the facts that were read is encoded, row by row, and what is not and why."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

from twokey.chips.errors import UserError
from twokey.law.engine.law import Law, Pack


@dataclass(frozen=True, slots=True)
class Covered:
    """One row of what was read: the provisions that encode it, or the reason why there is none."""

    row: str
    what: str
    provisions: tuple[str, ...]
    reason: str


def coverage(law: Law) -> Iterator[Covered]:
    """Yield every row. Errors: UserError where the table names a provision that no pack has."""
    table = tomllib.loads(resources.files("twokey.law").joinpath("coverage.toml").read_text(encoding="utf-8"))
    for regime, rows in table.items():
        for row, entry in rows.items():
            names = [
                one if ":" in one else f"{regime}:{one}" for one in entry.get("provisions", entry.get("questions", ()))
            ]
            for name in names:
                if name not in law.provisions and name not in law.questions:
                    raise UserError(f"coverage.toml: {regime} {row}: no provision or question {name}")
            yield Covered(f"{regime} {row}", entry["what"], tuple(names), entry.get("not", ""))
    if "cn-import" in law.packs:
        yield from _reports(law, law.packs["cn-import"])


def _reports(law: Law, pack: Pack) -> Iterator[Covered]:
    """Yield the reported guidance: what rests on each instrument, by provision or by parameter."""
    for key, instrument in pack.instruments.items():
        if not key.startswith("CN-"):
            continue
        resting = [one.key for one in law.provisions.values() if one.instrument == key]
        for other in law.packs.values():
            names = [
                name
                for name, parameter in other.parameters.items()
                if any(value.instrument == key for value in parameter.values)
            ]
            resting += [f"{other.regime}:law.{name}" for name in names]
        yield Covered(key, instrument.title, tuple(dict.fromkeys(resting)), "" if resting else instrument.note)
