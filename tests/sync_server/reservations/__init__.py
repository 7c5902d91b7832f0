"""Tests of ship-from-store."""
