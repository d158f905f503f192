"""The source of rows from a SQL database."""
