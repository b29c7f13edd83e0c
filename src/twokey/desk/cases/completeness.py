"""What an application still lacks, told before it is submitted: half of real ones come back for this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from django.utils import timezone

from twokey.desk.cases import assessing
from twokey.desk.cases.assessing import CERTIFICATIONS, load_order
from twokey.desk.cases.models import Application, Document, Order, OrderParty
from twokey.desk.cases.papers import in_force
from twokey.desk.parties.screening import list_reasons, party_reasons
from twokey.desk.reasons import Reason, reason

# 15 CFR 748.10: a statement of the end user is needed above this value of the order.
END_USER_STATEMENT_ABOVE_USD_MINOR: Final = 5_000_000
# Facts that an authority finds, not the applicant.
FOUND_BY_AUTHORITY: Final = frozenset({"end_use.necessary", "application.use_documents"})


@dataclass(frozen=True, slots=True)
class _Case:
    application: Application
    order: Order
    on: date


Check = Callable[[_Case], list[Reason]]


def gaps(application: Application, on: date | None = None) -> list[Reason]:
    """Return everything that the application lacks; empty means that it may be submitted."""
    case = _Case(application, load_order(application.order_id), on or timezone.now().date())
    checks = EXPORT_CHECKS if application.authority.side == "export" else IMPORT_CHECKS
    return [found for check in checks for found in check(case)]


def _lacks(what: str, what_zh: str, about: str = "") -> Reason:
    """Return the reason; `about` names what is lacking for a program, such as `document:contract` or `evidence:kyc`."""
    return reason("incomplete", what=what, what_zh=what_zh, about=about)


def _use_statement(case: _Case) -> list[Reason]:
    if len(case.application.use_statement.strip()) >= 40:
        return []
    return [_lacks("a use statement of at least 40 characters", "不少于 40 个字符的用途说明", "use_statement")]


def _parties(case: _Case) -> list[Reason]:
    wanted = {
        OrderParty.Role.PURCHASER: ("a purchaser", "买方"),
        OrderParty.Role.ULTIMATE_CONSIGNEE: ("an ultimate consignee", "最终收货人"),
        OrderParty.Role.END_USER: ("an end user", "最终用户"),
    }
    present = {each.role for each in case.order.parties.all()}
    return [_lacks(*words, f"party:{role.value}") for role, words in wanted.items() if role not in present]


def _screened(case: _Case) -> list[Reason]:
    everybody = [each.organisation for each in case.order.parties.all()]
    return [*list_reasons(), *party_reasons([case.order.exporter, case.order.importer, *everybody])]


def _clean_documents(case: _Case) -> list[Reason]:
    return [
        reason("document_not_clean", filename=each.filename, detail=each.scan_detail or each.scan)
        for each in case.application.documents.filter(withdrawal=None)
        if each.scan != Document.Scan.CLEAN
    ]


def _document(kind: str, words: tuple[str, str]) -> Check:
    def check(case: _Case) -> list[Reason]:
        present = case.application.documents.filter(withdrawal=None, kind=kind).exists()
        return [] if present else [_lacks(*words, f"document:{kind}")]

    return check


def _end_user_statement(case: _Case) -> list[Reason]:
    whole = sum(line.value_minor for line in case.order.lines.all())
    if case.order.currency == "USD" and whole <= END_USER_STATEMENT_ABOVE_USD_MINOR:
        return []
    return _document("end_user_statement", ("the end-user statement", "最终用户声明"))(case)


def _certifications(case: _Case) -> list[Reason]:
    evidence = list(case.order.evidence.all())
    return [
        _lacks(f"evidence in force for the certification {name}", f"证明事项 {name} 的有效证据", f"evidence:{name}")
        for name in CERTIFICATIONS
        if in_force(evidence, name, case.on) is None
    ]


def _law_knows_enough(case: _Case) -> list[Reason]:
    side: Literal["export", "import"] = "export" if case.application.authority.side == "export" else "import"
    return [
        _lacks(f"the fact {name}", f"事实 {name}", f"fact:{name}")
        for name in assessing.assess_order(case.order, side, case.on).key.missing
        if name not in FOUND_BY_AUTHORITY and not name.startswith("certifications.")
    ]


EXPORT_CHECKS: Final[tuple[Check, ...]] = (
    _use_statement,
    _parties,
    _document("contract", ("the contract", "合同")),
    _end_user_statement,
    _certifications,
    _law_knows_enough,
    _clean_documents,
    _screened,
)
IMPORT_CHECKS: Final[tuple[Check, ...]] = (
    _use_statement,
    _parties,
    _document("use_statement", ("the documents on the intended use", "用途证明文件")),
    _document(
        "substitution_statement", ("the statement why domestic chips do not suffice", "国产芯片不能满足需求的说明")
    ),
    _law_knows_enough,
    _clean_documents,
    _screened,
)
