"""`make demo`: the founding case of 28 January 2026, both keys, and what turns them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

ORDERS = Path(__file__).parent / "orders"
STEPS = (
    ("1. The founding case on the day of the first approvals: both keys can be turned, on conditions.",
     ["assess", str(ORDERS / "h200-founding.toml"), "--as-of", "2026-01-28"]),
    ("2. The same boards from Taiwan: the January 2026 rule opens its door only to exports from the United States.",
     ["assess", str(ORDERS / "h200-from-taiwan.toml"), "--as-of", "2026-01-28", "--brief"]),
    ("3. Two weeks earlier the other key was shut: customs had been told that the H200 may not enter.",
     ["assess", str(ORDERS / "h200-founding.toml"), "--as-of", "2026-01-14", "--brief"]),
    ("4. What the SAFE Chips bill would do to every such order.",
     ["assess", str(ORDERS / "h200-founding.toml"), "--as-of", "2027-01-01", "--under", "safe-chips", "--brief"]),
)  # fmt: skip


def main() -> None:
    """Run the steps one after the other, each with the command that a person would type."""
    twokey = Path(sys.executable).with_name("twokey")
    for title, arguments in STEPS:
        shown = " ".join(argument.removeprefix(f"{ORDERS.parent.parent}/") for argument in arguments)
        print(f"\n━━ {title}\n   $ twokey {shown}\n", flush=True)
        status = subprocess.run([str(twokey), *arguments], check=False).returncode
        if status not in (0, 1, 2):
            sys.exit(status)
    print("\nNext: twokey law timeline · twokey law show 3A090.a.2 · twokey impact safe-chips · twokey chips show H200")
    sys.exit(desk(twokey))


def desk(twokey: Path) -> int:
    """Load the founding case into a desk of its own and open it; return the status.

    At a terminal it stays open until Ctrl-C. Without one, or where CI is set, it stops once its first page answered, so
    that nothing hangs.
    """
    home = Path(os.environ.get("TWOKEY_DEMO_HOME") or ORDERS.parent.parent / ".demo").absolute()
    environment = {**os.environ, "TWOKEY_HOME": str(home)}
    environment.pop("TWOKEY_DATABASE_URL", None)  # a demonstration is never loaded into a real desk
    print("\n━━ 5. The desk, with the founding case on it.\n   $ twokey demo && twokey serve\n", flush=True)
    if not (home / "demonstration").exists():
        print("   Loading it takes some seconds, the first time only.", flush=True)
        loaded = subprocess.run([str(twokey), "demo"], env=environment, stdout=subprocess.DEVNULL, check=False)
        if loaded.returncode:
            return loaded.returncode
    person = sys.stdin.isatty() and sys.stdout.isatty() and not os.environ.get("CI")
    flags = ["--open"] if person else ["--once"]
    serve = [str(twokey), "serve", "--port", str(_port(8000)), *flags]
    try:
        return subprocess.run(serve, env=environment, check=False).returncode
    except KeyboardInterrupt:
        return 0


def _port(wanted: int) -> int:
    """Return a port that is wanted, or 0 (any) where it is taken."""
    with socket.socket() as probe:
        return wanted if probe.connect_ex(("127.0.0.1", wanted)) else 0


if __name__ == "__main__":
    main()
