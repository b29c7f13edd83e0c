"""call only other provisions"""

from twokey.law.engine.define import Rulebook

rules = Rulebook("bad")


@rules.provision("1", "x")
def above(order, law):
    """A number above a value."""
    return order.item.tpp >= law.low


@rules.question()
def case(order, law):
    """What is refused."""
    return order.item.kind.startswith(order)
