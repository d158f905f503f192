"""The source of OneRoster bundles."""
