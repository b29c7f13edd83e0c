"""Parties and end uses that need a licence on a ground of their own: 15 CFR 744."""

from twokey.law.packs.us_export.rules import rules


@rules.provision("744.11", "ear-standing")
def entity_list(order, law):
    """A party is on the Entity List."""
    return order.consignee.entity_list


@rules.provision("744.21", "ear-standing")
def military_end_user(order, law):
    """A party is a military end user."""
    return order.consignee.military_end_user


@rules.provision("744.2-744.4, 744.22", "ear-standing")
def prohibited_end_use(order, law):
    """The end use is military, military-intelligence, or for weapons of mass destruction."""
    return order.end_use.prohibited


@rules.provision("744.23(a)(1)", "us-2022-ac")
def supercomputer_end_use(order, law):
    """The end use is a supercomputer in Macau or D:5; this reaches chips below 3A090."""
    return order.end_use.supercomputer


@rules.provision("744.15", "ear-standing")
def unverified_list(order, law):
    """A party is on the Unverified List: no licence exception, and a statement before any shipment without licence."""
    return order.consignee.unverified_list


@rules.provision("744.11(a)(1) affiliates", "us-2025-affiliates", until="2025-11-10")
def affiliate_of_listed(order, law):
    """Owned 50 percent or more, in aggregate, by listed parties."""
    return order.consignee.listed_owner_share >= law.affiliate_share


@rules.provision("744.11(a)(1) affiliates, after the stay", "us-2025-affiliates", since="2026-11-10")
def affiliate_to_confirm(order, law):
    """As above; the stay was to end on 2026-11-09 and no extension was found, so a person must confirm."""
    return order.consignee.listed_owner_share >= law.affiliate_share


@rules.provision("744, own ground", "ear-standing")
def barred_party(order, law):
    """A party is listed, or owned by listed parties, or the end use is barred: part 744 asks for a licence."""
    return (
        entity_list(order, law)
        or military_end_user(order, law)
        or prohibited_end_use(order, law)
        or affiliate_of_listed(order, law)
    )


@rules.question()
def affiliates_rule(order, law):
    """Does the affiliates rule extend a listing to this party?"""
    if affiliate_of_listed(order, law):
        return "yes"
    if affiliate_to_confirm(order, law):
        return "needs_confirmation"
    return "no"
