"""ECCN 3A090, integrated circuits for advanced computing: 15 CFR 774 Supp. 1.

The provisions up to `in_b` read one integrated circuit, so that a computer's circuits are asked the same way.
"""

from twokey.law.packs.us_export.rules import rules


@rules.provision("3A090 (2022)", "us-2022-ac", until="2023-11-17")
def meets_original(order, law):
    """A transfer rate of 600 GB/s or more and bit length times TOPS of 4800 or more."""
    return order.item.transfer_rate_gbs >= law.original_transfer_rate and order.item.tpp >= law.original_tpp


@rules.provision("3A090.a.1", "us-2023-ac")
def high_performance(order, law):
    """A total processing performance of 4800 or more."""
    return order.item.tpp >= law.a1_tpp


@rules.provision("3A090.a.2", "us-2023-ac")
def performance_dense(order, law):
    """A total processing performance of 1600 or more and a performance density of 5.92 or more."""
    return order.item.tpp >= law.a2_tpp and order.item.performance_density >= law.a2_density


@rules.provision("3A090.b.1", "us-2023-ac")
def next_tier(order, law):
    """A TPP of 2400 or more and less than 4800, and a performance density of 1.6 or more and less than 5.92."""
    return (
        law.b1_tpp <= order.item.tpp < law.a1_tpp and law.b1_density <= order.item.performance_density < law.a2_density
    )


@rules.provision("3A090.b.2", "us-2023-ac")
def next_tier_dense(order, law):
    """A TPP of 1600 or more and a performance density of 3.2 or more and less than 5.92."""
    return order.item.tpp >= law.b2_tpp and law.b2_density <= order.item.performance_density < law.a2_density


@rules.provision("3A090 Note 2", "us-2023-ac")
def consumer_note(order, law):
    """Not designed or marketed for datacenters and with a TPP of less than 4800: neither .a nor .b."""
    return not order.item.datacenter and order.item.tpp < law.note_2_tpp


@rules.provision("3A090.a", "us-2023-ac")
def in_a(order, law):
    """Meets .a.1 or .a.2 and is not released by Note 2."""
    return not consumer_note(order, law) and (high_performance(order, law) or performance_dense(order, law))


@rules.provision("3A090.b", "us-2023-ac")
def in_b(order, law):
    """Meets .b.1 or .b.2, is not in .a and is not released by Note 2."""
    return (
        not consumer_note(order, law)
        and not (high_performance(order, law) or performance_dense(order, law))
        and (next_tier(order, law) or next_tier_dense(order, law))
    )


@rules.provision("3A090.a for datacenters", "us-2023-ac")
def datacenter_a(order, law):
    """In .a and designed or marketed for datacenters."""
    return in_a(order, law) and order.item.datacenter


@rules.provision("3A090.c", "us-2024-hbm")
def high_bandwidth_memory(order, law):
    """High-bandwidth memory with a memory bandwidth density greater than 2 GB/s/mm²."""
    return order.item.kind == "hbm" and order.item.memory_bandwidth_density > law.hbm_density
