"""The parts that settings of all packages share: the strict base class, durations and secrets."""
