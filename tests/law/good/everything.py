"""Everything that the provisions' Python allows, once."""

from twokey.law.engine.define import Rulebook

rules = Rulebook("good")


@rules.provision("1", "x")
def facts_and_words(order, law):
    """A flag, words, membership and their negations."""
    return (
        order.item.datacenter
        and (order.item.kind == "ic" or order.item.kind != "hbm")
        and not (order.movement.destination in law.group or order.consignee.hq not in law.group)
    )


@rules.provision("2", "x")
def numbers(order, law):
    """Each comparison, a chain, and arithmetic."""
    return (
        law.low <= order.item.tpp < law.high
        or order.item.tpp > law.low
        or order.item.dram_bandwidth_gbs + order.item.transfer_rate_gbs - law.low * law.high >= law.high
    )


@rules.provision("3", "x")
def others(order, law):
    """Other provisions, over a list too, and the constants."""
    return (numbers(order, law) and True) or any(numbers(ic, law) for ic in order.item.contains) or False


@rules.provision("4", "x")
def dates(order, law):
    """A day, some years later."""
    return years_after(order.record.export_date, law.years) >= law.day  # noqa: F821 - the reader's own word


@rules.question()
def chain(order, law):
    """A chain of answers."""
    if numbers(order, law):
        return "yes"
    return "no"


@rules.question()
def value(order, law):
    """A value."""
    return order.item.tpp
