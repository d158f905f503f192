"""The source of CSV files."""
