"""When jobs run: crontab and intervals, next times through clock changes, and the timetable that calls them. Pure but
for the timetable, which is told the time by the machine's clock.
"""

from sync.schedule.crontab import Crontab, crontab
from sync.schedule.every import Every
from sync.schedule.times import Schedule, next_times

__all__ = ["Crontab", "Every", "Schedule", "crontab", "next_times"]
