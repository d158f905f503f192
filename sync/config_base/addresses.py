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


def address_and_port(text: str) -> tuple[str, int]:
    """Return the IP address and port of `127.0.0.1:9464`, `localhost:9464` or `[::1]:9464`.

    Raises:
        Unusable: it is something else.
    """
    host, _, port = text.rpartition(":")
    wrong = Unusable("is not an address and a port", "write it as 127.0.0.1:9464")
    if not port.isdecimal() or int(port) > 65535:
        raise wrong
    host = "127.0.0.1" if host.lower() == "localhost" else host.strip("[]")
    try:
        ip_address(host)
    except ValueError:
        raise wrong from None
    return host, int(port)
