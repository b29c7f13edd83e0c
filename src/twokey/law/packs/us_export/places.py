"""Where the order goes and where its parties have their headquarters: country groups of 15 CFR 740 Supp. 1."""

from twokey.law.packs.us_export.rules import rules


@rules.provision("Macau or D:5 (destination)", "country-groups")
def to_d5_or_macau(order, law):
    """The destination is Macau or in country group D:5; Hong Kong counts as China."""
    return order.movement.destination in law.group_d5_and_macau


@rules.provision("Macau or D:5 (headquarters)", "country-groups")
def headquartered_in_d5_or_macau(order, law):
    """The party, or its ultimate parent, is headquartered in Macau or D:5."""
    return order.consignee.hq in law.group_d5_and_macau or order.consignee.parent_hq in law.group_d5_and_macau


@rules.provision("742.6(a)(6)(iii) destinations", "us-2023-ac")
def to_listed_group(order, law):
    """The destination is in D:1, D:4 or D:5 or Macau and not also in A:5 or A:6, or is named in the text."""
    return order.movement.destination in law.named_destinations or (
        (
            order.movement.destination in law.group_d1
            or order.movement.destination in law.group_d4
            or order.movement.destination in law.group_d5_and_macau
        )
        and order.movement.destination not in law.groups_a5_a6
    )


@rules.provision("outside the United States", "country-groups")
def leaves_the_united_states(order, law):
    """The destination is not the United States."""
    return order.movement.destination != "US"


@rules.provision("allied headquarters", "country-groups")
def headquartered_with_allies(order, law):
    """The end user is headquartered in the United States, A:5 or A:6, and no parent is in Macau or D:5."""
    return (
        order.consignee.hq == "US" or order.consignee.hq in law.groups_a5_a6
    ) and order.consignee.parent_hq not in law.group_d5_and_macau
