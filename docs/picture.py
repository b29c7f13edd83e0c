"""Draw the README's picture again: the founding case as the terminal shows it, as an SVG file."""

from __future__ import annotations

import io
import re
from datetime import date
from pathlib import Path

from rich.console import Console

from twokey.cli.assess_view import show
from twokey.law.assessing import assessment_of, decide
from twokey.law.order import read_order

HERE = Path(__file__).parent


def main() -> None:
    """Write docs/assess.svg."""
    stated = read_order(HERE.parent / "examples" / "orders" / "h200-founding.toml")
    day = date(2026, 1, 28)
    decided = decide(stated, day)
    screen = Console(record=True, width=110, file=io.StringIO(), force_terminal=True, highlight=False)
    title = "The founding case: H200 boards from the United States to a private AI company in China"
    show(assessment_of(decided, day), decided, title, "en", brief=True, screen=screen)
    picture = screen.export_svg(title="twokey assess examples/orders/h200-founding.toml --as-of 2026-01-28 --brief")
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)  # nothing is loaded from elsewhere
    (HERE / "assess.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
