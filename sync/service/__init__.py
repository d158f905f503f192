"""The long-running service: scheduled jobs, one run at a time, signals, reload, leadership."""
