"""`python -m benchmarks`: measures, prints a table, and writes `benchmarks/results.json`."""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.comparison import Comparison, Series, measured, spread, table
from benchmarks.comparisons import COMPARISONS
from benchmarks.sides import SIDES, Side
from benchmarks.stage import FULL, QUICK, Scale, Stage

RESULTS = Path(__file__).parent / "results.json"


def main(arguments: Sequence[str]) -> int:
    """One run; 0 when everything was measured, whether or not a goal was reached."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # ends what was started, like Ctrl-C
    asked = _parser().parse_args(arguments)
    chosen = [one for one in COMPARISONS if not asked.only or any(word in one.name for word in asked.only)]
    if not chosen:
        names = ", ".join(one.name for one in COMPARISONS)
        print(f"No benchmark is called {' or '.join(asked.only)}; there are: {names}.", file=sys.stderr)
        return 2
    series = _rounds(QUICK if asked.quick else FULL, chosen)
    rows = [measured(one, series) for one in chosen]
    asked.results.write_text(json.dumps([row.to_json() for row in rows], indent=2) + "\n")
    print("\nLines a second, median and every round:\n" + spread(series))
    print(f"\n{table(rows)}\n\nWritten to {asked.results}. What the rows mean: docs/benchmarks.md")
    if asked.quick:
        print("A quick run: it shows that everything runs, its figures say little.")
    return 0


def _rounds(scale: Scale, chosen: Sequence[Comparison]) -> Series:
    """Measures every side that the comparisons need, all of them once a round."""
    sides = _needed(chosen)
    series: dict[str, list[float]] = {name: [] for side in sides for name in side.series}
    with (
        tempfile.TemporaryDirectory(prefix="tillsync-benchmarks-") as folder,
        Stage(Path(folder), scale) as stage,
    ):
        for number in range(1, scale.rounds + 1):
            for side in sides:
                began = time.perf_counter()
                figures = side.measure(stage)
                took = time.perf_counter() - began
                for name, figure in figures.items():
                    series[name].append(figure)
                    _say(
                        f"round {number}/{scale.rounds}  {name:<42} {figure:>10,.0f}/s  (all in all {took:.0f} s)"
                    )
    return series


def _needed(chosen: Sequence[Comparison]) -> list[Side]:
    names = {name for one in chosen for name in (one.ours, *one.limits)}
    return [side for side in SIDES if names & set(side.series)]


def _say(sentence: str) -> None:
    load = os.getloadavg()[0]
    print(f"{sentence}  load {load:.1f}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Speed as ratios to hand-written limits."
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="rows whose name holds NAME"
    )
    parser.add_argument("--quick", action="store_true", help="one small round: does everything run?")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FILE", help="where the JSON goes")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
