"""Conditions on use that last after delivery: domestic shares, as reported. "Most" and "some" have no number."""

from twokey.law.engine.define import Rulebook

rules = Rulebook("cn-use")


@rules.provision("CN-010", "CN-010", condition=True)
def hub_share_kept(order, law):
    """A publicly owned computing hub takes more than 50 percent domestic chips."""
    return order.use.domestic_share > law.public_hub_share


@rules.provision("CN-029: inference", "CN-029", condition=True)
def inference_share_kept(order, law):
    """Most inference runs on domestic chips; read as more than half, for want of a published number."""
    return order.use.domestic_share > law.inference_share


@rules.provision("CN-029: training", "CN-029", condition=True)
def training_share_kept(order, law):
    """Some training runs on domestic chips; read as more than none, for want of a published number."""
    return order.use.domestic_share > law.training_share


@rules.provision("CN-029: failed", "CN-029")
def share_failed(order, law):
    """The workload's share of domestic chips is not kept."""
    return (order.use.workload == "inference" and not inference_share_kept(order, law)) or (
        order.use.workload == "training" and not training_share_kept(order, law)
    )


@rules.provision("CN-010: failed", "CN-010")
def hub_failed(order, law):
    """The site is a publicly owned hub and does not keep its share."""
    return order.site.public_hub and not hub_share_kept(order, law)


@rules.provision("CN-010: a hub", "CN-010")
def public_hub(order, law):
    """The site is a publicly owned computing hub."""
    return order.site.public_hub


@rules.provision("CN-029: a workload", "CN-029")
def conditioned_workload(order, law):
    """Training or inference of a buyer of the approved batches."""
    return order.use.workload == "training" or order.use.workload == "inference"


@rules.provision("CN-022: purchase ratio", "CN-022", condition=True)
def purchase_ratio_kept(order, law):
    """Domestic chips are bought in proportion to imported ones; a ratio was discussed and never set."""
    return order.use.domestic_purchase_ratio >= law.purchase_ratio


@rules.question()
def domestic_share(order, law):
    """Is the share of domestic chips kept?"""
    if hub_failed(order, law) or share_failed(order, law):
        return "fail"
    if public_hub(order, law) or conditioned_workload(order, law):
        return "pass"
    return "no_restriction_known"
