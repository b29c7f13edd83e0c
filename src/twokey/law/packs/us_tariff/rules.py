"""Section 232 duty on certain advanced chips: HTSUS chapter 99, subchapter III, U.S. note 39."""

from twokey.law.engine.define import Rulebook

rules = Rulebook("us-tariff")


@rules.provision("note 39(b), band 1", "us-2026-232")
def band_1(order, law):
    """A TPP strictly between 14,000 and 17,500 and a total DRAM bandwidth strictly between 4,500 and 5,000 GB/s."""
    return (
        law.band_1_tpp_low < order.item.tpp < law.band_1_tpp_high
        and law.band_1_dram_low < order.item.dram_bandwidth_gbs < law.band_1_dram_high
    )


@rules.provision("note 39(b), band 2", "us-2026-232")
def band_2(order, law):
    """A TPP strictly between 20,800 and 21,100 and a total DRAM bandwidth strictly between 5,800 and 6,200 GB/s."""
    return (
        law.band_2_tpp_low < order.item.tpp < law.band_2_tpp_high
        and law.band_2_dram_low < order.item.dram_bandwidth_gbs < law.band_2_dram_high
    )


@rules.provision("note 39(b), a circuit", "us-2026-232")
def in_a_band(order, law):
    """A logic circuit within band 1 or band 2."""
    return band_1(order, law) or band_2(order, law)


@rules.provision("note 39(b)", "us-2026-232")
def article_in_a_band(order, law):
    """Such a circuit, or an article that contains one."""
    return (order.item.kind == "ic" and in_a_band(order, law)) or (
        order.item.kind == "computer" and any(in_a_band(ic, law) for ic in order.item.contains)
    )


@rules.provision("note 39(b), headings", "us-2026-232")
def listed_heading(order, law):
    """Classified in heading 8471.50, 8471.80 or 8473.30."""
    return order.item.hts_heading in law.headings


@rules.provision("entry into the United States", "us-2026-232")
def enters_the_united_states(order, law):
    """Imported into the customs territory of the United States."""
    return order.movement.destination in law.customs_territory and order.movement.origin not in law.customs_territory


@rules.provision("9903.79.03-.09", "us-2026-232")
def zero_rated(order, law):
    """For a use that a zero-rate heading names: data centers, repair, research, startups, consumers, industry."""
    return order.movement.import_use in law.zero_rated_uses


@rules.provision("9903.79.01", "us-2026-232")
def dutiable(order, law):
    """Enters, is within a band, and no zero-rate heading applies: 25 percent ad valorem."""
    return enters_the_united_states(order, law) and article_in_a_band(order, law) and not zero_rated(order, law)


@rules.question()
def section_232_band(order, law):
    """Is the article within a technical band of the duty, before exemptions?"""
    if article_in_a_band(order, law):
        return "yes"
    return "no"


@rules.question()
def section_232_duty(order, law):
    """Is the 25 percent duty owed, if the article is in a listed heading?"""
    if dutiable(order, law):
        return "yes"
    return "no"


@rules.question()
def duty_on_entry(order, law):
    """Which duty is owed on this movement, heading included?"""
    if dutiable(order, law) and listed_heading(order, law):
        return "duty_25"
    return "no_duty"
