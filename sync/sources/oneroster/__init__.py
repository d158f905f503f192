"""OneRoster bundles."""
