"""How many calls a first load makes, by name, against the fewest that would do. Run it as a script.

10,000 learners, 100 tests and 30,000 candidates are sent to a sandbox: to an empty tenant, and to one where 300 of the
learners have an account under the same login, 20 under another login with the same external id, and 5 two accounts.
"""

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.support.first_load import FirstLoad

EXISTING = {"same": 300, "other": 20, "twice": 5}


def show(title: str, load: FirstLoad, made: Counter[str], seconds: float) -> None:
    least = load.least()
    print(f"{title} ({seconds:.0f} s)")
    for name in sorted({*made, *least}):
        print(f"  {name:24} {made[name]:>8,}  fewest {least.get(name, 0):>8,}")
    total, fewest = made.total(), sum(least.values())
    print(f"  {'total':24} {total:>8,}  fewest {fewest:>8,}  ({total / fewest:.3f} times)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the usual size")
    scale = parser.parse_args().scale
    size = {
        "learners": int(10_000 * scale),
        "tests": int(100 * scale),
        "candidates": int(30_000 * scale),
    }
    loads = {
        "empty tenant": FirstLoad(**size),
        "some exist": FirstLoad(**size, **EXISTING),
        "empty tenant, everyone looked up": FirstLoad(**size, above=0),
    }
    for title, load in loads.items():
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            made, printed = load.apply(Path(folder))
            show(title, load, made, time.monotonic() - began)
            print("  ", printed.splitlines()[-1])


if __name__ == "__main__":
    main()
