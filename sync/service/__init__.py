"""The long-running service: jobs at their times, one run at a time, signals, reload, leadership."""
