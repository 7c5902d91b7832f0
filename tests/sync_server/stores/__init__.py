"""Stores and their agents."""
