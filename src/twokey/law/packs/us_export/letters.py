"""Is-informed letters: they bind their addressee, and are known only from statements and reports."""

from twokey.law.packs.us_export.places import headquartered_in_d5_or_macau, leaves_the_united_states, to_d5_or_macau
from twokey.law.packs.us_export.rules import rules


@rules.provision("letter of August 2022", "letter-2022-08")
def letter_2022(order, law):
    """The addressee ships a circuit of at least the A100's performance and transfer rate to China or Russia."""
    return (
        order.exporter.name in law.letter_2022_addressees
        and order.movement.destination in law.letter_2022_destinations
        and order.item.tpp >= law.letter_2022_tpp
        and order.item.transfer_rate_gbs >= law.letter_2022_transfer_rate
    )


@rules.provision("letters of April 2025, parameters", "letter-2025-04")
def letter_2025_parameters(order, law):
    """DRAM bandwidth of 1400 GB/s or more, or I/O of 1100 or more, or a sum of 1700 or more (as reported)."""
    return (
        order.item.dram_bandwidth_gbs >= law.letter_2025_dram_bandwidth
        or order.item.transfer_rate_gbs >= law.letter_2025_transfer_rate
        or order.item.dram_bandwidth_gbs + order.item.transfer_rate_gbs >= law.letter_2025_sum
    )


@rules.provision("letters of April 2025", "letter-2025-04")
def letter_2025(order, law):
    """An addressee ships such a circuit to China, Macau or D:5, or to a party headquartered or parented there."""
    return (
        order.exporter.name in law.letter_2025_addressees
        and leaves_the_united_states(order, law)
        and (to_d5_or_macau(order, law) or headquartered_in_d5_or_macau(order, law))
        and (
            (order.item.kind == "ic" and letter_2025_parameters(order, law))
            or (order.item.kind == "computer" and any(letter_2025_parameters(ic, law) for ic in order.item.contains))
        )
    )


@rules.provision("is-informed letter", "letter-2022-08")
def informed_by_letter(order, law):
    """A letter that was in force on the day asks the exporter for a licence."""
    return letter_2022(order, law) or letter_2025(order, law)


@rules.question()
def is_informed_parameters_2025_04(order, law):
    """Does the circuit meet the parameters that were reported of the April 2025 letters?"""
    if letter_2025_parameters(order, law):
        return "yes"
    return "no"
