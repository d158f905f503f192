"""Files as they are delivered: opened, watched, unpacked."""
