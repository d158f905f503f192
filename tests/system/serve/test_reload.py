"""SIGHUP: a sound file is taken over, a invalid one told whole; a run under way keeps what it began with."""

import signal

from .site import Served, Serving

SELDOM = 'seldom: {cron: "15 2 29 2 *", zone: Europe/Oslo}'


def started(site: Served) -> Serving:
    serving = site.serve()
    site.until(lambda: bool(serving.events("service started")), serving)
    return serving


def stopped(serving: Serving) -> None:
    serving.signal(signal.SIGTERM)
    assert serving.wait() == 0, serving.said


def test_a_sound_file_is_taken_over_between_runs(site: Served) -> None:
    site.jobs = SELDOM
    serving = started(site)
    site.jobs = "often: {every: 2s}"
    site.write_rows()
    serving.signal(signal.SIGHUP)
    site.settled(serving)
    assert [one["jobs"] for one in serving.events("configuration read again")] == [["often"]]
    stopped(serving)


def test_a_invalid_file_is_told_whole_and_the_old_one_goes_on(site: Served) -> None:
    serving = started(site)
    site.settled(serving)
    site.jobs = "often: {every: soon}\nother: {every: 5m, kinds: [cat]}"
    site.university.correct_names()
    site.write_rows()
    serving.signal(signal.SIGHUP)
    refused = "the new configuration can't be used, the old one stays in use"
    site.until(lambda: len(serving.events(refused)) >= 2, serving)
    told = "\n".join(str(one["error"]) for one in serving.events(refused))
    assert "jobs.often.every" in told
    assert "jobs.other.kinds" in told
    site.settled(serving)  # the sources are read by the old rules, and on time
    assert not serving.events("configuration read again")
    stopped(serving)


def test_a_secret_that_is_gone_is_a_row_error_of_the_file(site: Served) -> None:
    serving = started(site)
    site.settled(serving)
    (site.university.folder / "api-key").unlink()
    serving.signal(signal.SIGHUP)
    refused = "the new configuration can't be used, the old one stays in use"
    site.until(lambda: bool(serving.events(refused)), serving)
    assert "api-key" in str(serving.events(refused)[0]["error"])
    stopped(serving)


def test_a_run_under_way_keeps_the_configuration_that_it_began_with(site: Served) -> None:
    site.jobs = "often: {every: 15s}"  # not so often that it is due again before it is done
    site.slow(0.1)
    serving = started(site)
    site.until(lambda: site.writes("POST", "/users/student") >= 2, serving)
    site.jobs = SELDOM
    site.settings["batch_size"] = 3
    site.write_rows()
    serving.signal(signal.SIGHUP)
    site.until(lambda: bool(serving.events("configuration read again")), serving)
    assert not serving.ran("often")  # it is still under way
    site.until(lambda: bool(serving.ran("often")), serving)
    assert serving.ran("often") == ["done"]
    assert site.contents() == site.university.expected()
    sizes = {
        len(call["body"]["candidates"])
        for call in site.calls()
        if call["path"].endswith("/candidates") and call["body"]
    }
    assert max(sizes) == 10  # as the old file says
    stopped(serving)


def test_a_invalid_file_during_a_run_does_not_touch_it(site: Served) -> None:
    site.slow(0.1)
    serving = started(site)
    site.until(lambda: site.writes("POST", "/users/student") >= 2, serving)
    config = site.configuration()
    config.write_text("inspera: [", "utf-8")
    serving.signal(signal.SIGHUP)
    refused = "the new configuration can't be used, the old one stays in use"
    site.until(lambda: bool(serving.events(refused)), serving)
    site.until(lambda: "done" in serving.ran("often"), serving)
    assert site.contents() == site.university.expected()
    stopped(serving)
