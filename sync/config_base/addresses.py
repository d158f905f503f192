"""Network addresses: which of them stay on this machine."""

from ipaddress import ip_address


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
