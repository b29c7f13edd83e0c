"""The importing state's reported guidance on foreign AI chips. Almost none of it is a published text."""

from twokey.law.engine.define import Rulebook

rules = Rulebook("cn-import")


@rules.provision("foreign chip", "cn-scope")
def foreign(order, law):
    """The chip, or the chip that the computer contains, is foreign."""
    return order.item.origin == "foreign"


@rules.provision("an H200", "cn-scope")
def is_h200(order, law):
    """A foreign chip of the H200 family."""
    return foreign(order, law) and order.item.family in law.h200_family


@rules.provision("CN-005 and CN-007", "CN-005")
def h20_discouraged(order, law):
    """H20: the largest firms were told to halt new orders; from 2025-08-12 notices to state and private firms."""
    return foreign(order, law) and order.item.family in law.discouraged_families


@rules.provision("CN-009", "CN-009")
def nvidia_discouraged(order, law):
    """Firms were asked to stop buying all chips of the maker; the H200 has had guidance of its own since 2025-12-09."""
    return foreign(order, law) and order.item.maker in law.discouraged_makers and not is_h200(order, law)


@rules.provision("CN-011 and CN-045", "CN-011")
def not_to_be_bought(order, law):
    """RTX PRO 6000D: stop testing, cancel orders; RTX 5090D V2 (from 2026-05-15): import permits halted."""
    return foreign(order, law) and order.item.family in law.refused_families


@rules.provision("CN-022", "CN-022", until="2026-01-13")
def h200_paused(order, law):
    """Some firms were told to pause H200 orders while the government decides."""
    return is_h200(order, law)


@rules.provision("CN-023", "CN-023")
def excluded_buyer(order, law):
    """Military, sensitive government, critical infrastructure, state-owned: barred; requests reviewed case by case."""
    return is_h200(order, law) and order.buyer.kind in law.excluded_buyers


@rules.provision("CN-024", "CN-024", until="2026-01-28")
def special_circumstances(order, law):
    """A university research laboratory with a necessary use: special circumstances."""
    return is_h200(order, law) and order.buyer.kind == "university_lab" and order.end_use.necessary


@rules.provision("CN-025", "CN-025", until="2026-01-28")
def refused_at_customs(order, law):
    """Customs agents were told that the H200 is not permitted to enter."""
    return is_h200(order, law)


@rules.provision("CN-029: necessary and documented", "CN-029")
def necessary_and_documented(order, law):
    """An officer has judged the use necessary, and documents explain the intended use."""
    return order.end_use.necessary and order.application.use_documents


@rules.provision("CN-029: approval", "CN-029", until="2026-08-18")
def approved_2026_01(order, law):
    """First approvals: for necessary uses that are explained in documents, with conditions."""
    return is_h200(order, law) and necessary_and_documented(order, law)


@rules.provision("CN-049 and CN-050", "CN-049")
def order_by_order(order, law):
    """NDRC clears each order by itself."""
    return is_h200(order, law) and necessary_and_documented(order, law)


@rules.provision("CN-029: refusal", "CN-029")
def not_necessary(order, law):
    """An H200 whose use is not judged necessary, or for which no documents are filed, gets no approval."""
    return is_h200(order, law) and not necessary_and_documented(order, law)


@rules.provision("CN-014: no foreign chips", "CN-014")
def barred_from_state_data_centre(order, law):
    """A data centre with state funds that is under 30 percent complete: remove foreign chips, cancel orders."""
    return order.site.state_funded and foreign(order, law) and order.site.completion < law.state_data_centre_completion


@rules.provision("CN-014: further along", "CN-014")
def state_data_centre_further_along(order, law):
    """Such a data centre that is further along: case by case."""
    return order.site.state_funded and foreign(order, law) and order.site.completion >= law.state_data_centre_completion


@rules.provision("CN-014: domestic chips", "CN-014")
def domestic_in_state_data_centre(order, law):
    """Domestic chips in a data centre with state funds."""
    return order.site.state_funded and order.item.origin == "domestic"


@rules.provision("CN-049: outside the mainland", "CN-049")
def outside_mainland(order, law):
    """Run outside the mainland, Hong Kong included: where most of each firm's allotment must stay."""
    return is_h200(order, law) and (order.site.location == "hong_kong" or order.site.location == "abroad")


@rules.provision("CN-049: in the mainland", "CN-049")
def in_mainland(order, law):
    """Run in the mainland: small numbers, order by order."""
    return is_h200(order, law) and order.site.location == "mainland"


@rules.provision("CN-049: observed allotment", "CN-049", condition=True)
def within_observed_allotment(order, law):
    """The quantity is within what each of two firms was seen to receive in the mainland; no limit was published."""
    return order.item.quantity <= law.observed_mainland_allotment


@rules.question()
def import_permission(order, law):
    """What does the reported guidance say of importing this chip?"""
    if order.item.origin == "domestic":
        return "no_restriction_known"
    if not_to_be_bought(order, law):
        return "not_permitted"
    if special_circumstances(order, law):
        return "special_circumstances"
    if refused_at_customs(order, law):
        return "not_permitted"
    if excluded_buyer(order, law):
        return "case_by_case"
    if h200_paused(order, law):
        return "discouraged"
    if approved_2026_01(order, law):
        return "approved_with_conditions"
    if order_by_order(order, law):
        return "case_by_case"
    if not_necessary(order, law):
        return "not_permitted"
    if h20_discouraged(order, law) or nvidia_discouraged(order, law):
        return "discouraged"
    return "no_restriction_known"


@rules.question()
def state_funded_data_centre(order, law):
    """May the chip be used in a data centre with state funds?"""
    if domestic_in_state_data_centre(order, law):
        return "permitted"
    if barred_from_state_data_centre(order, law):
        return "not_permitted"
    if state_data_centre_further_along(order, law):
        return "case_by_case"
    return "no_restriction_known"


@rules.question()
def mainland_location(order, law):
    """Where may the chip be run?"""
    if outside_mainland(order, law):
        return "permitted_outside_mainland"
    if in_mainland(order, law):
        return "case_by_case"
    return "no_restriction_known"
