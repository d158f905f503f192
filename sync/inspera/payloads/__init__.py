"""The vendor's words, here and nowhere else: `bodies` words what we send, `readings` and `envelope` read answers."""
