"""Gather → decide → carry out.

Sees the store, the sources and Inspera through small protocols only.
"""
