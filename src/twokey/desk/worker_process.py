"""The worker as a process of its own: `python -m twokey.desk.worker_process`."""

from __future__ import annotations

from twokey.desk import boot
from twokey.desk.parent import end_with_parent


def main() -> None:
    """Join the database, set Django up, and work until told to stop, or until `twokey serve` is gone."""
    end_with_parent()
    boot.setup()
    from twokey.desk.worker import run

    run()


if __name__ == "__main__":
    main()
