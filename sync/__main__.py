"""The entry point of the command `inspera-sync`."""

import sys


def main() -> None:
    """Run the command `inspera-sync`."""
    from sync.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
