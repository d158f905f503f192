"""The times of jobs: crontab and intervals, next times through clock changes, and the timetable.

All of it is pure except the timetable, which reads this machine's clock.
"""

from sync.schedule.crontab import Crontab, crontab
from sync.schedule.every import Every
from sync.schedule.times import Schedule, next_times

__all__ = ["Crontab", "Every", "Schedule", "crontab", "next_times"]
