"""What settings of every package have in common: strictness, durations and secrets."""
