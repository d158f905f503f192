"""What a difference means and whether it may be sent. Pure."""
