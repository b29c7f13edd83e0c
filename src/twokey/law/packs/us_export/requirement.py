"""Whether a licence is required: as printed, and as enforced where the two differ."""

from twokey.law.packs.us_export.eccn_3a090 import high_bandwidth_memory
from twokey.law.packs.us_export.eccn_4a090 import specified, specified_a, specified_original
from twokey.law.packs.us_export.letters import informed_by_letter
from twokey.law.packs.us_export.parties import affiliate_to_confirm, barred_party, supercomputer_end_use
from twokey.law.packs.us_export.places import (
    headquartered_in_d5_or_macau,
    leaves_the_united_states,
    to_d5_or_macau,
    to_listed_group,
)
from twokey.law.packs.us_export.rules import rules


@rules.provision("742.6(a)(6) (2022)", "us-2022-ac", until="2023-11-17")
def requirement_2022(order, law):
    """An item of the 2022 text to China, and from 2023-01-17 to Macau."""
    return specified_original(order, law) and order.movement.destination in law.destinations_2022


@rules.provision("742.6(a)(6)(iii)", "us-2023-ac")
def requirement_by_destination(order, law):
    """An item of 3A090 or 4A090 to a destination of D:1, D:4 or D:5 that is not in A:5 or A:6."""
    return specified(order, law) and to_listed_group(order, law)


@rules.provision("744.23(a)(3)", "us-2023-ac")
def requirement_by_headquarters(order, law):
    """The same items to any destination outside the United States where a party or its parent is in Macau or D:5."""
    return specified(order, law) and leaves_the_united_states(order, law) and headquartered_in_d5_or_macau(order, law)


@rules.provision("742.6(a)(6)(i)(B)", "us-2024-hbm", since="2024-12-31")
def requirement_hbm(order, law):
    """High-bandwidth memory to Macau or D:5."""
    return high_bandwidth_memory(order, law) and to_d5_or_macau(order, law)


@rules.provision("742.6(a)(6)(iii)(A) as printed", "us-2025-diffusion", since="2025-05-15")
def requirement_worldwide(order, law):
    """An item of .a to any destination in the world: printed since January 2025, not enforced since 2025-05-13."""
    return specified_a(order, law) and leaves_the_united_states(order, law)


@rules.provision("regional stability, as enforced", "us-2022-ac")
def requirement_enforced(order, law):
    """A licence is required for the item by its destination or by headquarters, as the rule is enforced."""
    return (
        requirement_2022(order, law)
        or requirement_by_destination(order, law)
        or requirement_by_headquarters(order, law)
        or requirement_hbm(order, law)
    )


@rules.provision("licence required, as enforced", "ear-standing")
def licence_needed_enforced(order, law):
    """A licence is required: by item and place, by a party, by end use, or by letter."""
    return (
        requirement_enforced(order, law)
        or barred_party(order, law)
        or supercomputer_end_use(order, law)
        or informed_by_letter(order, law)
    )


@rules.question()
def licence_required(order, law):
    """Is a licence required, by the text as printed?"""
    if licence_needed_enforced(order, law) or requirement_worldwide(order, law):
        return "yes"
    if affiliate_to_confirm(order, law):
        return "needs_information"
    return "no"


@rules.question()
def licence_required_as_enforced(order, law):
    """Is a licence required, as the rules are enforced?"""
    if licence_needed_enforced(order, law):
        return "yes"
    if affiliate_to_confirm(order, law):
        return "needs_information"
    return "no"
