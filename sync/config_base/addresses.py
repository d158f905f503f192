"""Network addresses: which of them stay on this machine."""

from ipaddress import ip_address

from sync.errors import Unusable


def is_loopback(host: str) -> bool:
    """Tell whether a host name or an IP address is this machine's own, such as `127.0.0.1`.

    Only `localhost` is accepted as a name: no name is looked up.
    """
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def loopback_address(text: str) -> tuple[str, int]:
    """Return the IP address and port of `127.0.0.1:9464`, `localhost:9464` or `[::1]:9464`.

    Raises:
        Unusable: it is something else, or other machines can reach it.
    """
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise Unusable("is not an address and a port", "write it as 127.0.0.1:9464")
    if not is_loopback(host):
        raise Unusable(
            "can be reached from other machines without a login",
            f"use 127.0.0.1:{port}, and put a web server with a login in front of it",
        )
    return "127.0.0.1" if host.lower() == "localhost" else host.strip("[]"), int(port)
