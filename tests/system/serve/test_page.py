"""The status page of a real service: jobs are started on it, and a new token ends its sessions."""

import re
import signal

import requests

from ...support.servers.needed import free_port
from .served_university import ServedUniversity

SELDOM = 'seldom: {cron: "15 2 29 2 *", zone: Europe/Oslo}'
FIRST, SECOND = "foerste-merke-0123456789", "andre-merke-0123456789-x"


def test_a_job_is_started_on_the_page_and_a_new_token_ends_the_session(
    university: ServedUniversity,
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    token = university.rows.folder / "page-token"
    token.touch(0o600)
    token.write_text(FIRST)
    university.jobs = SELDOM
    university.more = university.more.replace(
        "shutdown_timeout: 20s",
        f'shutdown_timeout: 20s, listen: "127.0.0.1:{port}", page: {{token: "${{file:page-token}}"}}',
    )
    serving = university.serve()
    university.until(lambda: bool(serving.events("service started")), serving)
    browser = requests.Session()
    assert browser.post(f"{url}/login", data={"token": FIRST}, timeout=20).status_code == 200
    csrf = re.findall(r'name="csrf" value="([^"]+)"', browser.get(f"{url}/", timeout=20).text)[0]
    answer = browser.post(f"{url}/jobs/seldom/run", data={"csrf": csrf}, timeout=20)
    assert answer.status_code == 200, answer.text
    university.settled(serving)
    university.until(lambda: serving.ran("seldom") == ["done"], serving)
    assert "/runs/1" in browser.get(f"{url}/runs", timeout=20).text
    token.write_text(SECOND)
    serving.signal(signal.SIGHUP)
    university.until(lambda: bool(serving.events("configuration read again")), serving)
    assert browser.get(f"{url}/held", timeout=20).url.endswith("/login")
    assert browser.post(f"{url}/login", data={"token": SECOND}, timeout=20).status_code == 200
    assert FIRST not in serving.output
    assert SECOND not in serving.output
