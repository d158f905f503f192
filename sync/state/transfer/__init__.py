"""Moving a whole state: into a backup, back from it, and to another database."""
