"""The export key at a glance: the way on which the order can leave, as the rules are enforced."""

from twokey.law.packs.us_export.exceptions import aca_transfer, exception_barred, exception_open
from twokey.law.packs.us_export.foundry import presumed_a
from twokey.law.packs.us_export.parties import affiliate_to_confirm, barred_party, supercomputer_end_use
from twokey.law.packs.us_export.requirement import licence_needed_enforced
from twokey.law.packs.us_export.review import (
    approval,
    policy_case_by_case,
    policy_denial,
    policy_unsettled,
)
from twokey.law.packs.us_export.rules import rules


@rules.provision("734.3, 734.9(h)", "ear-standing")
def outside_the_ear(order, law):
    """Neither in the United States nor foreign-made under the advanced-computing foreign direct product rule."""
    return order.movement.origin != "US" and not order.item.subject_to_ear


@rules.provision("General Prohibition 10", "bis-2025-05")
def prohibition_10_guidance(order, law):
    """BIS guidance holds that these chips were likely made in violation, and that dealing in them risks one."""
    return order.item.family in law.gp10_families


@rules.question()
def export_route(order, law):
    """How can the order leave?"""
    if prohibition_10_guidance(order, law):
        return "general_prohibition_10"
    if outside_the_ear(order, law):
        return "not_subject"
    if barred_party(order, law) or supercomputer_end_use(order, law):
        return "listed_party"
    if affiliate_to_confirm(order, law):
        return "needs_confirmation"
    if exception_open(order, law) or (aca_transfer(order, law) and not exception_barred(order, law)):
        return "exception"
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
    if presumed_a(order, law):
        return "foundry_presumption"
    return "no_licence"
