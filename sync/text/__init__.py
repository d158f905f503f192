"""Text: allowed characters, the masking of values, and their similarity. Pure."""
