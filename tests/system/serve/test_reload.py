"""SIGHUP: a sound file is taken over, a invalid one told whole; a run under way keeps what it began with."""

import signal

from .served_university import ServedUniversity, ServiceProcess

SELDOM = 'seldom: {cron: "15 2 29 2 *", zone: Europe/Oslo}'


def started(university: ServedUniversity) -> ServiceProcess:
    serving = university.serve()
    university.until(lambda: bool(serving.events("service started")), serving)
    return serving


def stopped(serving: ServiceProcess) -> None:
    serving.signal(signal.SIGTERM)
    assert serving.wait() == 0, serving.output


def test_a_sound_file_is_taken_over_between_runs(university: ServedUniversity) -> None:
    university.jobs = SELDOM
    serving = started(university)
    university.jobs = "often: {every: 2s}"
    university.write_rows()
    serving.signal(signal.SIGHUP)
    university.settled(serving)
    assert [one["jobs"] for one in serving.events("configuration read again")] == [["often"]]
    stopped(serving)


def test_an_invalid_file_is_reported_whole_and_the_old_one_goes_on(
    university: ServedUniversity,
) -> None:
    serving = started(university)
    university.settled(serving)
    university.jobs = "often: {every: soon}\nother: {every: 5m, kinds: [cat]}"
    university.rows.correct_names()
    university.write_rows()
    serving.signal(signal.SIGHUP)
    refused = "the new configuration can't be used, the old one stays in use"
    university.until(lambda: len(serving.events(refused)) >= 2, serving)
    told = "\n".join(str(one["error"]) for one in serving.events(refused))
    assert "jobs.often.every" in told
    assert "jobs.other.kinds" in told
    university.settled(serving)  # the sources are read by the old rules, and on time
    assert not serving.events("configuration read again")
    stopped(serving)


def test_a_secret_that_is_gone_is_a_row_error_of_the_file(university: ServedUniversity) -> None:
    serving = started(university)
    university.settled(serving)
    (university.rows.folder / "api-key").unlink()
    serving.signal(signal.SIGHUP)
    refused = "the new configuration can't be used, the old one stays in use"
    university.until(lambda: bool(serving.events(refused)), serving)
    assert "api-key" in str(serving.events(refused)[0]["error"])
    stopped(serving)


def test_a_run_under_way_keeps_the_configuration_that_it_began_with(
    university: ServedUniversity,
) -> None:
    university.jobs = "often: {every: 15s}"  # not so often that it is due again before it is done
    university.slow(0.1)
    serving = started(university)
    university.until(lambda: university.writes("POST", "/users/student") >= 2, serving)
    university.jobs = SELDOM
    university.settings["batch_size"] = 3
    university.write_rows()
    serving.signal(signal.SIGHUP)
    university.until(lambda: bool(serving.events("configuration read again")), serving)
    assert not serving.ran("often")  # it is still under way
    university.until(lambda: bool(serving.ran("often")), serving)
    assert serving.ran("often") == ["done"]
    assert university.contents() == university.rows.expected()
    sizes = {
        len(call["body"]["candidates"])
        for call in university.calls()
        if call["path"].endswith("/candidates") and call["body"]
    }
    assert max(sizes) == 10  # as the old file says
    stopped(serving)


def test_an_invalid_file_during_a_run_does_not_touch_it(university: ServedUniversity) -> None:
    university.slow(0.1)
    serving = started(university)
    university.until(lambda: university.writes("POST", "/users/student") >= 2, serving)
    config = university.configuration()
    config.write_text("inspera: [", "utf-8")
    serving.signal(signal.SIGHUP)
    refused = "the new configuration can't be used, the old one stays in use"
    university.until(lambda: bool(serving.events(refused)), serving)
    university.until(lambda: "done" in serving.ran("often"), serving)
    assert university.contents() == university.rows.expected()
    stopped(serving)
