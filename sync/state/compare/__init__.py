"""Wanted held against known, in SQL."""
