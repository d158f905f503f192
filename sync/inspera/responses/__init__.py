"""Readers of the vendor's responses, which return this project's types."""
