"""The sandbox, tested through its door: HTTP, its own pages, its files, and its process."""
