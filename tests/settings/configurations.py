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
