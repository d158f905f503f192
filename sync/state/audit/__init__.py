"""The audit log: an append-only chain of lines about what was done, when, and who did it."""
