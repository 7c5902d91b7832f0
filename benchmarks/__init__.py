"""How fast TillSync is, as ratios to hand-written limits measured in the same run; see docs/benchmarks.md."""
