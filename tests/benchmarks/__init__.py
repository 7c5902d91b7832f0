"""Tests of the benchmarks: that they run and report; what they measure is nobody's assertion."""
