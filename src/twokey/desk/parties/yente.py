"""Screen by a yente server (OpenSanctions) in place of, or beside, the imported lists.

Request and answer follow `POST /match/{dataset}` as yente's own models declare them (`EntityMatchQuery` and
`EntityMatchResponse` in yente/data/common.py).
"""

from __future__ import annotations

from typing import Any, Final

import httpx

from twokey.desk.actors import Actor, permit
from twokey.desk.parties.models import Organisation, Screening
from twokey.desk.parties.screening import keep, names_of
from twokey.desk.reasons import Refused, reason

LIMIT: Final = 100  # yente's own default is 5 results, which would hide the sixth


def screen(
    actor: Actor, organisation: Organisation, server: str, dataset: str = "default", threshold: int = 700
) -> Screening:
    """Ask a yente server for a party and keep its answer; a server that does not answer raises `Refused`.

    `threshold` is per mille; it goes along as yente's cutoff, below which the server would drop matches by itself. The
    names of both scripts go in one query, as yente's own matcher wants them. An answer that was cut short, or that
    lacks what yente's schema demands, is no answer.
    """
    permit(actor, "screening.run")
    country = organisation.country.lower()
    query = {
        "queries": {
            "party": {
                "schema": "Organization",
                "properties": {
                    "name": list(names_of(organisation)),
                    "country": [country],
                    "jurisdiction": [country],
                },
            }
        }
    }
    score = f"{threshold / 1000:.3f}"
    try:
        answer = httpx.post(
            f"{server.rstrip('/')}/match/{dataset}",
            params={"limit": str(LIMIT), "threshold": score, "cutoff": score},
            json=query,
            timeout=20,
        )
        answer.raise_for_status()
        party = answer.json()["responses"]["party"]
        results, total = party["results"], party["total"]["value"]
        if party.get("status", 200) != 200 or total > len(results):
            raise ValueError(f"{len(results)} of {total} results, status {party.get('status')}")
        matches = [_match(each, dataset) for each in results if round(each["score"] * 1000) >= threshold]
    except (httpx.HTTPError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise Refused(reason("yente_silent", server=server, detail=error), status=502) from None
    return keep(organisation, matches, f"yente {server}"[:40])


def _match(result: dict[str, Any], dataset: str) -> dict[str, Any]:
    properties = result.get("properties", {})
    return {
        "list": f"yente:{dataset}",
        "uid": f"yente:{result['id']}",
        "digest": str(result.get("last_change") or result.get("last_seen") or ""),
        "name": str(result["caption"]),
        "source": ", ".join(result.get("datasets", [])),
        "programme": ", ".join(properties.get("topics", [])),
        "score": round(result["score"] * 1000),
        "because": {
            "ours": "",
            "theirs": str(result["caption"]),
            "method": "yente",
            "notes": [f"{name}: {round(value * 1000)}" for name, value in result.get("features", {}).items()],
        },
    }
