"""The outlook's flows as a Vensim model for PySD, one path a run; flows use start-of-step values, as Euler does."""

from __future__ import annotations

import importlib
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SERIES = ("us", "cn", "reopened", "convert", "mandate", "demand", "gross_dies", "memory", "foundry", "dated")
CONSTANTS = (
    "wanted", "grant", "ratio", "home", "home_to_date", "batch", "leave_convertible", "leave_wafers", "leave_packaging",
    "leave_inspection", "leave_transit", "leave_installing", "leave_domestic", "writedown", "substitution", "speed",
    "learning", "ceiling", "packaging_capacity", "h100e", "h100e_home", "applications_0", "finished_0", "dies_0",
    "stacks_0", "wip_0", "yield_0", "made_0",
)  # fmt: skip
FLOWS = {
    "left": "(1 - mandate) * demand",
    "applied": "MIN(left / h100e, wanted)",
    "granted": "us * MIN(applications * grant, MAX(0, ratio * (home_to_date + home * Time) - licensed_ever))",
    "approved": "cn * MIN(licensed, approvable + batch * cn + dated)",
    "again": "reopened * convert * stalled",
    "ordered": "us * cn * convertible * leave_convertible",
    "shipped": "MIN(backlog, finished)",
    "started": "MIN(foundry, MAX(0, backlog - wafers - packaging - finished))",
    "fabricated": "wafers * leave_wafers",
    "packaged": "packaging * leave_packaging",
    "inspected": "us * inspection * leave_inspection",
    "delivered": "cn * transit * leave_transit",
    "installed": "installing * leave_installing",
    "written": "finished * (1 - us * cn) * writedown",
    "dies_made": "gross_dies * die_yield",
    "asked": "demand - left + substitution * MAX(0, left - h100e * delivered)",
    "home_made": "MIN(MIN(asked / h100e_home, packaging_capacity), MIN(die_bank / 2, stacks / 8))",
    "home_in": "home_wip * leave_domestic",
}
STOCKS = {
    "applications": ("applied - granted", "applications_0"),
    "licensed": ("granted - approved", "0"),
    "licensed_ever": ("granted", "0"),
    "approvable": ("batch * cn + dated - approved", "0"),
    "stalled": ("(1 - convert) * approved - again", "0"),
    "convertible": ("convert * approved + again - ordered", "0"),
    "backlog": ("ordered - shipped", "0"),
    "wafers": ("started - fabricated", "0"),
    "packaging": ("fabricated - packaged", "0"),
    "finished": ("packaged - shipped - written", "finished_0"),
    "inspection": ("shipped - inspected", "0"),
    "transit": ("inspected - delivered", "0"),
    "installing": ("delivered - installed", "0"),
    "deployed": ("installed", "0"),
    "written_down": ("written", "0"),
    "delivered_ever": ("delivered", "0"),
    "die_bank": ("dies_made - 2 * home_made", "dies_0"),
    "stacks": ("memory - 8 * home_made", "stacks_0"),
    "home_wip": ("home_made - home_in", "wip_0"),
    "home_deployed": ("home_in", "0"),
    "made_ever": ("home_made", "made_0"),
    "die_yield": ("(ceiling - die_yield) * MIN(1, learning * home_made / made_ever + speed)", "yield_0"),
}


def model_text(steps: int) -> str:
    """Return the Vensim model."""
    parts = ["{UTF-8}"]
    parts += [f"{name} = 0\n\t~\t\n\t~\t\t|" for name in (*SERIES, *CONSTANTS)]
    parts += [f"{name} = {text}\n\t~\t\n\t~\t\t|" for name, text in FLOWS.items()]
    parts += [f"{name} = INTEG({rate}, {start})\n\t~\t\n\t~\t\t|" for name, (rate, start) in STOCKS.items()]
    for name, value in (("INITIAL TIME", 0), ("FINAL TIME", steps), ("TIME STEP", 1), ("SAVEPER", steps)):
        parts.append(f"{name} = {value}\n\t~\t\n\t~\t\t|")
    return "\n\n".join(parts) + "\n"


def load(steps: int) -> Any:
    """Return the compiled model. Raises ImportError where PySD is not installed."""
    pysd: Any = importlib.import_module("pysd")
    folder = Path(tempfile.mkdtemp())
    file = folder / "outlook.mdl"
    file.write_text(model_text(steps), encoding="utf-8")
    return pysd.read_vensim(str(file))


def delivered(model: Any, values: Mapping[str, Any]) -> float:
    """Run one path and return the units delivered at the end."""
    pandas: Any = importlib.import_module("pandas")
    params = {k: pandas.Series(v, index=range(len(v))) if k in SERIES else v for k, v in values.items()}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Replacing a constant value", UserWarning)  # it is what the series are for
        found = model.run(params=params, return_columns=["delivered_ever"], return_timestamps=[model.time.final_time()])
    return float(found["delivered_ever"].iloc[-1])
