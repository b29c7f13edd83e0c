"""What every room's tests share: the command line, run in this process as a shell would run it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from twokey.cli.main import run


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended and what it printed."""

    status: int
    out: str
    err: str


Twokey = Callable[..., Ran]


@pytest.fixture
def twokey(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Twokey:
    """Return a function that runs `twokey …`; an exception that is no person's mistake fails the test as it is."""

    def call(*arguments: object) -> Ran:
        monkeypatch.setenv("TWOKEY_DEBUG", "1")
        monkeypatch.setattr(sys, "argv", ["twokey", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run()
        printed = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Ran(ended.value.code, printed.out, printed.err)

    return call
