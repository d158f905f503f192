"""What was last put in Inspera, what is wanted now, and the journal of what was tried.

No other package contains SQL for the state.
"""
