"""What the running service shows over HTTP on loopback: health for systems that watch it, and metrics."""
