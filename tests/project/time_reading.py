"""Rules on time: it is read in `shared/clock.py` alone, so that a test can run everything on virtual time.

A line that must read another clock says why: `# time: reason`.
"""

import ast
import re
from collections.abc import Iterator

from tests.project.source_tree import Fault, SourceFile, dotted, imported_names

THE_CLOCK = "shared/clock.py"
READINGS = {
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "time.monotonic_ns",
    "time.perf_counter",
    "time.perf_counter_ns",
    "time.localtime",
    "time.gmtime",
    "time.ctime",
}
NAIVE_READINGS = {
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
}
DATABASE_CLOCK = re.compile(
    r"\b(?:now|clock_timestamp|statement_timestamp|transaction_timestamp)\s*\(\s*\)"
    r"|\bcurrent_(?:timestamp|date|time)\b|\blocaltime(?:stamp)?\b|'now'",
    re.IGNORECASE,
)
SQL = re.compile(r"\b(?:SELECT|INSERT|UPDATE|DELETE|DEFAULT|CREATE|WHERE)\b")


def clock_readings(file: SourceFile) -> Iterator[Fault]:
    """The wall clock and the monotonic clock are asked in `shared/clock.py` alone."""
    names = imported_names(file.tree)
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Attribute | ast.Name) and file.path != THE_CLOCK:
            name = dotted(node, names)
            if name in READINGS and not file.excused(node, "time"):
                yield file.fault(node, f"{name} reads a clock; take a shared.clock.Clock")


def naive_readings(file: SourceFile) -> Iterator[Fault]:
    """Nothing makes a datetime that does not know its offset."""
    names = imported_names(file.tree)
    for node in ast.walk(file.tree):
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func, names)
        if name in NAIVE_READINGS and not node.args and not node.keywords:
            yield file.fault(node, f"{name}() is naive")
        if name == "datetime.datetime.fromtimestamp" and len(node.args) + len(node.keywords) < 2:
            yield file.fault(node, "fromtimestamp() without a zone is naive")
        if name == "datetime.datetime.utcfromtimestamp":
            yield file.fault(node, "utcfromtimestamp() is naive")


def database_clock(file: SourceFile) -> Iterator[Fault]:
    """SQL is given its instants; the database's clock is another one."""
    for node in ast.walk(file.tree):
        sql = (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and SQL.search(node.value)
            and DATABASE_CLOCK.search(node.value)
        )
        built = isinstance(node, ast.Attribute) and node.attr == "now" and _is_sqlalchemy_func(node.value)
        if (sql or built) and not file.excused(node, "time"):
            yield file.fault(node, "SQL reads the database's clock; pass the instant as a parameter")


def _is_sqlalchemy_func(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Name | ast.Attribute)
        and getattr(node, "id", getattr(node, "attr", "")) == "func"
    )
