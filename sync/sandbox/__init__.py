"""A local Inspera for rehearsals: the vendor's side of the API, which shares no code with ours.

It stores people, tests and what is on them, refuses what Inspera would refuse, and logs every call.
On request it is slow, fails, or accepts manual edits. It listens on loopback only, and its own
`/_sandbox/` pages need no token.
"""

from sync.sandbox.server import Sandbox, serve

__all__ = ["Sandbox", "serve"]
