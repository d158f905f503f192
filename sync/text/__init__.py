"""Text: which characters it may contain, how values are masked, and how they differ. Pure."""
