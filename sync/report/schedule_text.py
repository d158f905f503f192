"""When jobs run next, in words: in the job's zone, and in UTC."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sync.report.lines import Line, heading
from sync.schedule import Schedule, next_times


def schedule_text(
    jobs: Mapping[str, tuple[Schedule, str, timedelta]], now: datetime
) -> Iterator[Line]:
    """Yield the next three times of each job. A job is its schedule, zone and jitter."""
    for name, (schedule, zone, jitter) in jobs.items():
        late = f", up to {int(jitter.total_seconds())} s later" if jitter else ""
        yield heading(f"Job {name}{late}, next:")
        for moment in next_times(schedule, now):
            utc = f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
            if zone:
                local = moment.astimezone(ZoneInfo(zone))
                yield Line(f"  {local:%a %Y-%m-%d %H:%M:%S} {zone} ({utc})")
            else:
                yield Line(f"  {moment.astimezone(UTC):%a} {utc}")
