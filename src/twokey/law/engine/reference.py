"""The reference meaning: a provision is what its Python says, called with an order whose facts are all known.

The two compilers, for one order and for many, must agree with this; nothing else defines what a provision means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twokey.law.engine.define import Provision
from twokey.law.engine.facts import dictionary
from twokey.law.engine.law import LawInForce


class NotKnown(LookupError):  # noqa: N818 - it is no error: the reference has no third value and says so
    """A fact that the order does not state, or a value that no law sets; its name is the only argument."""


class Order:
    """An order as provisions read it: `order.item.tpp`, and `order.item.contains` as a list of orders.

    Errors: NotKnown for a fact that is not stated; AttributeError for one that the dictionary lacks.

    >>> order = Order({"item.tpp": 5000, "item.contains": [{"item.tpp": 4800}]})
    >>> order.item.tpp, [circuit.item.tpp for circuit in order.item.contains]
    (5000, [4800])
    """

    def __init__(self, facts: Mapping[str, Any], prefix: str = "") -> None:
        self._facts = facts
        self._prefix = prefix

    def __getattr__(self, name: str) -> Any:
        full = self._prefix + name
        value = self._facts.get(full)
        if value is not None:
            return [Order(each) for each in value] if isinstance(value, list) else value
        if full in dictionary():
            raise NotKnown(full)
        if any(known.startswith(f"{full}.") for known in dictionary()):
            return Order(self._facts, f"{full}.")
        raise AttributeError(full)


class Values:
    """The law of one day as provisions of one regime read it: `law.a1_tpp`, and `law.in_force(provision)`.

    Errors: NotKnown for a value that no law sets on that day; KeyError for a parameter that the pack lacks.
    """

    def __init__(self, law: LawInForce, regime: str) -> None:
        self._law = law
        self._regime = regime

    def __getattr__(self, name: str) -> Any:
        value = self._law.value(self._regime, name)
        if value is None:
            raise NotKnown(name)
        return value

    def in_force(self, provision: Provision) -> bool:
        """Return whether a provision is in force on that day."""
        return self._law.in_force(provision)


def by_reference(law: LawInForce, key: str, facts: Mapping[str, Any]) -> Any:
    """Return what the Python of a provision, or of a question, says of an order.

    Errors: NotKnown where it reads a fact that is not stated or a value that no law sets.

    >>> from datetime import date
    >>> from twokey.law.source import law
    >>> by_reference(law().at(date(2024, 1, 1)), "us-export:high_performance", {"item.tpp": 4800})
    True
    """
    asked = law.law.provisions.get(key) or law.law.questions[key]
    return asked(Order(facts), Values(law, asked.regime))
