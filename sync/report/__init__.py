"""Plans and runs in words: text for people, JSON for programs, and progress."""
