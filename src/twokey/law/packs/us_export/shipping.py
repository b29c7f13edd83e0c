"""Once a licence is held: tolerances, export clearance and records (750.11, 758, 762)."""

from twokey.law.engine.tree import years_after
from twokey.law.packs.us_export.eccn_3a090 import high_bandwidth_memory
from twokey.law.packs.us_export.eccn_4a090 import specified
from twokey.law.packs.us_export.rules import rules


@rules.provision("750.11", "ear-standing")
def within_tolerance(order, law):
    """No more than the licensed quantity, and no more than 110 percent of the licensed value."""
    return (
        order.shipment.quantity <= order.licence.quantity
        and order.shipment.value_usd <= order.licence.value_usd * law.value_tolerance
    )


@rules.provision("758.1(b)", "ear-standing")
def filed_in_aes(order, law):
    """Electronic export information is filed for every licensed export, and above the value limit for others."""
    return order.shipment.licensed or order.shipment.value_usd > law.eei_value


@rules.provision("758.1(b)(10)", "ear-standing", condition=True)
def filed_to_china(order, law):
    """An item of the Commerce Control List to China is filed at any value."""
    return order.movement.destination in law.china and (specified(order, law) or high_bandwidth_memory(order, law))


@rules.question()
def shipping_tolerance(order, law):
    """May this be shipped under the licence?"""
    if within_tolerance(order, law):
        return "yes"
    return "no"


@rules.question()
def eei_required(order, law):
    """Must electronic export information be filed?"""
    if filed_in_aes(order, law):
        return "yes"
    return "no"


@rules.question()
def retention_until(order, law):
    """Until which day are the records kept? (762.6: five years from the latest event)"""
    return years_after(order.record.export_date, law.retention_years)
