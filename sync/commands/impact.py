"""`check --impact`: what a change of the configuration would do in the next `apply`."""

from dataclasses import replace

from sync.app import App, Say, now
from sync.commands.earlier import gate_of
from sync.commands.plan import make_store
from sync.engine.run import plan_only
from sync.progress import Progress
from sync.report.impact_text import impact_details
from sync.report.lines import Line

_NONE = (
    "Configuration: this state was not brought in step by any configuration yet, so there is "
    "nothing to compare with."
)
_SAME = "Configuration: no setting of feeds or sources has changed its meaning since that `apply`."


def show_impact(app: App, say: Say, progress: Progress) -> bool:
    """Show what only the new configuration would do. Return whether `apply` would hold it.

    Nothing is written, and no call is made.
    """
    gate = gate_of(app, make_store)
    with app.state.open_to_read() as connection:
        store = make_store(app, connection)
        applied = store.configuration.applied()
        if applied is None:
            say(Line(_NONE))
            return False
        say(f"Configuration: compared with that of the last complete `apply`, {applied.at}.")
        policy = replace(app.policy(), gate=gate)
        same = applied.digest == gate.meaning.digest
        impact = (
            None if same else plan_only(app.feeds, store, policy, now(), progress).configuration
        )
    if impact is None:
        say(Line(_SAME))
        return False
    for line in impact_details(impact):
        say(line)
    return impact.held
