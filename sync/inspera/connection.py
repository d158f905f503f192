"""How a tenant is reached: plain values, so that nothing here depends on how they were configured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sync.contract import CALLS, Call


@dataclass(frozen=True, slots=True)
class Connection:
    """One tenant, and how hard it may be pressed.

    `url` is the tenant's address without `/api`; `api_key` is asked each time that a token is fetched, so that a key
    that has been replaced is picked up. All durations are in seconds: `connect_timeout` and `read_timeout` are those
    of one call, `retry_after_ceiling` is the longest wait between two attempts whatever Inspera asks for, and
    `read_after_write_delay` is how long a write may take until it can be read back (vendor contract, Conventions).
    `attempts` counts the first one. `batch_size` is the most records that one call carries. `proxy` is a URL and may hold a
    password; `ca_bundle` is the path of a PEM file. Neither is ever taken from the environment. `calls` are all calls
    by name, with what the operator overrides. `observe` is told of each request by any thread: the call's name, the
    status of the answer (or `unreachable`, `lost`, `stopped`), and how many seconds it took.
    """

    url: str
    client_id: str
    api_key: Callable[[], str] = field(repr=False)
    calls_per_second: float = 5.0
    workers: int = 8
    batch_size: int = 100
    connect_timeout: float = 5.0
    read_timeout: float = 10.0
    attempts: int = 5
    retry_after_ceiling: float = 60.0
    read_after_write_delay: float = 10.0
    proxy: str | None = field(default=None, repr=False)
    ca_bundle: str | None = None
    calls: Mapping[str, Call] = field(default_factory=lambda: CALLS, repr=False)
    observe: Callable[[str, str, float], None] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not 0 < self.calls_per_second < float("inf"):
            raise ValueError("calls_per_second must be above 0")
        if min(self.workers, self.batch_size, self.attempts) < 1:
            raise ValueError("workers, batch_size and attempts must be at least 1")
        if min(self.connect_timeout, self.read_timeout) <= 0:
            raise ValueError("timeouts must be above 0")
        if min(self.retry_after_ceiling, self.read_after_write_delay) < 0:
            raise ValueError("waits must not be below 0")
        if "@" in self.url:
            # It would be sent as a login of its own, in the place of our token.
            raise ValueError("url must not hold a user name")

    @property
    def base(self) -> str:
        """The address that call paths are appended to: `https://<domain>/api` (vendor contract, Conventions)."""
        return self.url.rstrip("/").removesuffix("/api").rstrip("/") + "/api"

    def named(self, call: Call) -> Call:
        """The call of this name as the operator has it; its method, path and wrapper may be overridden."""
        return self.calls[call.name]
