"""ECCN 4A090, computers and assemblies that contain such circuits, the .z paragraphs, and the classification."""

from twokey.law.packs.us_export.eccn_3a090 import (
    consumer_note,
    datacenter_a,
    high_bandwidth_memory,
    high_performance,
    in_a,
    in_b,
    meets_original,
    next_tier,
    next_tier_dense,
    performance_dense,
)
from twokey.law.packs.us_export.rules import rules


@rules.provision("4A090 (2022)", "us-2022-ac", until="2023-11-17")
def computer_original(order, law):
    """A computer or assembly that contains a circuit of the 2022 text of 3A090."""
    return order.item.kind == "computer" and any(meets_original(ic, law) for ic in order.item.contains)


@rules.provision("4A090.a", "us-2023-ac")
def computer_a(order, law):
    """A computer, electronic assembly or component that contains a circuit of 3A090.a; one is enough."""
    return order.item.kind == "computer" and any(in_a(ic, law) for ic in order.item.contains)


@rules.provision("4A090.b", "us-2023-ac")
def computer_b(order, law):
    """A computer, electronic assembly or component that contains a circuit of 3A090.b and none of .a."""
    return (
        order.item.kind == "computer"
        and any(in_b(ic, law) for ic in order.item.contains)
        and not any(in_a(ic, law) for ic in order.item.contains)
    )


@rules.provision("3A090 or 4A090 (2022)", "us-2022-ac", until="2023-11-17")
def specified_original(order, law):
    """Specified by the 2022 text of 3A090, or of 4A090."""
    return (order.item.kind == "ic" and meets_original(order, law)) or computer_original(order, law)


@rules.provision("3A090.a or 4A090.a", "us-2023-ac")
def specified_a(order, law):
    """Specified by 3A090.a, or by 4A090.a."""
    return (order.item.kind == "ic" and in_a(order, law)) or computer_a(order, law)


@rules.provision("3A090.b or 4A090.b", "us-2023-ac")
def specified_b(order, law):
    """Specified by 3A090.b, or by 4A090.b."""
    return (order.item.kind == "ic" and in_b(order, law)) or computer_b(order, law)


@rules.provision("3A090.a or 4A090.a for datacenters", "us-2023-ac")
def specified_datacenter_a(order, law):
    """Specified by .a, and designed or marketed for datacenters (a computer: by a circuit that it contains)."""
    return (order.item.kind == "ic" and datacenter_a(order, law)) or (
        order.item.kind == "computer" and any(datacenter_a(ic, law) for ic in order.item.contains)
    )


@rules.provision("3A090 or 4A090", "us-2023-ac")
def specified(order, law):
    """Specified by 3A090.a or .b, or by 4A090.a or .b."""
    return specified_a(order, law) or specified_b(order, law)


@rules.provision(".z paragraphs", "us-2023-ac")
def z_paragraph(order, law):
    """Specified elsewhere by an ECCN with a .z paragraph, and meets 3A090 or 4A090 as well."""
    return order.item.base_eccn in law.z_eccns and specified(order, law)


@rules.question()
def classification(order, law):
    """Which paragraph of 3A090 or 4A090 specifies the item?"""
    if order.item.kind == "hbm" and high_bandwidth_memory(order, law):
        return "3A090.c"
    if order.item.kind == "hbm":
        return "not_3A090"
    if computer_original(order, law):
        return "4A090"
    if computer_a(order, law):
        return "4A090.a"
    if computer_b(order, law):
        return "4A090.b"
    if order.item.kind == "computer":
        return "not_4A090"
    if meets_original(order, law):
        return "3A090"
    if consumer_note(order, law):
        return "not_3A090"
    if high_performance(order, law):
        return "3A090.a.1"
    if performance_dense(order, law):
        return "3A090.a.2"
    if next_tier(order, law):
        return "3A090.b.1"
    if next_tier_dense(order, law):
        return "3A090.b.2"
    return "not_3A090"


@rules.question()
def z_classification(order, law):
    """Does a .z paragraph of the ECCN that specifies the item elsewhere apply?"""
    if z_paragraph(order, law):
        return "yes"
    return "no"


@rules.question()
def tpp(order, law):
    """What is the total processing performance? (Technical Notes 1 and 2 to 3A090)"""
    return order.item.tpp


@rules.question()
def performance_density(order, law):
    """What is the performance density? (Technical Note 4 to 3A090)"""
    return order.item.performance_density
