"""The January 2026 rule: who may be reviewed case by case, and each certification that the application must carry.

Supplement No. 2 to Part 748 paragraph (dd) was not seen in full. Elements (vii)(1) and (dd)(2) are not encoded for that
reason; what is encoded from readers of the text rests on the instrument `us-2026-review-secondary`.
"""

from twokey.law.packs.us_export.rules import rules

SECONDARY = "us-2026-review-secondary"


@rules.provision("742.6(b)(10)(iii): available at publication", "us-2026-review")
def available_at_publication(order, law):
    """Commercially available in the United States when the rule was published."""
    return order.item.us_commercial_since <= law.review_publication


@rules.provision("742.6(b)(10)(iii): one circuit", "us-2026-review")
def eligible_circuit(order, law):
    """A TPP of less than 21,000, a total DRAM bandwidth of less than 6,500 GB/s, and available at publication."""
    return (
        order.item.tpp < law.review_tpp
        and order.item.dram_bandwidth_gbs < law.review_dram_bandwidth
        and available_at_publication(order, law)
    )


@rules.provision("742.6(b)(10)(iii): one circuit outside", "us-2026-review")
def ineligible_circuit(order, law):
    """Not such a circuit."""
    return not eligible_circuit(order, law)


@rules.provision("742.6(b)(10)(iii): item", "us-2026-review")
def eligible_item(order, law):
    """Such a circuit, or a computer that contains no other."""
    return (order.item.kind == "ic" and eligible_circuit(order, law)) or (
        order.item.kind == "computer" and not any(ineligible_circuit(ic, law) for ic in order.item.contains)
    )


@rules.provision("742.6(b)(10)(iii): movement", "us-2026-review")
def from_us_to_china(order, law):
    """An export from the United States to China or Macau, for an end user there."""
    return (
        order.movement.kind == "export"
        and order.movement.origin == "US"
        and order.movement.destination in law.china_and_macau
        and order.consignee.country in law.china_and_macau
    )


@rules.provision("748 Supp. 2 (dd)(1): parameters", SECONDARY)
def certified_parameters(order, law):
    """The applicant certifies performance below the limits and commercial availability."""
    return order.certifications.parameters


@rules.provision("748 Supp. 2 (dd)(1): shipments to date", SECONDARY)
def stated_us_shipments(order, law):
    """The applicant states the units shipped in the United States to date."""
    return order.certifications.us_shipments_stated


@rules.provision("748 Supp. 2 (dd)(1): supply", "us-2026-review")
def certified_us_supply(order, law):
    """Supply in the United States is sufficient and no order of a customer there is delayed."""
    return order.certifications.us_supply


@rules.provision("748 Supp. 2 (dd)(1): foundry capacity", "us-2026-review")
def certified_foundry_capacity(order, law):
    """No foundry capacity for similar or better products for United States end users is diverted."""
    return order.certifications.foundry_capacity


@rules.provision("748 Supp. 2 (dd)(1)(iii)", SECONDARY)
def within_volume_cap(order, law):
    """TPP to China and Macau is at most half of the TPP shipped to United States customers, same product."""
    return order.aggregate.china_to_us_tpp_ratio <= law.volume_cap


@rules.provision("748 Supp. 2 (dd)(1)(iii): window", SECONDARY)
def volume_cap_window_chosen(order, law):
    """A person has chosen the window over which the ratio is counted; the text that sets it was not seen."""
    return order.aggregate.window in law.volume_cap_windows


@rules.provision("748 Supp. 2 (dd)(1)(iii): certified", SECONDARY)
def certified_volume_cap(order, law):
    """The applicant certifies the cap, and the ratio over the chosen window keeps it."""
    return order.certifications.volume_cap and within_volume_cap(order, law) and volume_cap_window_chosen(order, law)


@rules.provision("748 Supp. 2 (dd)(1)(iv): a remote user", SECONDARY)
def remote_user_named(order, law):
    """A remote user is located, headquartered or parented in one of eight jurisdictions."""
    return (
        order.remote_user.country in law.remote_user_jurisdictions
        or order.remote_user.hq in law.remote_user_jurisdictions
        or order.remote_user.parent_hq in law.remote_user_jurisdictions
    )


@rules.provision("748 Supp. 2 (dd)(1)(iv)", SECONDARY)
def disclosed_remote_users(order, law):
    """Remote end users of the named jurisdictions are disclosed."""
    return order.certifications.remote_users


@rules.provision("748 Supp. 2 (dd)(1): prohibited uses", SECONDARY)
def certified_prohibited_uses(order, law):
    """No military, military-intelligence or weapons end use or user."""
    return order.certifications.prohibited_uses


@rules.provision("748 Supp. 2 (dd)(1): know your customer", SECONDARY, condition=True)
def certified_kyc(order, law):
    """The ultimate consignee screens its users rigorously and prevents unauthorised remote access."""
    return order.certifications.kyc


@rules.provision("748 Supp. 2 (dd): security procedures", "us-2026-review", condition=True)
def shown_security_procedures(order, law):
    """The recipient has demonstrated sufficient security procedures; their detail was not seen."""
    return order.certifications.security_procedures


@rules.provision("748 Supp. 2 (dd)(1)(vii)(2)", SECONDARY, condition=True)
def certified_model_weights(order, law):
    """A provider of infrastructure does not transfer trained model weights to an end user who is not disclosed."""
    return not order.consignee.iaas_provider or order.certifications.iaas_model_weights


@rules.provision("748 Supp. 2 (dd)(1)(vii)(3)", SECONDARY, condition=True)
def certified_algorithms(order, law):
    """A provider of infrastructure gives the named jurisdictions no remote access to algorithms trained on the item."""
    return not order.consignee.iaas_provider or order.certifications.iaas_algorithms


@rules.provision("748 Supp. 2 (dd)(3): the laboratory", SECONDARY)
def qualified_laboratory(order, law):
    """Headquartered and testing in the United States, independent, and reviewing every shipment."""
    return (
        order.laboratory.hq == "US"
        and order.laboratory.country in law.customs_territory
        and not order.laboratory.d5_or_macau_control
        and not order.laboratory.financial_interest
        and order.laboratory.every_shipment
    )


@rules.provision("748 Supp. 2 (dd)(3)", SECONDARY, condition=True)
def certified_laboratory(order, law):
    """A qualified laboratory, whose standing BIS has not withdrawn, certifies the stated performance."""
    return (
        order.certifications.laboratory and qualified_laboratory(order, law) and not order.laboratory.standing_withdrawn
    )


@rules.provision("748 Supp. 2 (dd)", "us-2026-review", asserted_by="certifications.complete")
def every_certification(order, law):
    """Every certification is made and evidenced."""
    return (
        certified_parameters(order, law)
        and stated_us_shipments(order, law)
        and certified_us_supply(order, law)
        and certified_foundry_capacity(order, law)
        and certified_volume_cap(order, law)
        and disclosed_remote_users(order, law)
        and certified_prohibited_uses(order, law)
        and certified_kyc(order, law)
        and shown_security_procedures(order, law)
        and certified_model_weights(order, law)
        and certified_algorithms(order, law)
        and certified_laboratory(order, law)
    )


@rules.provision("742.6(b)(10)(iii)(A)(1)", "us-2026-review")
def case_by_case_2026(order, law):
    """An eligible item, exported from the United States to China or Macau, with every certification."""
    return eligible_item(order, law) and from_us_to_china(order, law) and every_certification(order, law)


@rules.question()
def commercially_available_at_publication(order, law):
    """Was the item commercially available in the United States when the January 2026 rule was published?"""
    if available_at_publication(order, law):
        return "yes"
    return "no"


@rules.question()
def china_volume_cap(order, law):
    """Is the ratio of TPP within the cap?"""
    if within_volume_cap(order, law):
        return "pass"
    return "fail"


@rules.question()
def laboratory(order, law):
    """Does the laboratory qualify?"""
    if qualified_laboratory(order, law):
        return "pass"
    return "fail"


@rules.question()
def remote_user_disclosure(order, law):
    """Must the remote user be disclosed?"""
    if remote_user_named(order, law):
        return "yes"
    return "no"
