"""The command that assesses a book tells the column libraries how to keep memory before it loads them."""

import os
import subprocess
import sys

import pytest

_SEEN = """
import os, sys
seen = {}
def hook(event, arguments):
    if event == "import" and arguments[0] in ("polars", "pyarrow"):
        name = {"polars": "_RJEM_MALLOC_CONF", "pyarrow": "MIMALLOC_PURGE_DELAY"}[arguments[0]]
        seen.setdefault(arguments[0], os.environ.get(name))
sys.addaudithook(hook)
from twokey.cli.main import run
try:
    run()
except SystemExit:
    pass
print(seen)
"""


def _settings(arguments: list[str], **given: str) -> str:
    environment = {name: value for name, value in os.environ.items() if "MALLOC" not in name} | given
    command = [sys.executable, "-c", _SEEN, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


@pytest.mark.parametrize(
    "arguments",
    [["assess", "--book", "none.parquet", "--out", "out.parquet"], ["impact", "scale", "--book", "no.parquet"]],
)
def test_pages_are_kept_before_the_libraries_load(arguments: list[str]) -> None:
    assert "{'polars': 'dirty_decay_ms:-1,muzzy_decay_ms:-1', 'pyarrow': '-1'}" in _settings(arguments)


def test_what_the_user_set_stands() -> None:
    arguments = ["assess", "--book", "none.parquet", "--out", "out.parquet"]
    assert "{'polars': 'narenas:1', 'pyarrow': '-1'}" in _settings(arguments, _RJEM_MALLOC_CONF="narenas:1")
