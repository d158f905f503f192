"""Request bodies and queries in the vendor's words."""
