"""Sources read into the staging tables."""
