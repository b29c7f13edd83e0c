"""The examples run, and the page of the room says what the commands do."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbclient import NotebookClient

from twokey.cli.deploy import deploy

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "deploy.md"


def test_notebook_runs_from_top_to_bottom() -> None:
    folder = ROOT / "examples" / "deploy"
    notebook = nbformat.read(folder / "founding_case.ipynb", as_version=4)
    NotebookClient(
        notebook, timeout=180, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    printed = "".join(
        out.get("text", "") for cell in notebook.cells if cell.cell_type == "code" for out in cell.outputs
    )
    assert "Huawei Ascend 910C in clusters of" in printed
    assert "(uncalibrated)" in printed


def commands() -> list[str]:
    text = PAGE.read_text("utf-8").replace("\\\n", " ")
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ twokey deploy")]


@pytest.mark.parametrize("command", commands())
def test_every_command_of_the_page_runs(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "calibrate" in command:
        pytest.skip("takes minutes; test_validate.py fits")
    for source in (ROOT / "examples" / "deploy").iterdir():
        target = tmp_path / source.name
        if source.is_dir():
            target.mkdir()
            for file in source.iterdir():
                (target / file.name).write_bytes(file.read_bytes())
        else:
            target.write_bytes(source.read_bytes())
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(deploy, shlex.split(command)[2:], catch_exceptions=False)
    assert result.exit_code in (0, 1)
    assert result.stdout


def test_there_are_commands_to_run() -> None:
    names = {shlex.split(command)[2] for command in commands()}
    assert {"estimate", "equivalent", "place", "enforce", "report", "validate", "calibrate"} <= names
