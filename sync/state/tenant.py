"""The tenant that a state belongs to: what is known of one Inspera is wrong of any other."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import Connection, text

from sync.errors import OtherTenant

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class TenantIdentity:
    """A tenant in one spelling, so that two spellings of one address are equal."""

    url: str
    client_id: str

    @classmethod
    def of(cls, url: str, client_id: str) -> "TenantIdentity":
        """Return the tenant at this address, whatever its case, default port or trailing slash."""
        parts = urlsplit(url)
        scheme, host = parts.scheme.lower(), (parts.hostname or "").rstrip(".")
        host = f"[{host}]" if ":" in host else host
        port = "" if parts.port in (None, _DEFAULT_PORTS.get(scheme)) else f":{parts.port}"
        return cls(f"{scheme}://{host}{port}{parts.path.rstrip('/')}", client_id.strip())

    def __str__(self) -> str:
        return f"{self.url} (client id {self.client_id})"


def read_tenant(connection: Connection) -> TenantIdentity | None:
    """Return the tenant of an opened state; None while no command has written it."""
    row = connection.execute(text("SELECT url, client_id FROM tenant WHERE id = 1")).first()
    return None if row is None else TenantIdentity(str(row.url), str(row.client_id))


def refuse_another(connection: Connection, tenant: TenantIdentity, place: object) -> None:
    """Refuse a state of another tenant.

    Raises:
        OtherTenant: the state belongs to another one.
    """
    owner = read_tenant(connection)
    if owner is not None and owner != tenant:
        raise OtherTenant(
            f"{place}: this state belongs to {owner}, but the configuration names {tenant}; "
            "correct 'inspera', or give this tenant a state of its own with the setting 'state'. "
            "If it is the same tenant under a new address or client id, run `inspera-sync state "
            "rebind`"
        )


def store_tenant(connection: Connection, tenant: TenantIdentity) -> None:
    """Store this tenant as the owner of the state; the caller commits."""
    connection.execute(
        text(
            "INSERT INTO tenant (id, url, client_id) VALUES (1, :url, :client)"
            " ON CONFLICT (id) DO UPDATE SET url = excluded.url, client_id = excluded.client_id"
        ),
        {"url": tenant.url, "client": tenant.client_id},
    )
