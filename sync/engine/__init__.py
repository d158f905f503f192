"""Extract → plan → execute.

Sees the store, the sources and Inspera through small protocols only.
"""
