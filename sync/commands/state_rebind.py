"""`state rebind`: moves a state to the same tenant under another address or client id."""

from collections.abc import Iterator
from itertools import chain, islice

from sqlalchemy import Connection

from sync.app import App, Say, now
from sync.commands.plan import make_store
from sync.engine.interruption import Interruption
from sync.engine.protocols import Target
from sync.errors import CallMissing, NotThere, StateError
from sync.exit_codes import Exit
from sync.records.base import Kind
from sync.records.changes import Fields
from sync.records.kinds import PEOPLE
from sync.state.store import Store
from sync.state.tenant import TenantIdentity, read_tenant, store_tenant

SAMPLE = 20
"""How many known tests, and how many people of each kind, are looked up before a state is moved."""


def rebind(app: App, say: Say, interruption: Interruption, *, renamed: bool) -> Exit:
    """Move the state to the tenant of the configuration, if a person confirms that it is the same.

    Raises:
        StateError: the tenant has nothing of what this state knows, so it is another one.
        CallError: the tenant could not be asked.
    """
    with app.state.open_to_rebind() as connection:
        owner = read_tenant(connection)
        if owner is None or owner == app.tenant:
            store_tenant(connection, app.tenant)
            connection.commit()
            say(f"Nothing to move: {app.state} belongs to {app.tenant}.")
            return Exit.OK
        _explain(app, owner, say)
        if not renamed:
            say(
                "Nothing was changed. "
                "If it is the same tenant, run `inspera-sync state rebind --renamed`."
            )
            return Exit.USAGE
        _refuse_stranger(app, connection, interruption)
        store_tenant(connection, app.tenant)
        connection.commit()
    say(
        f"Moved: {app.state} belongs to {app.tenant} now. Run `plan`, then `reconcile`, before "
        "the next `apply`."
    )
    return Exit.OK


def _explain(app: App, owner: TenantIdentity, say: Say) -> None:
    say(f"{app.state} belongs to {owner}; the configuration names {app.tenant}.")
    say("A state records what one tenant has, and what this tool put there.")
    say("Move it only if that tenant was renamed or has another client id.")
    say("For another tenant, such as a test tenant, set 'state' to another file or database.")


def _refuse_stranger(app: App, connection: Connection, interruption: Interruption) -> None:
    """Refuse a tenant that has nothing of what is known, before the state is moved (rules 37)."""
    from sync.inspera.target import InsperaTarget

    store = make_store(app, connection)
    known = list(_known(store))
    with InsperaTarget(app.connection(), interruption.event, now) as target:
        if known and not any(_is_there(target, kind, fields) for kind, fields in known):
            raise StateError(
                f"{app.tenant}: has none of the {len(known)} tests and people that were looked "
                "up, so it is another tenant than this state's; correct 'inspera', or choose "
                "another 'state'"
            )


def _known(store: Store) -> Iterator[tuple[Kind, Fields]]:
    each = (
        ((kind, fields) for _, fields in islice(store.known.everything(kind), SAMPLE))
        for kind in (Kind.TEST, *PEOPLE)
    )
    return chain.from_iterable(each)


def _is_there(target: Target, kind: Kind, fields: Fields) -> bool:
    try:
        if kind is Kind.TEST:
            return bool(target.find_test(str(fields["external_test_id"])))
        if fields["external_id"]:
            return bool(target.find_person(str(fields["auth_system"]), str(fields["external_id"])))
        return bool(target.find_person_by_login(str(fields["username"])))
    except (CallMissing, NotThere):
        return False
