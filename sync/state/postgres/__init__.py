"""A state on PostgreSQL."""
