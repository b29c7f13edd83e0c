"""Twenty conditions on an order, written once for each engine that is measured: the same facts, values and answers.

`rules` is the text; the others say the same in their own way, and `benchmarks/law.py` checks that they all agree.
"""

from typing import Final

A1_TPP, A2_TPP, B1_TPP = 4800.0, 1600.0, 2400.0
A2_DENSITY, B2_DENSITY, B1_DENSITY = 5.92, 3.2, 1.6
LIMIT_TPP, LIMIT_DRAM = 21000.0, 6500.0
CAP, NOTICE_DAYS = 0.5, 25.0
D5: Final = ("BY", "CN", "CU", "IR", "KP", "MM", "MO", "RU", "SY", "VE")
COUNTRIES: Final = (*D5, "AE", "AU", "CA", "DE", "FR", "GB", "IN", "JP", "KR", "MY", "NL", "SA", "SG", "TW", "US", "VN")

NUMBERS: Final = {  # our name of the fact -> the short one of the peers
    "item.tpp": "tpp",
    "item.performance_density": "density",
    "item.dram_bandwidth_gbs": "dram",
    "aggregate.china_to_us_tpp_ratio": "ratio",
    "notification.days_elapsed": "days",
}
FLAGS: Final = {
    "item.datacenter": "datacenter",
    "consignee.entity_list": "entity_list",
    "consignee.military_end_user": "military",
    "certifications.security_procedures": "security",
    "certifications.laboratory": "laboratory",
    "purchase_order.written": "written",
}
WORDS: Final = {"movement.destination": "destination", "consignee.hq": "hq"}
FACTS: Final = {**NUMBERS, **FLAGS, **WORDS}
ANSWERS: Final = ("no_licence", "exception", "case_by_case", "presumption_of_denial")
EXPRESSIONS: Final = {  # the same text as `rules`, for engines that read expressions; a name in capitals is one of them
    "high": f"tpp >= {A1_TPP}",
    "dense": f"tpp >= {A2_TPP} and density >= {A2_DENSITY}",
    "in_a": "HIGH or DENSE",
    "next_tier": f"not (IN_A) and {B1_TPP} <= tpp and tpp < {A1_TPP}"
    f" and {B1_DENSITY} <= density and density < {A2_DENSITY}",
    "next_tier_dense": f"not (IN_A) and tpp >= {A2_TPP} and {B2_DENSITY} <= density and density < {A2_DENSITY}",
    "in_b": "NEXT_TIER or NEXT_TIER_DENSE",
    "consumer_note": "not (datacenter) and not (HIGH)",
    "specified": "(IN_A or IN_B) and not (CONSUMER_NOTE)",
    "to_d5": "destination in D5",
    "hq_d5": "hq in D5",
    "barred": "entity_list or military",
    "requirement": "SPECIFIED and (TO_D5 or HQ_D5)",
    "required": "BARRED or REQUIREMENT",
    "below_limits": f"tpp < {LIMIT_TPP} and dram < {LIMIT_DRAM}",
    "within_cap": f"ratio <= {CAP}",
    "secured": "security and laboratory",
    "case_by_case": "REQUIREMENT and not (BARRED) and BELOW_LIMITS and WITHIN_CAP and SECURED",
    "notified": f"days >= {NOTICE_DAYS} and written",
    "excepted": "REQUIREMENT and IN_B and NOTIFIED and not (BARRED)",
    "refused": "REQUIRED and not (CASE_BY_CASE) and not (EXCEPTED)",
}
CONDITIONS: Final = tuple(EXPRESSIONS)
