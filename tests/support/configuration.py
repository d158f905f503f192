"""The configuration of the made-up university: three feeds that every story has, and four that some ask for."""

CONFIG = """
inspera:
  url: ""
  client_id: example
  api_key: ${file:api-key}
  calls_per_second: 5000
  workers: 4
  attempts: 3
  read_after_write_delay: 0s
  call_timeout: 0s
state: sqlite:///state.db
grace: {readings: 1, age: 0s, staff_age: 0s}
sources:
  students: {type: csv, path: students.csv}
  exams: {type: csv, path: exams.csv, delimiter: ";"}
  registrations: {type: csv, path: registrations.csv}
feeds:
  - kind: learner
    source: students
    auth_system: FEIDE
    where: {status: [active, exchange]}
    map: {key: student_no, username: feide, external_id: feide, first_name: given, last_name: family, email: mail}
  - kind: test
    source: exams
    map:
      external_test_id: "{course}-{term}"
      title: "{course} {name}"
      start: {column: start, format: "%d.%m.%Y %H:%M", zone: Europe/Oslo}
      end: {column: end, format: "%d.%m.%Y %H:%M", zone: Europe/Oslo}
      duration: {column: minutes}
      template: {column: template, default: "1001"}
  - kind: candidate
    source: registrations
    map: {test: "{course}-{term}", learner: student_no, candidate_id: number, extra_time: extra}
"""

MORE = """
sources:
  employees: {type: csv, path: employees.csv}
  graders: {type: csv, path: graders.csv}
  panels: {type: csv, path: panels.csv}
  settings: {type: csv, path: settings.csv}
feeds:
  - kind: staff
    source: employees
    auth_system: FEIDE
    map: {key: employee_no, username: feide, external_id: feide, first_name: given, last_name: family, email: mail}
  - kind: contributor
    source: graders
    map: {test: "{course}-{term}", staff: employee_no, roles: duties, committees: committees, room: room}
  - kind: committee
    source: panels
    map: {test: "{course}-{term}", committee: panel, type: type}
  - kind: option
    source: settings
    map: {test: "{course}-{term}", option: option, value: value}
"""
"""What a story asks for with `Site.also`."""
