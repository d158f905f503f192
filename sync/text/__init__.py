"""What text may contain, how values are masked, and how a value resembles another. Pure."""
