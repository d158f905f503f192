"""Request bodies and queries, under the vendor's names."""
