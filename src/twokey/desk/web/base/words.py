"""Words for codes: what the desk stores as `under_review` a person reads as "under review" or 审查中."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _in

from twokey.desk.audit.models import Event
from twokey.desk.reasons import Reason, sentences

Words = Mapping[str, str | Promise]

WORDS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "side": {"export": _("export"), "import": _("import")},
        "key": {"export": _("Export key"), "import": _("Import key")},
        "role": {
            "applicant": _("applicant"),
            "officer": _("officer"),
            "adviser": _("adviser"),
            "customs": _("customs"),
            "auditor": _("auditor"),
            "operator": _("operator"),
        },
        "state": {  # of an application, a balance, a shipment
            "draft": _("draft"),
            "submitted": _("submitted"),
            "under_review": _("under review"),
            "information_requested": _("waiting for an answer"),
            "decided": _("decided, not countersigned"),
            "approved": _("approved"),
            "refused": _("refused"),
            "appealed": _("under appeal"),
            "withdrawn": _("withdrawn"),
            "returned": _("returned without action"),
            "superseded": _("superseded"),
            "in_force": _("in force"),
            "suspended": _("suspended"),
            "revoked": _("revoked"),
            "surrendered": _("surrendered"),
            "expired": _("expired"),
            "planned": _("planned"),
            "reserved": _("reserved"),
            "half_signed": _("released by one side"),
            "released": _("released"),
            "shipped": _("shipped"),
            "delivered": _("delivered"),
            "voided": _("voided"),
        },
        "status": {
            "clear": _("clear"),
            "blocked": _("blocked"),
            "needs_information": _("needs information"),
        },
        "outcome": {"approve": _("approve"), "refuse": _("refuse")},
        "task": {
            "submit": _("submit"),
            "take": _("take on"),
            "return": _("return without action"),
            "ask": _("ask for information"),
            "answer": _("answer"),
            "decide": _("decide"),
            "approve": _("countersign"),
            "refuse": _("countersign"),
            "reject": _("withhold the countersignature"),
            "appeal": _("appeal"),
            "allow_appeal": _("allow the appeal"),
            "dismiss_appeal": _("dismiss the appeal"),
            "withdraw": _("withdraw"),
            "amend": _("amend"),
            "advise": _("advise"),
            "judge necessity": _("judge necessity"),
            "countersign": _("countersign"),
            "reconfirm": _("reconfirm"),
            "add a document": _("add a document"),
            "reserve": _("reserve"),
            "void": _("void"),
            "supersede": _("supersede"),
        },
        "recommendation": {
            "approve": _("approve"),
            "approve_with_conditions": _("approve with conditions"),
            "refuse": _("refuse"),
            "no_objection": _("no objection"),
        },
        "criterion": {
            "advanced_research": _("Advanced research and development"),
            "domestic_chips_insufficient": _("Domestic chips do not suffice"),
            "quantity_proportionate": _("The quantity is proportionate"),
        },
        "condition": {"precedent": _("before shipping"), "lasting": _("lasting")},
        "document": {
            "use_statement": _("documents on the intended use"),
            "end_user_statement": _("end-user statement"),
            "contract": _("contract"),
            "certification": _("certification"),
            "security_procedures": _("security procedures"),
            "laboratory_certificate": _("laboratory certificate"),
            "substitution_statement": _("statement why domestic chips do not suffice"),
            "power_of_attorney": _("power of attorney"),
            "other": _("other document"),
        },
        "evidence": {
            "laboratory_certificate": _("laboratory certificate of the shipment"),
            "security_procedures_shown": _("adequate security procedures shown"),
            "training_share_kept": _("domestic share of training kept"),
            "inference_share_kept": _("domestic share of inference kept"),
        },
        "scan": {"clean": _("scanned clean"), "infected": _("infected"), "failed": _("not scanned")},
        "party": {
            "exporter": _("exporter"),
            "purchaser": _("purchaser"),
            "intermediate_consignee": _("intermediate consignee"),
            "ultimate_consignee": _("ultimate consignee"),
            "end_user": _("end user"),
            "carrier": _("carrier"),
            "laboratory": _("laboratory"),
            "remote_user": _("remote user"),
        },
        "kind": {  # of an organisation
            "private": _("private company"),
            "state_owned": _("state-owned enterprise"),
            "military": _("military"),
            "critical_infrastructure": _("critical infrastructure"),
            "university_laboratory": _("university laboratory"),
            "cloud_provider": _("cloud provider"),
        },
        "screening": {
            "clean": _("no match"),
            "open": _("waits for an officer"),
            "listed": _("listed"),
        },
        "attention": {
            "law_changed": _("the law changed"),
            "facts_changed": _("the facts changed"),
            "lists_changed": _("the screening lists changed"),
        },
        "why": {
            "submit": _("on submission"),
            "decide": _("on decision"),
            "law_changed": _("the law changed"),
            "facts_changed": _("the facts changed"),
            "lists_changed": _("the screening lists changed"),
            "asked": _("on request"),
        },
        "place": {"mainland": _("mainland China"), "hong_kong": _("Hong Kong"), "macau": _("Macau")},
        "country": {
            "US": _("United States"),
            "CN": _("China"),
            "HK": _("Hong Kong"),
            "MO": _("Macau"),
            "TW": _("Taiwan"),
            "SG": _("Singapore"),
            "NL": _("Netherlands"),
            "JP": _("Japan"),
            "KR": _("South Korea"),
            "AE": _("United Arab Emirates"),
            "GB": _("United Kingdom"),
        },
        "five": {
            "approval": _("approval"),
            "conditions_met": _("conditions met"),
            "order": _("order placed"),
            "licence": _("licence"),
            "customs_release": _("customs release"),
        },
        "movement": {
            "reserve": _("reserve"),
            "draw": _("draw"),
            "void": _("void"),
            "expire": _("expire"),
            "return": _("return"),
            "adjust": _("adjust"),
        },
        "yes": {"True": _("yes"), "False": _("no"), "None": _("unknown")},
        "thing": {
            "application": _in("thing", "application"),
            "order": _in("thing", "order"),
            "shipment": _in("thing", "shipment"),
            "authorisation": _in("thing", "authorisation"),
            "party": _in("thing", "party"),
            "document": _in("thing", "document"),
            "batch": _in("thing", "batch"),
            "release": _in("thing", "release"),
            "seat": _in("thing", "seat"),
        },
    }
)
# Which table says a value of a reason; where several could, the first that knows the code does.
_OF_VALUE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "side": ("side",),
        "status": ("status",),
        "state": ("state",),
        "task": ("task",),
        "allowed": ("state",),
        "role": ("role",),
        "place": ("place",),
        "places": ("place",),
        "code": ("evidence",),
        "what": ("thing",),
    }
)

# A space between two Chinese characters or marks comes from a code that was put into words.
_BETWEEN_HAN: Final = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef“”]) (?=[\u3000-\u9fff\uff00-\uffef“”])")


def word(code: object, table: str) -> str:
    """Return the word for a code, or the code itself (underscores as spaces) where the table does not know it."""
    found = WORDS[table].get(str(code))
    return str(found) if found is not None else str(code).replace("_", " ")


def language() -> str:
    """Return the language of the request as the pure rooms name it: `en` or `zh`."""
    return "zh" if (get_language() or "en").startswith("zh") else "en"


def say(reason: Reason) -> str:
    """Return a reason in the language of the request, with every code in it put into words."""
    lang = language()
    values = {name: _value(name, value, lang) for name, value in reason.values.items()}
    about = str(reason.values.get("about", ""))
    if reason.code == "incomplete" and about.startswith(("evidence:", "fact:")):
        return sentences()[reason.code][lang].format(**_lacking(about, lang))
    if reason.code == "invalid" and lang == "zh":  # what is wrong is said in English by the service
        return f"“{values['field']}”填写有误，请更正后重试。"
    text = sentences()[reason.code][lang].format(**values)
    return _BETWEEN_HAN.sub("", text) if lang == "zh" else text


def evidence_name(code: str) -> str:
    """Return what a piece of evidence shows: a condition's word, or the law's words for a certification."""
    from twokey.law.report import fact_label

    if code in WORDS["evidence"]:
        return word(code, "evidence")
    label = fact_label(f"certifications.{code}", "zh" if language() == "zh" else "en")
    return label if not label.startswith("certifications.") else code.replace("_", " ")


def _value(name: str, value: Any, lang: str) -> Any:
    if name == "facts":
        return _comma(lang).join(_fact(each) for each in str(value).split(", "))
    if name == "code":
        return f"“{evidence_name(str(value))}”"
    if name not in _OF_VALUE:
        return value
    parts = str(value).split(", ")
    return _comma(lang).join(_one(part, name) for part in parts)


def _one(part: str, name: str) -> str:
    head, _space, number = part.partition(" ")
    for table in _OF_VALUE[name]:
        if part in WORDS[table]:
            return word(part, table)
        if number.isdecimal() and head in WORDS[table]:
            return f"{word(head, table)} {number}"
    return part


def _lacking(about: str, lang: str) -> dict[str, str]:
    """Return the words of one thing that an application lacks: `evidence:kyc`, `fact:end_use.supercomputer`."""
    sort, _colon, name = about.partition(":")
    words = evidence_name(name) if sort == "evidence" else _fact(name)
    before = {("evidence", "en"): "evidence in force: ", ("evidence", "zh"): "有效证据——"}
    before |= {("fact", "en"): "a fact: ", ("fact", "zh"): "事实——"}
    text = before[sort, lang] + words
    return {"what": text, "what_zh": text}


def _fact(name: str) -> str:
    from twokey.law.report import fact_label

    return fact_label(name, "zh" if language() == "zh" else "en")


def _comma(lang: str) -> str:
    return "、" if lang == "zh" else ", "


VERBS: Final[Words] = MappingProxyType(
    {
        "order.created": _("order entered"),
        "order.facts": _("facts stated"),
        "order.placed": _("order placed"),
        "case.drafted": _("draft opened"),
        "case.amending": _("amendment opened"),
        "case.saved": _("draft saved"),
        "case.document": _("document added"),
        "case.evidence": _("evidence added"),
        "case.evidence_withdrawn": _("evidence withdrawn"),
        "case.submit": _("application submitted"),
        "case.take": _("taken on"),
        "case.return": _("returned without action"),
        "case.ask": _("information asked for"),
        "case.answer": _("question answered"),
        "case.advice_asked": _("advice asked for"),
        "case.advised": _("advice given"),
        "case.judged": _("necessity judged"),
        "case.assessed": _("assessed"),
        "case.decide": _("decided"),
        "case.reject": _("countersignature withheld"),
        "case.approve": _("approval countersigned"),
        "case.refuse": _("refusal countersigned"),
        "case.appeal": _("appealed"),
        "case.allow_appeal": _("appeal allowed"),
        "case.dismiss_appeal": _("appeal dismissed"),
        "case.withdraw": _("application withdrawn"),
        "case.supersede": _("superseded by an amendment"),
        "case.reconfirmed": _("reconfirmed under the law of the day"),
        "condition.changed": _("condition changed"),
        "ledger.granted": _("authorisation granted"),
        "ledger.posture": _("limit nearly used"),
        "ledger.suspend": _("authorisation suspended"),
        "ledger.reinstate": _("authorisation reinstated"),
        "ledger.revoke": _("authorisation revoked"),
        "ledger.surrender": _("authorisation surrendered"),
        "ledger.supersede": _("authorisation superseded"),
        "ledger.expire": _("authorisation expired"),
        "ledger.adjust_proposed": _("correction proposed"),
        "ledger.adjusted": _("correction signed"),
        "shipment.planned": _("shipment planned"),
        "shipment.reserved": _("reserved on both keys"),
        "shipment.voided": _("reservation voided"),
        "shipment.returned": _("units returned"),
        "shipment.shipped": _("shipped"),
        "shipment.delivery": _("delivered"),
        "shipment.customs_entry": _("customs entry"),
        "release.signed": _("release signed by both sides"),
        "release.half_signed": _("release signed by one side"),
        "release.completed": _("release signed by the other desk too"),
    }
)


def happened(event: Event) -> str:
    """Return an event in words: what was done, to what, and who did it."""
    verb = str(VERBS.get(event.verb, event.verb))
    number = event.payload.get("number") or ""
    name = event.payload.get("name") if event.verb.startswith("case.evidence") else ""
    parts = [verb, evidence_name(str(name)) if name else "", str(number)]
    who = event.authority or event.actor
    return " · ".join(part for part in [*parts, who] if part)
