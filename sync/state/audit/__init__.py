"""The audit log: an append-only chain of lines about what was done, by whom and when."""
