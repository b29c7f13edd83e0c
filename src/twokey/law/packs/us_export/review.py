"""The policy under which a licence application is reviewed, by period: 742.6(b)(10) and 744.23(d)."""

from twokey.law.packs.us_export.eccn_4a090 import specified_datacenter_a
from twokey.law.packs.us_export.january_2026 import case_by_case_2026
from twokey.law.packs.us_export.parties import barred_party, supercomputer_end_use
from twokey.law.packs.us_export.places import (
    headquartered_in_d5_or_macau,
    headquartered_with_allies,
    to_d5_or_macau,
)
from twokey.law.packs.us_export.requirement import (
    licence_needed_enforced,
    requirement_2022,
    requirement_by_destination,
    requirement_by_headquarters,
)
from twokey.law.packs.us_export.rules import rules


@rules.provision("742.6(b)(10) (2022): allied end users", "us-2022-ac", until="2023-11-17")
def case_by_case_2022(order, law):
    """An end user headquartered in the United States, A:5 or A:6 is reviewed case by case."""
    return requirement_2022(order, law) and headquartered_with_allies(order, law)


@rules.provision("742.6(b)(10) (2022)", "us-2022-ac", until="2023-11-17")
def denial_2022(order, law):
    """Any other application under the 2022 text: presumption of denial."""
    return requirement_2022(order, law)


@rules.provision("review under 742.6(b)(10) and 744.23(d)", "us-2023-ac")
def reviewed_for_region(order, law):
    """The licence is required for regional stability, by destination or by headquarters."""
    return requirement_by_destination(order, law) or requirement_by_headquarters(order, law)


@rules.provision("744.23(d)(3)(i)", "us-2024-corrections")
def case_by_case_elsewhere(order, law):
    """Items other than datacenter .a items, to a party of Macau or D:5 that is located elsewhere: case by case."""
    return (
        reviewed_for_region(order, law)
        and not specified_datacenter_a(order, law)
        and not to_d5_or_macau(order, law)
        and headquartered_in_d5_or_macau(order, law)
    )


@rules.provision("742.6(b)(10)(ii) against 744.23(d)(3)(i)", "us-2024-corrections")
def unsettled_in_d5(order, law):
    """Such items to Macau or D:5 itself: the two texts meet here and how was not settled; ask counsel."""
    return reviewed_for_region(order, law) and not specified_datacenter_a(order, law) and to_d5_or_macau(order, law)


@rules.provision("742.6(b)(10)(ii) against 744.23(d)(2)", "us-2024-corrections")
def unsettled_allied_in_d5(order, law):
    """An allied end user in Macau or D:5: one text presumes denial, the other approval; ask counsel."""
    return reviewed_for_region(order, law) and to_d5_or_macau(order, law) and headquartered_with_allies(order, law)


@rules.provision("742.6(b)(10)(ii): denial", "us-2023-ac")
def denial(order, law):
    """To Macau or D:5, or to a party headquartered or parented there: presumption of denial."""
    return reviewed_for_region(order, law) and (to_d5_or_macau(order, law) or headquartered_in_d5_or_macau(order, law))


@rules.provision("742.6(b)(10)(ii): approval", "us-2023-ac")
def approval(order, law):
    """To another destination of the requirement, and no party of Macau or D:5: presumption of approval."""
    return reviewed_for_region(order, law)


@rules.provision("reviewed case by case", "us-2022-ac")
def policy_case_by_case(order, law):
    """One of the texts in force has the application reviewed case by case."""
    return (
        case_by_case_2022(order, law)
        or (reviewed_for_region(order, law) and case_by_case_2026(order, law))
        or case_by_case_elsewhere(order, law)
    )


@rules.provision("review not settled", "us-2024-corrections")
def policy_unsettled(order, law):
    """Two texts meet and how was not settled."""
    return unsettled_in_d5(order, law) or unsettled_allied_in_d5(order, law)


@rules.provision("presumption of denial", "us-2022-ac")
def policy_denial(order, law):
    """The text in force presumes denial."""
    return denial_2022(order, law) or denial(order, law)


@rules.question()
def review_policy(order, law):
    """Under which policy is the application reviewed?"""
    if barred_party(order, law) or supercomputer_end_use(order, law):
        return "needs_information"
    if policy_case_by_case(order, law):
        return "case_by_case"
    if policy_unsettled(order, law):
        return "needs_information"
    if policy_denial(order, law):
        return "presumption_of_denial"
    if approval(order, law):
        return "presumption_of_approval"
    if licence_needed_enforced(order, law):
        return "needs_information"
    return "not_applicable"
