"""Runs prepared tasks in processes of their own that all start at the same moment.

Whoever is measured prepares first (reads its rows, opens its connection) and says so; the clock starts when
everybody is ready, and stops when the last one has finished.

    python -m benchmarks.starting_gate TASK_FILE…      # what each process runs
"""

import gc
import json
import pickle
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).resolve().parents[1]


class Task(Protocol):
    """Something that can be timed; it travels to its process as a pickle."""

    def prepare(self) -> None:
        """Everything that does not count."""

    def run(self) -> int:
        """What counts; returns how many lines were done."""


class TaskFailed(Exception):
    """A measured process did not finish; the message is what it said last."""


def write_task(task: Task, path: Path) -> Path:
    """Keeps `task` in a file, for a process to read."""
    with path.open("wb") as file:
        pickle.dump(task, file, pickle.HIGHEST_PROTOCOL)
    return path


def lines_a_second(processes: Sequence[Sequence[Path]]) -> float:
    """Runs each sequence of task files in one process, all processes at once; the lines of all per second.

    Tasks of one process run one after the other. Raises TaskFailed with what a process said last.
    """
    with ExitStack() as stack:
        running = [stack.enter_context(_start(files)) for files in processes]
        for process in running:
            _report(process)
        for process in running:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        results = [_report(process) for process in running]
    begin = min(result["began"] for result in results)
    end = max(result["ended"] for result in results)
    return float(sum(result["lines"] for result in results) / (end - begin))


def _start(files: Sequence[Path]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "benchmarks.starting_gate", *map(str, files)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _report(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """The next line that the process prints."""
    assert process.stdout is not None
    line = process.stdout.readline()
    report: dict[str, Any] = json.loads(line) if line else {"failed": f"ended with {process.wait()}"}
    if "failed" in report:
        raise TaskFailed(f"A measured process failed: {report['failed']}")
    return report


def main(files: Sequence[str]) -> None:
    """One measured process: prepare, wait for the gate, run; every line that it prints is a JSON object."""
    try:
        _run(files)
    except Exception:  # noqa: BLE001  # whatever it was, whoever waits shall read it
        print(json.dumps({"failed": traceback.format_exc()[-3000:]}), flush=True)
        sys.exit(1)


def _run(files: Sequence[str]) -> None:
    tasks: list[Task] = []
    for name in files:
        with Path(name).open("rb") as file:
            tasks.append(pickle.load(file))
    for task in tasks:
        task.prepare()
    # What was read to be written is no garbage: the collector shall not walk through it again and again.
    gc.collect()
    gc.freeze()
    print(json.dumps({"ready": True}), flush=True)
    if not sys.stdin.readline():
        return  # whoever opens the gate has gone away
    began = time.perf_counter()
    lines = sum(task.run() for task in tasks)
    ended = time.perf_counter()
    print(json.dumps({"began": began, "ended": ended, "lines": lines}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
