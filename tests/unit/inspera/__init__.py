"""Tests of the client's side of Inspera, against a small made-up tenant on loopback."""
