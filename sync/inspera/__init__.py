"""The client's side of Inspera: paced, repeated and sorted calls, and what a change becomes when it is sent.

`target.Target` is the door that the rest of the house uses. Only `client` imports requests, and vendor field names
live in `payloads` alone.
"""
