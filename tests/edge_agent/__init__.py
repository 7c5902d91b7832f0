"""Tests of the agent: its pure parts, its spool on a real disk, and the whole of it as a real process."""
