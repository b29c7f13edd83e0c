"""From every number back to a source row: what a result was made of, written beside it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from twokey import __version__
from twokey.outlook.inputs import Input
from twokey.outlook.model import BLOCK
from twokey.outlook.run import Result
from twokey.outlook.scenario import Scenario, ready
from twokey.outlook.sources import policy_events, series_rows, snapshot_hash, table


def source_rows(sources: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the rows behind the sources of an input or event, with value, day known, confidence and address.

    >>> source_rows(("h200_stock_nvidia@2026-01",))[0]["value"]
    '700000.0'
    """
    series = {row.id: row for row in series_rows()}
    events = {event.id: event for event in policy_events()}
    openings = {row["id"]: row for row in table("conversions")}
    found = []
    for source in sources:
        if source in series:
            row = series[source]
            found.append(
                {"id": source, "file": "series.csv", "value": str(row.value), "unit": row.unit, "as_of": str(row.as_of),
                 "confidence": row.confidence, "source": row.source}
            )  # fmt: skip
        elif source in events:
            event = events[source]
            found.append(
                {"id": source, "file": "events.csv", "value": event.what, "unit": "", "as_of": str(event.as_of),
                 "confidence": event.verified, "source": event.source}
            )  # fmt: skip
        elif source in openings:
            opening = openings[source]
            found.append(
                {"id": source, "file": "conversions.csv", "value": opening["share"], "unit": "share",
                 "as_of": opening["as_of"], "confidence": "medium", "source": opening["sources"]}
            )  # fmt: skip
        else:
            found.append(
                {"id": source, "file": "", "value": "", "unit": "", "as_of": "", "confidence": "", "source": source}
            )
    return found


def input_row(given: Input) -> dict[str, Any]:
    """Return one input as a row: its interval, what it is, and the rows behind it."""
    return {
        "input": given.name,
        "low": given.low if given.shape != "record" else float(given.at(_ENDS)[0]),
        "central": given.central,
        "high": given.high if given.shape != "record" else float(given.at(_ENDS)[1]),
        "interval": "value" if given.fixed else f"{given.interval or 90} %",
        "shape": "posterior" if given.shape == "record" else given.shape,
        "unit": given.unit,
        "confidence": given.confidence,
        "sources": " ".join(given.sources) or "assumption",
        "what": given.what,
        "what_zh": given.what_zh,
    }


_ENDS: Final = np.array([-1.6448536, 1.6448536])  # normal scores of the 5th and 95th percentile


def provenance(scenario: Scenario) -> dict[str, Any]:
    """Return everything needed to get the same numbers again, and the source rows of every input and event."""
    file = ready().get(scenario.name) or Path(scenario.file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""
    return {
        "twokey": __version__,
        "scenario": scenario.name,
        "file": scenario.file,
        "file_sha256": digest,
        "as_of": scenario.as_of.isoformat(),
        "quarters": scenario.quarters,
        "step_weeks": scenario.step_weeks,
        "paths": scenario.paths,
        "paths_a_block": BLOCK,
        "seed": scenario.seed,
        "basis": scenario.basis,
        "include_smuggled": scenario.include_smuggled,
        "chips": [asdict(chip) for chip in (scenario.chip, scenario.domestic_chip)],
        "data_sha256": snapshot_hash(),
        "events": [
            {"date": e.date.isoformat(), "key": e.key, "act": e.act, **e.numbers, "sources": source_rows(e.sources)}
            for e in scenario.events
        ],
        "inputs": [{**input_row(given), "rows": source_rows(given.sources)} for given in scenario.inputs.values()],
        "correlations": [[c.first, c.second, c.value] for c in scenario.correlations],
    }


def write(result: Result, folder: Path) -> list[Path]:
    """Write `lines.parquet`, `lines.csv`, `inputs.csv` and `provenance.json`; return the files.

    Each row of the tables carries seed and snapshot, and the Parquet file carries the whole provenance in its metadata,
    so that a file that is passed on alone still says where it came from.
    """
    import polars as pl

    folder.mkdir(parents=True, exist_ok=True)
    told = provenance(result.scenario)
    text = json.dumps(told, ensure_ascii=False, indent=1)
    rows = [{**row, "seed": told["seed"], "data_sha256": told["data_sha256"]} for row in result.rows()]
    frame = pl.DataFrame(rows, infer_schema_length=None)
    frame.write_parquet(folder / "lines.parquet", metadata={"twokey": text})
    frame.write_csv(folder / "lines.csv")
    inputs = [input_row(given) for given in result.scenario.inputs.values()]
    pl.DataFrame(inputs, infer_schema_length=None).write_csv(folder / "inputs.csv")
    (folder / "provenance.json").write_text(text + "\n", encoding="utf-8")
    return [folder / name for name in ("lines.parquet", "lines.csv", "inputs.csv", "provenance.json")]
