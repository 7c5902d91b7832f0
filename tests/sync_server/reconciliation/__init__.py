"""Close of day: what a store reports, opened once, posted by nobody yet."""
