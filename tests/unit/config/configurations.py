"""A small sound configuration, to be spoilt by the tests in one place at a time."""

SOUND = """\
inspera:
  url: https://example.inspera.com
  client_id: example
  api_key: ${INSPERA_KEY}
sources:
  people: {type: csv, path: people.csv}
  exams: {type: csv, path: exams.csv}
  seats: {type: csv, path: seats.csv}
feeds:
  - kind: learner
    source: people
    auth_system: FEIDE
    map: {key: no, username: feide, external_id: feide, first_name: given, last_name: family}
  - kind: test
    source: exams
    map:
      external_test_id: "{course}-{term}"
      title: name
      start: {column: start, zone: Europe/Oslo}
      end: {column: end, zone: Europe/Oslo}
      duration: minutes
  - kind: candidate
    source: seats
    map: {test: "{course}-{term}", learner: no}
"""


def changed(old: str, new: str) -> str:
    """The sound configuration with one piece of its text replaced."""
    assert SOUND.count(old) == 1, f"{old!r} should stand there once"
    return SOUND.replace(old, new)


def with_title(spec: str) -> str:
    """The sound configuration with this on the right-hand side of a test's title."""
    return changed("title: name", f"title: {spec}")


STAFF = """\
  - kind: staff
    source: people
    auth_system: FEIDE
    map: {key: no, username: feide, external_id: feide, first_name: given, last_name: family}
"""


def with_option(spec: str, value: str = "pin") -> str:
    """The sound configuration with a feed of options after its own, whose `map` is on lines 28 to 30."""
    head = "  - kind: option\n    source: exams\n    map:\n      test: exam\n"
    return f"{SOUND}{head}      option: {spec}\n      value: {value}\n"


def with_contributors(fields: str) -> str:
    """The sound configuration with staff and with contributors, whose `map` is on line 31."""
    return f"{SOUND}{STAFF}  - kind: contributor\n    source: people\n    map: {{test: exam, staff: no, {fields}}}\n"


def with_committees(fields: str) -> str:
    """The sound configuration with a feed of committees, whose `map` is on line 27."""
    return f"{SOUND}  - kind: committee\n    source: exams\n    map: {{test: exam, {fields}}}\n"


def with_inspera(*lines: str) -> str:
    """The sound configuration with more lines under `inspera`, from line 4 on."""
    return changed("client_id: example", "\n  ".join(("client_id: example", *lines)))
