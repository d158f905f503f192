"""Plans and runs in words: text for people, JSON for programs, progress for whoever waits."""
