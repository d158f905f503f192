"""A feed's rules made into a feed that maps rows; all that is wrong with them is said at once."""

from collections.abc import Mapping

from sync.errors import UsageError
from sync.mapping.conditions import Condition, compile_condition
from sync.mapping.feed import Checks, CompiledFeed
from sync.mapping.fields import CompiledField, compile_field, lookup_of
from sync.mapping.records import shape_of
from sync.mapping.rules import FeedRule, FieldRule, RuleError
from sync.mapping.source import Columns
from sync.mapping.windows import Complete, compile_windows
from sync.records.base import Kind
from sync.records.fields import FieldSpec
from sync.records.kinds import KEY_FIELDS, KEY_FROM


def compile_feed(rule: FeedRule, place: str) -> CompiledFeed:
    """Make a feed ready to map rows.

    `place` is how its source is named to people, such as `students.csv`.

    Row errors then say `students.csv line 7`. Columns are named as the sources give them: stripped
    and in NFC.

    Raises:
        UsageError: the rules can't be followed; it lists all that is wrong, one a line.
    """
    wrong: list[str] = []
    shape = shape_of(rule.kind, rule.options, rule.staff_body)
    columns, fields = Columns(), dict[str, CompiledField]()
    for name, field_rule in rule.fields.items():
        try:
            fields[name] = _field(rule, shape.fields, name, field_rule, columns)
        except RuleError as error:
            wrong.append(f"map.{name}: {error}")
    conditions, departure = _conditions(rule, columns, wrong)
    complete: Complete | None = None
    try:
        complete = compile_windows(rule.fields) if rule.kind is Kind.TEST else None
    except RuleError as error:
        wrong.append(f"map: {error}")
    labels = _labels(rule, wrong)
    if wrong:
        kinds = rule.kind if rule.kind is Kind.STAFF else f"{rule.kind}s"
        raise UsageError("\n".join(f"feed of {kinds} from {place}: {text}" for text in wrong))
    for name, label in labels.items():
        fields[name] = _field(rule, shape.fields, name, rule.fields[label], columns)
    lookups = {name: lookup_of(one, shape.fields[name]) for name, one in rule.fields.items()}
    return CompiledFeed(
        shape,
        place,
        columns,
        fields,
        labels,
        Checks(
            conditions,
            departure,
            _needs_names(rule),
            complete,
            {name: lookup for name, lookup in lookups.items() if lookup is not None},
        ),
    )


def _conditions(
    rule: FeedRule, columns: Columns, wrong: list[str]
) -> tuple[list[Condition], list[Condition]]:
    """Return the conditions that select rows, and those of departures; note what is wrong."""
    conditions, departure = list[Condition](), list[Condition]()
    for name, found, named in (
        ("where", conditions, rule.where),
        ("where_not", conditions, rule.where_not),
        ("departure", departure, rule.departure),
    ):
        for column, wanted in named.items():
            try:
                found.append(compile_condition(column, wanted, columns, setting=name))
            except RuleError as error:
                wrong.append(f"{name}.{column}: {error}")
    return conditions, departure


def _needs_names(rule: FeedRule) -> bool:
    """Tell whether a blank first name is an error.

    Where it is put together, since a person may have one name only.

    Not where a blank clears it, or where another feed fills it.
    """
    first = rule.fields.get("first_name")
    made = first is not None and (first.template is not None or first.first_of is not None)
    return made and rule.needs_names and not rule.clear_blanks


def _field(
    rule: FeedRule,
    specs: Mapping[str, FieldSpec],
    name: str,
    field_rule: FieldRule,
    columns: Columns,
) -> CompiledField:
    if name not in specs:
        raise RuleError(f"is not a field of {_named(rule.kind)}; use {', '.join(specs)}")
    spec, allowed = specs[name], rule.allow_text
    return compile_field(field_rule, spec, columns, clear_blanks=rule.clear_blanks, allowed=allowed)


def _named(kind: Kind) -> str:
    return "staff" if kind is Kind.STAFF else f"{'an' if kind is Kind.OPTION else 'a'} {kind}"


def _labels(rule: FeedRule, wrong: list[str]) -> dict[str, str]:
    """Return the parts of the key, each with the field whose rule makes it.

    The row errors of a part are named by that field.
    """
    labels: dict[str, str] = {}
    source = KEY_FROM.get(rule.kind)
    for name in KEY_FIELDS[rule.kind]:
        label = name if name in rule.fields or source is None else source
        if label in rule.fields:
            labels[name] = label
        else:
            alternative = f" or map '{source}'" if source else ""
            wrong.append(f"map.{name}: is missing; give the column that holds it{alternative}")
    return labels
