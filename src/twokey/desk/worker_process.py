"""The worker as a process of its own: `python -m twokey.desk.worker_process`."""

from __future__ import annotations

from twokey.desk import boot


def main() -> None:
    """Join the database, set Django up, and work until told to stop."""
    boot.setup()
    from twokey.desk.worker import run

    run()


if __name__ == "__main__":
    main()
