"""The vendor's answers in this project's words."""
