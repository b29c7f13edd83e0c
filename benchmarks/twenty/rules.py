"""The twenty conditions as provisions."""

# mypy: allow-untyped-defs

from __future__ import annotations

from datetime import date

from twenty import (
    A1_TPP,
    A2_DENSITY,
    A2_TPP,
    B1_DENSITY,
    B1_TPP,
    B2_DENSITY,
    CAP,
    D5,
    LIMIT_DRAM,
    LIMIT_TPP,
    NOTICE_DAYS,
)
from twokey.law.engine.define import Rulebook
from twokey.law.engine.law import DatedValue, Instrument, Law, LawInForce, Pack, Parameter

rules = Rulebook("twenty")


@rules.provision("1", "text")
def high(order, law):
    return order.item.tpp >= law.a1_tpp


@rules.provision("2", "text")
def dense(order, law):
    return order.item.tpp >= law.a2_tpp and order.item.performance_density >= law.a2_density


@rules.provision("3", "text")
def in_a(order, law):
    return high(order, law) or dense(order, law)


@rules.provision("4", "text")
def next_tier(order, law):
    return (
        not in_a(order, law)
        and law.b1_tpp <= order.item.tpp < law.a1_tpp
        and law.b1_density <= order.item.performance_density < law.a2_density
    )


@rules.provision("5", "text")
def next_tier_dense(order, law):
    return (
        not in_a(order, law)
        and order.item.tpp >= law.a2_tpp
        and law.b2_density <= order.item.performance_density < law.a2_density
    )


@rules.provision("6", "text")
def in_b(order, law):
    return next_tier(order, law) or next_tier_dense(order, law)


@rules.provision("7", "text")
def consumer_note(order, law):
    return not order.item.datacenter and not high(order, law)


@rules.provision("8", "text")
def specified(order, law):
    return (in_a(order, law) or in_b(order, law)) and not consumer_note(order, law)


@rules.provision("9", "text")
def to_d5(order, law):
    return order.movement.destination in law.d5


@rules.provision("10", "text")
def hq_d5(order, law):
    return order.consignee.hq in law.d5


@rules.provision("11", "text")
def barred(order, law):
    return order.consignee.entity_list or order.consignee.military_end_user


@rules.provision("12", "text")
def requirement(order, law):
    return specified(order, law) and (to_d5(order, law) or hq_d5(order, law))


@rules.provision("13", "text")
def required(order, law):
    return barred(order, law) or requirement(order, law)


@rules.provision("14", "text")
def below_limits(order, law):
    return order.item.tpp < law.limit_tpp and order.item.dram_bandwidth_gbs < law.limit_dram


@rules.provision("15", "text")
def within_cap(order, law):
    return order.aggregate.china_to_us_tpp_ratio <= law.cap


@rules.provision("16", "text")
def secured(order, law):
    return order.certifications.security_procedures and order.certifications.laboratory


@rules.provision("17", "text")
def case_by_case(order, law):
    return (
        requirement(order, law)
        and not barred(order, law)
        and below_limits(order, law)
        and within_cap(order, law)
        and secured(order, law)
    )


@rules.provision("18", "text")
def notified(order, law):
    return order.notification.days_elapsed >= law.notice_days and order.purchase_order.written


@rules.provision("19", "text")
def excepted(order, law):
    return requirement(order, law) and in_b(order, law) and notified(order, law) and not barred(order, law)


@rules.provision("20", "text")
def refused(order, law):
    return required(order, law) and not case_by_case(order, law) and not excepted(order, law)


@rules.question()
def outcome(order, law):
    if not required(order, law):
        return "no_licence"
    if excepted(order, law):
        return "exception"
    if case_by_case(order, law):
        return "case_by_case"
    return "presumption_of_denial"


def twenty() -> LawInForce:
    """Return the twenty conditions as the law of a day."""
    start = date(2026, 1, 1)
    values = {
        "a1_tpp": A1_TPP, "a2_tpp": A2_TPP, "b1_tpp": B1_TPP, "a2_density": A2_DENSITY, "b2_density": B2_DENSITY,
        "b1_density": B1_DENSITY, "limit_tpp": LIMIT_TPP, "limit_dram": LIMIT_DRAM, "cap": CAP,
        "notice_days": NOTICE_DAYS, "d5": frozenset(D5),
    }  # fmt: skip
    parameters = {
        name: Parameter(name, name, name, (DatedValue(start, value, "text"),)) for name, value in values.items()
    }
    text = Instrument("text", "twenty conditions", "二十项条件", "rule", start, "measured only")
    pack = Pack("twenty", "Twenty", "二十", "-", "", {"text": text}, parameters, rules.provisions, rules.questions, ())
    return Law((pack,)).at(start)
