"""The yente adapter against the shapes that yente's own models declare; no yente server was run here.

`QUERY`, `PARAMETERS` and `ANSWER` say in JSON Schema what `EntityMatchQuery`, the parameters of `POST /match/{dataset}`
and `EntityMatchResponse` demand (opensanctions/yente, yente/data/common.py and yente/routers/match.py). The server
below refuses a request that does not fit, as FastAPI would, and its answers are checked against the schema as well.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from jsonschema import Draft202012Validator

from twokey.desk.parties import yente
from twokey.desk.reasons import Refused

from .world import World

VALUES = {"type": "array", "items": {"type": "string"}}
EXAMPLE = {
    "type": "object",
    "required": ["schema", "properties"],
    "properties": {
        "id": {"type": ["string", "null"]},
        "schema": {"type": "string"},
        "properties": {"type": "object", "additionalProperties": {"anyOf": [{"type": "string"}, VALUES]}},
    },
    "additionalProperties": False,
}
QUERY = {
    "type": "object",
    "required": ["queries"],
    "properties": {
        "weights": {"type": "object", "additionalProperties": {"type": "number"}},
        "queries": {"type": "object", "minProperties": 1, "additionalProperties": EXAMPLE},
    },
    "additionalProperties": False,
}
PARAMETERS = {
    "limit": int,
    "threshold": float,
    "cutoff": float,
    "algorithm": str,
    "include_dataset": str,
    "exclude_dataset": str,
    "exclude_schema": str,
    "topics": str,
    "changed_since": str,
}
RESULT = {
    "type": "object",
    "required": ["id", "caption", "schema", "properties", "features"],
    "properties": {
        "id": {"type": "string"},
        "caption": {"type": "string"},
        "schema": {"type": "string"},
        "properties": {"type": "object", "additionalProperties": {"type": "array"}},
        "datasets": VALUES,
        "referents": VALUES,
        "target": {"type": "boolean"},
        "first_seen": {"type": ["string", "null"]},
        "last_seen": {"type": ["string", "null"]},
        "last_change": {"type": ["string", "null"]},
        "score": {"type": "number"},
        "features": {"type": "object", "additionalProperties": {"type": "number"}},
        "match": {"type": "boolean"},
    },
    "additionalProperties": False,
}
ANSWER = {
    "type": "object",
    "required": ["responses", "matcher", "limit"],
    "properties": {
        "responses": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["results", "total", "query"],
                "properties": {
                    "status": {"type": "integer"},
                    "results": {"type": "array", "items": RESULT},
                    "total": {
                        "type": "object",
                        "required": ["value"],
                        "properties": {"value": {"type": "integer"}, "relation": {"type": "string"}},
                    },
                    "query": EXAMPLE,
                },
            },
        },
        "matcher": {"type": "object"},
        "limit": {"type": "integer"},
    },
}


def result(uid: str, score: float, **changes: Any) -> dict[str, Any]:
    """Return one scored entity, every field of it."""
    return {
        "id": uid,
        "caption": "Yunling",
        "schema": "Company",
        "properties": {"name": ["Yunling", "云岭"], "topics": ["export.control"], "addressEntity": [{"id": "addr-1"}]},
        "datasets": ["us_trade_csl"],
        "referents": ["ofac-1"],
        "target": True,
        "first_seen": "2023-04-20T10:00:00",
        "last_seen": "2026-11-01T10:00:00",
        "last_change": "2026-10-02T10:00:00",
        "score": score,
        "features": {"name_match": 0.9, "jaro_name_parts": 1.0},
        "match": score >= 0.7,
        **changes,
    }


@dataclass
class Server:
    """A server that takes what yente takes and gives what yente gives."""

    url: str = ""
    status: int = 200
    results: list[dict[str, Any]] = field(default_factory=lambda: [result("NK-1", 0.91), result("NK-2", 0.3)])
    total: int | None = None
    spoil: str = ""
    asked: list[tuple[str, dict[str, list[str]], dict[str, Any]]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def answer(self, path: str, raw: bytes) -> tuple[int, bytes]:
        url = urlsplit(path)
        parameters, query = parse_qs(url.query, strict_parsing=True), json.loads(raw)
        self.asked.append((url.path, parameters, query))
        self.problems += [each.message for each in Draft202012Validator(QUERY).iter_errors(query)]
        for name, values in parameters.items():
            try:
                PARAMETERS[name](values[0])
            except (KeyError, ValueError):
                self.problems.append(f"parameter {name}={values[0]}")
        cutoff = float(parameters.get("cutoff", ["0.5"])[0])
        limit = int(parameters.get("limit", ["5"])[0])
        given = [each for each in self.results if each["score"] >= cutoff]
        total = {"value": len(given) if self.total is None else self.total, "relation": "eq"}
        body = {
            "responses": {
                "party": {"status": 200, "results": given[:limit], "total": total, "query": query["queries"]["party"]}
            },
            "matcher": {"name_match": {"description": "Names are the same", "coefficient": 1.0}},
            "limit": limit,
        }
        Draft202012Validator(ANSWER).validate(body)
        if self.spoil:
            del body["responses"]["party"][self.spoil]  # type: ignore[index]
        return self.status, json.dumps(body).encode()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, body = made.answer(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    http = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    made.url = f"http://127.0.0.1:{http.server_port}"
    yield made
    http.shutdown()


def test_a_yente_server_is_asked_in_its_own_form_and_with_both_scripts(world: World, server: Server) -> None:
    kept = yente.screen(world["operator"], world.importer, server.url + "/")
    assert server.problems == []
    path, parameters, query = server.asked[0]
    assert path == "/match/default"
    assert parameters == {"limit": ["100"], "threshold": ["0.700"], "cutoff": ["0.700"]}
    party = query["queries"]["party"]
    assert {"云岭智算有限公司", "Yunling Zhisuan Ltd."} <= set(party["properties"]["name"])
    assert kept.outcome == "open"
    assert [(match["uid"], match["score"], match["digest"]) for match in kept.matches] == [
        ("yente:NK-1", 910, "2026-10-02T10:00:00")
    ]
    assert kept.matches[0]["programme"] == "export.control"


def test_a_lower_threshold_reaches_the_server_and_a_sixth_match_is_not_hidden(world: World, server: Server) -> None:
    server.results = [result(f"NK-{n}", 0.4) for n in range(6)]
    kept = yente.screen(world["operator"], world.importer, server.url, threshold=350)
    assert len(kept.matches) == 6


@pytest.mark.parametrize(
    "change",
    [{"status": 404}, {"status": 500}, {"total": 250}, {"spoil": "results"}, {"spoil": "total"}],
    ids=lambda change: "-".join(f"{name} {value}" for name, value in change.items()),
)
def test_an_answer_that_is_not_whole_is_no_answer(change: dict[str, Any], world: World, server: Server) -> None:
    for name, value in change.items():
        setattr(server, name, value)
    with pytest.raises(Refused, match="no usable answer"):
        yente.screen(world["operator"], world.importer, server.url)


def test_a_server_that_is_not_there_is_no_answer(world: World) -> None:
    with pytest.raises(Refused, match="no usable answer"):
        yente.screen(world["operator"], world.importer, "http://127.0.0.1:9")
