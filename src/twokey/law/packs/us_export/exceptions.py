"""Licence exceptions that are left for these items: NAC and ACA (740.8) and HBM (740.25)."""

from twokey.law.packs.us_export.eccn_4a090 import specified, specified_datacenter_a
from twokey.law.packs.us_export.letters import informed_by_letter
from twokey.law.packs.us_export.parties import barred_party, supercomputer_end_use
from twokey.law.packs.us_export.places import (
    headquartered_in_d5_or_macau,
    leaves_the_united_states,
    to_d5_or_macau,
    to_listed_group,
)
from twokey.law.packs.us_export.rules import rules


@rules.provision("740.8 items", "us-2023-ac")
def nac_item(order, law):
    """An item of 3A090 or 4A090 that is not a datacenter item of .a; never 3A090.c."""
    return specified(order, law) and not specified_datacenter_a(order, law)


@rules.provision("740.8(b)", "us-2023-ac")
def exception_barred(order, law):
    """No exception where part 744 needs a licence on its own ground: a party, an end use, or a letter."""
    return barred_party(order, law) or supercomputer_end_use(order, law) or informed_by_letter(order, law)


@rules.provision("740.8 NAC (2023)", "us-2023-ac", until="2024-04-04")
def nac_2023(order, law):
    """NAC before the split: every destination of the requirement."""
    return nac_item(order, law) and (
        to_listed_group(order, law)
        or (leaves_the_united_states(order, law) and headquartered_in_d5_or_macau(order, law))
    )


@rules.provision("740.8(a)(1) NAC", "us-2024-corrections")
def nac(order, law):
    """NAC: to Macau or D:5, and to parties headquartered or parented there."""
    return nac_item(order, law) and (
        to_d5_or_macau(order, law)
        or (leaves_the_united_states(order, law) and headquartered_in_d5_or_macau(order, law))
    )


@rules.provision("740.8(a)(2) ACA", "us-2024-corrections")
def aca(order, law):
    """ACA: to the other destinations of the requirement, for parties not headquartered in Macau or D:5."""
    return (
        nac_item(order, law)
        and to_listed_group(order, law)
        and not to_d5_or_macau(order, law)
        and not headquartered_in_d5_or_macau(order, law)
    )


@rules.provision("740.8(a)(2) ACA, transfers", "us-2024-corrections")
def aca_transfer(order, law):
    """ACA also covers a transfer within Macau or D:5; a notification is not needed for it."""
    return nac_item(order, law) and order.movement.kind == "transfer" and to_d5_or_macau(order, law)


@rules.provision("740.8(c)", "us-2023-ac", condition=True)
def nac_notified(order, law):
    """NAC may be used 25 calendar days after the notification in SNAP-R."""
    return order.notification.days_elapsed >= law.nac_days


@rules.provision("740.8 purchase order", "us-2023-ac", condition=True)
def written_purchase_order(order, law):
    """A written purchase order was received before shipment."""
    return order.purchase_order.written


@rules.provision("740.25", "us-2024-hbm")
def hbm_exception(order, law):
    """Licence exception HBM: a memory bandwidth density of less than 3.3; other conditions were not read in full."""
    return order.item.memory_bandwidth_density < law.hbm_exception_density


@rules.provision("740.8 open", "us-2023-ac")
def exception_open(order, law):
    """NAC or ACA is open to the order."""
    return not exception_barred(order, law) and (nac_2023(order, law) or nac(order, law) or aca(order, law))


@rules.question()
def exception_nac_aca(order, law):
    """Is licence exception NAC or ACA open, for an export or a reexport?"""
    if exception_barred(order, law):
        return "none"
    if nac_2023(order, law) or nac(order, law):
        return "NAC"
    if aca(order, law):
        return "ACA"
    return "none"


@rules.question()
def nac_waiting_period(order, law):
    """Has the waiting period of NAC passed?"""
    if nac_notified(order, law):
        return "authorised"
    return "not_authorised"


@rules.question()
def exception_hbm_density(order, law):
    """Is the density of the memory low enough for licence exception HBM?"""
    if hbm_exception(order, law):
        return "eligible"
    return "not_eligible"
