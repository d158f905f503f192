"""The status page for people: what is going on, what waits for a decision, and the decision."""
