"""How long `inspera-sync --help` takes (promised: under 0.3 s), against starting Python alone, in one run."""

import statistics
import subprocess
import sys
import time

ROUNDS = 9
MOST_SECONDS = 0.3


def seconds(*command: str) -> float:
    """The median of some rounds, the first left out: it fills the caches."""
    taken = []
    for _ in range(ROUNDS + 1):
        begun = time.perf_counter()
        subprocess.run([sys.executable, *command], check=True, capture_output=True)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken[1:])


def main() -> int:
    """Prints both and their ratio; 1 when the promise is broken."""
    bare, ours = seconds("-c", "pass"), seconds("-m", "sync", "--help")
    print(
        f"--help {ours:.3f} s, Python alone {bare:.3f} s, ratio {ours / bare:.1f}; promised: under {MOST_SECONDS} s"
    )
    return ours >= MOST_SECONDS


if __name__ == "__main__":
    sys.exit(main())
