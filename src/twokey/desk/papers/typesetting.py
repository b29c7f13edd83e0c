"""Typeset a paper: one template, fixed fonts, no clock, so that the same record gives the same bytes."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

import pylopdf_fonts_zh_cn
import typst

from twokey.desk.papers import licence, qr, release, use
from twokey.desk.papers.page import Page, as_json
from twokey.desk.papers.record import NAME, Record
from twokey.desk.papers.say import Say

LAYOUTS: Final = MappingProxyType(
    {"licence": licence.lay_out, "refusal": licence.lay_out, "release": release.lay_out, "use": use.lay_out}
)
_STANDARDS: Final[list[typst.PDFStandard]] = ["a-3a", "ua-1"]  # archival, with attachments; tagged for screen readers


def lay_out(record: Record) -> Page:
    """Return the page of a record; raises KeyError, TypeError or ValueError where its documents are not of its kind."""
    return LAYOUTS[record.kind](record)


def pdf(record: Record) -> bytes:
    """Return the PDF of a record: PDF/A-3a and PDF/UA-1, with the record inside. Raises as `lay_out` does."""
    content = _set(record, "pdf")
    assert isinstance(content, bytes)
    return content


def pictures(record: Record, ppi: int = 144) -> list[bytes]:
    """Return the pages of a record as PNG, to look at them where no PDF viewer is."""
    content = _set(record, "png", ppi)
    return content if isinstance(content, list) else [content]


def _set(record: Record, form: Literal["pdf", "png"], ppi: int = 144) -> bytes | list[bytes]:
    page = lay_out(record)
    say = Say(record.lang)
    words = {
        "page": say("page", page="{page}", pages="{pages}"),
        "code": say("code"),
        "attached": NAME,
    }
    return typst.compile(
        _template(),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        format=form,
        ppi=ppi,
        sys_inputs={
            "page": as_json(page, record.lang, words),
            "record": record.dump().decode(),
            "name": NAME,
            "code": qr.svg(page.code),
            "wide": "yes" if page.code.startswith(qr.WHOLE) else "",
            "year": str(page.at.year),
            "month": str(page.at.month),
            "day": str(page.at.day),
        },
        pdf_standards=_STANDARDS if form == "pdf" else [],
        timestamp=page.at.replace(microsecond=0),
    )


@cache
def _template() -> bytes:
    return (files("twokey.desk.papers") / "paper.typ").read_bytes()


@cache
def _fonts() -> typst.Fonts:
    """Return the compiler's own Latin fonts and the Chinese ones of their package; the machine's fonts never count."""
    folder = Path(pylopdf_fonts_zh_cn.__file__).parent
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[folder])
