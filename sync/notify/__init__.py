"""Notifications: who is notified of what, once for each change, and how it is delivered."""
