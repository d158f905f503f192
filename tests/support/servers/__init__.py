"""Real servers for tests, from Debian's packages, on loopback: started when a test needs them, stopped by their pid."""
