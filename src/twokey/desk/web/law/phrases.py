"""Words for what the packs hold as codes or short English notes: kinds, authorities, places in a text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _in

from twokey.desk.web.base.words import language
from twokey.law.engine.facts import dictionary, unit_in
from twokey.law.engine.law import DatedValue, Instrument, Law, Parameter
from twokey.law.engine.words import Lang, confidence, paragraph_of, plain, question_of

Words = Mapping[str, str | Promise]

KINDS: Final[Words] = MappingProxyType(
    {
        "statute": _("statute"),
        "rule": _("rule"),
        "order": _in("kind of instrument", "order"),
        "letter": _("letter"),
        "guidance": _("guidance"),
        "reported": _("reported"),
        "draft": _in("kind of instrument", "draft"),
        "overlay": _("overlay"),
    }
)
_AUTHORITIES: Final[Words] = MappingProxyType(
    {
        "officials": _("officials"),
        "central government": _("central government"),
        "suppliers": _("suppliers"),
        "summit": _("summit"),
        "United States": _("United States"),
        "provinces": _("provinces"),
        "President; CBP": _("President; Customs and Border Protection"),
        "regulators": _("regulators"),
        "company": _("company"),
        "Shanghai municipality": _("Shanghai municipality"),
        "several agencies": _("several agencies"),
        "national": _("national government"),
        "procurement": _("government procurement"),
        "not named": _("not named"),
        "Congress": _("Congress"),
    }
)
_PLACES: Final[Words] = MappingProxyType(
    {
        "is-informed letter": _("is-informed letter"),
        "is-informed letter (reported)": _("is-informed letter (reported)"),
        "guidance of 2025-05-13": _("guidance of 2025-05-13"),
        "note 39(b)": _("note 39(b)"),
        "reading": _("a reading of ours"),
        "3A090 Note 1": _("3A090 Note 1"),
        "3A090 Note 2": _("3A090 Note 2"),
        "15 CFR 744 is-informed clauses; letter not published": _(
            "15 CFR 744, is-informed clauses; letter not published"
        ),
        "NVIDIA Form 8-K of 2025-04-09; letters not published": _(
            "NVIDIA Form 8-K of 2025-04-09; letters not published"
        ),
        "15 CFR 740 Supp. 1 as of 2026-07-23": _("15 CFR 740 Supp. 1 as of 2026-07-23"),
        "91 FR 2443; HTSUS chapter 99 subchapter III note 39": _(
            "91 FR 2443; HTSUS chapter 99, subchapter III, note 39"
        ),
    }
)


def lang() -> Lang:
    """Return the language of the request as the law room names it."""
    return "zh" if language() == "zh" else "en"


def kind(code: str) -> str:
    """Return the kind of an instrument in words."""
    return str(KINDS.get(code, code))


def title(one: Instrument) -> str:
    """Return an instrument's title."""
    return one.title_zh if lang() == "zh" else one.title


def note(one: Instrument) -> str:
    """Return what is to be known of an instrument."""
    return one.note_zh if lang() == "zh" else one.note


def known(one: Instrument | DatedValue) -> str:
    """Return how well an instrument or a value is known."""
    return confidence(one.confidence, lang())


def authority(one: Instrument) -> str:
    """Return who made an instrument; abbreviations of names stay."""
    return _list_of(str(_AUTHORITIES.get(one.authority, one.authority)))


def addressee(one: Instrument) -> str:
    """Return to whom a letter is addressed."""
    return _list_of(one.addressee)


def citation(one: Instrument) -> str:
    """Return where an instrument is published, or the row of the reports that it is known from."""
    return cited(one.citation or one.row)


def cited(text: str) -> str:
    """Return a citation; the few that hold English phrases are translated."""
    return str(_PLACES.get(text, text))


def place(at: str, law: Law, regime: str) -> str:
    """Return the place in a text that sets a value, such as "3A090.a.1"."""
    if at in _PLACES:
        return str(_PLACES[at])
    names = law.packs[regime].words_zh.get("paragraphs", {}) if lang() == "zh" else {}
    return str(names.get(at, at))


def regime(code: str, law: Law) -> str:
    """Return the title of a pack."""
    pack = law.packs[code]
    return pack.title_zh if lang() == "zh" else pack.title


def thing(key: str, law: Law) -> str:
    """Return the name of a provision (its paragraph) or of a question (its words)."""
    if key in law.provisions:
        return paragraph_of(law.provisions[key], law.at(law.days[-1]), lang())
    return question_of(law.questions[key], law, lang())


def label(parameter: Parameter) -> str:
    """Return what a parameter is."""
    return parameter.zh if lang() == "zh" else parameter.en


def value(dated: DatedValue | None, parameter: Parameter) -> str:
    """Return a value with its unit; a list as its entries; "none" for an empty list, "no value" where none is set."""
    if dated is None:
        return str(_("no value"))
    if isinstance(dated.value, frozenset):
        return listed(dated.value)
    return f"{plain(dated.value, lang())} {unit_in(parameter.unit, lang())}".strip()


def listed(entries: frozenset[str]) -> str:
    """Return the entries of a list, in order."""
    words = sorted(_choices().get(one, (one, one))[lang() == "zh"] for one in entries)
    return items(words) or str(_in("an empty list", "none"))


def items(words: Iterable[str]) -> str:
    """Return several words as one list in the language's own punctuation."""
    return ("、" if lang() == "zh" else ", ").join(words)


@cache
def _choices() -> dict[str, tuple[str, str]]:
    """Return the words of every choice that a fact may have."""
    return {choice: words for fact in dictionary().values() for choice, words in (fact.words or {}).items()}


def _list_of(text: str) -> str:
    return text.replace(", ", "、") if lang() == "zh" else text
