"""What is synchronised: rows, records of each kind, and the changes between them. Values only."""
