"""A local Inspera to rehearse against: it speaks the vendor's side of the wire and shares no code with ours.

It keeps learners, tests and candidates, refuses what the vendor would refuse, logs every call, and can be told to be
slow, to fail, and to change by hand. It listens on loopback only, and needs no token for its own `/_sandbox/` pages.
"""

from sync.sandbox.server import Sandbox, serve

__all__ = ["Sandbox", "serve"]
