"""A local Inspera to rehearse against: the vendor's side of the API, sharing no code with ours.

It stores learners, tests and candidates, refuses what the vendor would refuse, and logs every call.
It can be slow, fail, and be edited by hand on request. It listens on loopback only, and needs no
token for its own `/_sandbox/` pages.
"""

from sync.sandbox.server import Sandbox, serve

__all__ = ["Sandbox", "serve"]
