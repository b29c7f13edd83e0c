"""Foundry due diligence: Note 1 to 3A090.a. The presumption binds fabricators and packagers only."""

from twokey.law.packs.us_export.rules import rules


@rules.provision("Note 1 to 3A090.a: designer", "us-2025-foundry")
def approved_designer(order, law):
    """An approved designer attests a TPP and a performance density below 3A090.a."""
    return order.designer.status == "approved" and order.designer.datasheet_below


@rules.provision("Note 1 to 3A090.a: authorized designer until 2026", "us-2025-foundry", until="2027-01-01")
def authorized_designer(order, law):
    """An authorized designer attests a TPP and a performance density below 3A090.a."""
    return order.designer.status == "authorized" and order.designer.datasheet_below


@rules.provision("Note 1 to 3A090.a: authorized designer from 2027", "us-2025-foundry", since="2027-01-01")
def authorized_designer_applied(order, law):
    """As above, but only for 180 days after the designer has applied to be approved."""
    return (
        order.designer.status == "authorized"
        and order.designer.datasheet_below
        and order.designer.applied
        and order.designer.days_since_applied <= law.foundry_designer_days
    )


@rules.provision("Note 1 to 3A090.a: transistor count", "us-2025-foundry")
def few_transistors(order, law):
    """Packaged by the fabricator outside Macau and D:5 or by an approved OSAT, which attests fewer than 30 billion."""
    return (
        (order.packager.kind == "fabricator_outside" or order.packager.kind == "approved_osat")
        and order.packager.count_attested
        and order.item.transistors_billion < law.foundry_transistors
    )


@rules.provision("Note 1 to 3A090.a: transistor count without HBM", "us-2025-foundry", since="2027-01-01")
def few_transistors_without_hbm(order, law):
    """As above without high-bandwidth memory: fewer than 35 billion, from 2029 fewer than 40 billion."""
    return (
        (order.packager.kind == "fabricator_outside" or order.packager.kind == "approved_osat")
        and order.packager.count_attested
        and not order.item.has_hbm
        and order.item.transistors_billion < law.foundry_transistors_no_hbm
    )


@rules.provision("Note 1 to 3A090.a", "us-2025-foundry", since="2025-01-31")
def presumed_a(order, law):
    """A fabricator or OSAT ships an applicable advanced logic circuit and has not overcome the presumption."""
    return (
        (order.exporter.kind == "fabricator" or order.exporter.kind == "osat")
        and order.item.advanced_logic
        and not (
            approved_designer(order, law)
            or authorized_designer(order, law)
            or authorized_designer_applied(order, law)
            or few_transistors(order, law)
            or few_transistors_without_hbm(order, law)
        )
    )


@rules.question()
def foundry_presumption(order, law):
    """Is the circuit presumed to be 3A090.a when its fabricator or packager ships it?"""
    if presumed_a(order, law):
        return "yes"
    return "no"
