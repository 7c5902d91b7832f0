"""Stores and their agents: the registry, enrolment, credentials, heartbeats, streams, days and findings."""
