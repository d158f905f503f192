"""Files as sources: how they are opened, delivered and unpacked."""
