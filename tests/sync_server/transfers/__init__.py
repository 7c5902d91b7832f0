"""Tests of transfers between stores."""
