"""Close of day: what was counted against what the system says, made by one person and approved by another."""
