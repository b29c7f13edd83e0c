"""How long a chip takes: `python benchmarks/chips.py`.

Cold times start a new interpreter; each figure is the best of several, beside the time that Python itself needs.
"""

from __future__ import annotations

import subprocess
import sys
import time
import timeit
from collections.abc import Sequence

SHOW = ("-c", "from twokey.cli.main import run; run()", "chips", "show", "H200")


def cold(arguments: Sequence[str], repeat: int = 7) -> float:
    """Return the best wall time in seconds of a new interpreter that runs `arguments`."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Print each figure and, for the cold ones, its ratio to an empty program."""
    empty = cold(("-c", "pass"))
    print(f"{'python, empty program':34} {empty * 1e3:9.1f} ms")
    for name, arguments in (
        ("import dataclasses", ("-c", "import dataclasses")),
        ("import twokey.chips", ("-c", "import twokey.chips")),
        ("from twokey.chips import find", ("-c", "from twokey.chips import find")),
        ("find('H200'), table read", ("-c", "from twokey.chips import find; find('H200')")),
        ("twokey chips show H200", SHOW),
    ):
        seconds = cold(arguments)
        print(f"{name:34} {seconds * 1e3:9.1f} ms   ×{seconds / empty:.1f}")

    from twokey.chips import find, tpp_of_dense_rates

    chip = find("H200")
    rates = [{"bits": 8, "tops": 1979.0}, {"bits": 16, "tops": 989.5}]
    for name, call in (
        ("find('h200'), warm", lambda: find("h200")),
        ("chip.tpp", lambda: chip.tpp),
        ("chip.performance_density", lambda: chip.performance_density),
        ("tpp_of_dense_rates, two rates", lambda: tpp_of_dense_rates(rates)),
    ):
        seconds = min(timeit.repeat(call, number=2000, repeat=5)) / 2000
        print(f"{name:34} {seconds * 1e6:9.2f} µs")


if __name__ == "__main__":
    main()
