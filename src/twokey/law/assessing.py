"""The main job: what both governments' rules say of one order on one day, and what is still missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

from twokey.law.change import amended
from twokey.law.engine.law import Headline, Law
from twokey.law.engine.tree import AnyOf, facts_of, refs_of
from twokey.law.order import facts_of_order
from twokey.law.records import Answer, Assessment, Finding, KeyAnswer, Status
from twokey.law.source import law as installed_law
from twokey.law.state import Decided, forced, state_of

_OF_CHINA: Final = ("HK", "MO")  # orders that China's reported guidance speaks of as well
KEYS: tuple[Literal["export"], Literal["import"]] = ("export", "import")


def assess(
    stated: Mapping[str, Any],
    on: date,
    overlays: Sequence[Path] = (),
    *,
    law: Law | None = None,
    where: str = "order",
) -> Assessment:
    """Return what the law of a day says of an order.

    `stated`: facts by dotted name (see `facts.toml`), as a person states them; `overlays`: files or folders laid over
    the packs; `law`: another law than the installed one. Errors: UserError for a bad fact or a bad overlay.

    >>> done = assess({"item.chip": "H100 SXM", "item.kind": "ic", "movement.kind": "reexport",
    ...     "movement.origin": "SG", "movement.destination": "CN", "item.subject_to_ear": True}, date(2026, 1, 28))
    >>> done.key("export").possible
    ('listed_party', 'needs_information', 'presumption_of_denial')
    """
    return assessment_of(decide(stated, on, overlays, law=law, where=where), on)


def decide(
    stated: Mapping[str, Any], on: date, overlays: Sequence[Path] = (), *, law: Law | None = None, where: str = "order"
) -> Decided:
    """Return the values and answers of one order, from which assessments and explanations are made."""
    law = law or installed_law()
    for overlay in overlays:
        law = amended(law, overlay)
    return state_of(law, on).decide(facts_of_order(stated, where))


def law_digest(on: date, law: Law | None = None) -> str:
    """Return the short name of the law of a day: an assessment with another digest is to be made again."""
    return (law or installed_law()).at(on).digest


def assessment_of(decided: Decided, on: date) -> Assessment:
    """Return the assessment of a decided order, with the exact answers still possible and what each waits for."""
    law = decided.law
    answers = {key: answer_to(decided, key) for key in decided.state.compiled.questions}
    keys = tuple(_key(decided, name, answers) for name in KEYS)
    return Assessment(
        as_of=on,
        facts=dict(decided.facts),
        status=worst(key.status for key in keys),
        keys=keys,
        answers=tuple(answers.values()),
        findings=tuple(_findings(decided)),
        law_digest=law.digest,
        overlays=law.law.overlays,
        notes=tuple(_notes(decided)),
    )


def keys_of(decided: Decided) -> tuple[KeyAnswer, ...]:
    """Return what moves the two keys, as an assessment has it, without the other questions and the findings.

    >>> order = {"item.chip": "H20", "item.kind": "ic"}
    >>> [each.status for each in keys_of(decide(order, date(2022, 1, 1)))]
    ['clear', 'clear']
    """
    packs = decided.law.law.packs.values()
    asked = [headline.question for pack in packs if pack.key for headline in pack.headlines]
    answers = {key: answer_to(decided, key) for key in asked}
    return tuple(_key(decided, name, answers) for name in KEYS)


def worst(statuses: Iterable[Status]) -> Status:
    """Return the status of several together: blocked before needs_information before clear."""
    found = set(statuses)
    if "blocked" in found:
        return "blocked"
    return "needs_information" if "needs_information" in found else "clear"


def answer_to(decided: Decided, key: str) -> Answer:
    """Return what a question ("regime:name") is answered: settled, or every answer that is still possible."""
    regime, _, name = key.partition(":")
    settled = decided.answer(key)
    if settled is not None:
        return Answer(name, regime, settled, (str(settled),), (), _because(decided, key))
    if key in decided.state.folded.values:
        operand = decided.state.folded.values[key]
        return Answer(name, regime, None, (), tuple(one for one in facts_of(operand) if one not in decided.facts))
    diagrams = decided.state.diagrams
    left = diagrams.given(diagrams.question(key, forced=forced(decided)), decided.facts)
    reachable = {str(value) for value in diagrams.values(left)}
    possible = tuple(name for name in decided.law.law.questions[key].answers if name in reachable)
    missing = tuple(
        dict.fromkeys(fact for one in diagrams.support(left) for fact in _unknown(decided, one.name, one.joined))
    )
    settled = possible[0] if len(possible) == 1 else None
    return Answer(name, regime, settled, possible, () if settled else missing)


def _unknown(decided: Decided, name: str, joined: Any) -> list[str]:
    if joined is None:
        return [name]
    if isinstance(joined, AnyOf):
        items = joined.items.name
        if items not in decided.facts:
            return [items]
        support = decided.state.folded.support(decided.state.folded.provisions[joined.provision])
        return [
            f"{items}.{fact.removeprefix('item.')}"
            for fact in support
            if any(fact not in circuit for circuit in decided.facts[items])
        ]
    return [fact for fact in facts_of(joined) if fact not in decided.facts]


def _because(decided: Decided, key: str) -> tuple[str, ...]:
    """Return the provisions that the deciding branch of a question names."""
    answer = decided.answer(key)
    for branch in decided.law.law.questions[key].branches:
        named = [ref for ref in refs_of(branch.condition) if decided.value(ref)]
        if branch.answer == answer and named:
            return tuple(named)
    return ()


def _key(decided: Decided, name: Literal["export", "import"], answers: Mapping[str, Answer]) -> KeyAnswer:
    law = decided.law.law
    headlines = [headline for pack in law.packs.values() if pack.key == name for headline in pack.headlines]
    judged = [
        (headline, answers[headline.question], _status(headline, answers[headline.question])) for headline in headlines
    ]
    gates = [decided.value(provision) for key, provision in law.gates if key == name]
    status = worst(
        [status for _, _, status in judged]
        + ["blocked" if gate is False else "needs_information" if gate is None else "clear" for gate in gates]
    )
    telling = next((answer for _, answer, one in judged if one == status), judged[0][1])
    missing = dict.fromkeys(fact for _, answer, one in judged if one == "needs_information" for fact in answer.missing)
    for key, provision in law.gates:
        if key == name and decided.value(provision) is None:
            tree = decided.state.folded.provisions[provision]
            missing.update(
                dict.fromkeys(fact for fact in decided.state.folded.support(tree) if fact not in decided.facts)
            )
    conditions = [one for headline, answer, _ in judged for one in headline.conditions.get(str(answer.answer), ())]
    conditions += [provision for key, provision in law.gates if key == name]
    return KeyAnswer(
        name,
        status,
        None if telling.answer is None else str(telling.answer),
        telling.possible,
        tuple(missing),
        tuple(one for one in conditions if decided.law.force[one]),
    )


def _status(headline: Headline, answer: Answer) -> Status:
    statuses: set[Status] = {
        "clear" if one in headline.clear else "blocked" if one in headline.blocked else "needs_information"
        for one in answer.possible
    }
    if len(statuses) == 1:
        return statuses.pop()
    return "clear" if headline.condition else "needs_information"


def _findings(decided: Decided) -> Iterable[Finding]:
    law = decided.law
    for provision in law.provisions:
        instrument = law.law.instrument(provision)
        value = decided.value(provision.key)
        yield Finding(
            provision.key,
            provision.regime,
            value,
            law.force[provision.key],
            instrument.id,
            instrument.kind,
            instrument.confidence,
            tuple(fact for fact in facts_of(provision.tree) if fact not in decided.facts) if value is None else (),
        )


def _notes(decided: Decided) -> Iterable[tuple[str, ...]]:
    if decided.law.nothing_in_force:
        yield ("no_law", min(decided.law.law.days).isoformat())
    destination = decided.facts.get("movement.destination")
    known = {pack.jurisdiction for pack in decided.law.law.packs.values() if pack.key == "import"}
    if destination is not None and destination not in known and destination not in _OF_CHINA:
        yield ("no_import_pack", destination)
    if "item.chip" in decided.facts:
        for name in ("item.tpp", "item.performance_density", "item.dram_bandwidth_gbs"):
            if name not in decided.facts:
                yield ("unpublished", decided.facts["item.chip"], name)
