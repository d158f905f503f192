"""What the sources want now, staged for one run."""
