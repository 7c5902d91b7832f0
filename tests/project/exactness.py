"""Rules that keep money and quantity exact: no binary floating point where they pass.

A float that is neither (seconds, bytes a second) is excused on its own line: `# float: seconds`.
"""

import ast
import re
from collections.abc import Iterator

from tests.project.source_tree import Fault, SourceFile, dotted, imported_names

EXACT_PLACES = (
    "shared",
    "edge_agent/sources/poslog",
    "edge_agent/sources/csv_export",
    "edge_agent/sources/database_tail",
    "edge_agent/sources/till_rows",
    "edge_agent/intake",
    "edge_agent/translation",
    "edge_agent/stamped_event",
    "edge_agent/spool",
    "edge_agent/batching",
    "sync_server/ingestion",
    "sync_server/inventory",
    "sync_server/reconciliation",
    "sync_server/accounting",
    "sync_server/publishing/messages",
    "sync_server/publishing/outbox",
    "sync_server/migrations",
)
BINARY_COLUMN = re.compile(r"\b(?:DOUBLE PRECISION|double precision|FLOAT[48]?|float[48]|REAL)\b")
BINARY_COLUMN_TYPES = {"Float", "REAL", "FLOAT", "Double", "DOUBLE", "DOUBLE_PRECISION"}
LOSSY_READERS = {"json.loads", "json.load", "json.JSONDecoder", "orjson.loads"}


def floats(file: SourceFile) -> Iterator[Fault]:
    """No float is written, made or promised where money and quantity pass."""
    for node in ast.walk(file.tree):
        what = _float_in(node)
        if what and not file.excused(node, "float"):
            yield file.fault(node, f"{what}; use Decimal or an integer, or say `# float: what it measures`")


def _float_in(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and type(node.value) in (float, complex):
        return f"the float {node.value!r}"
    if isinstance(node, ast.Name) and node.id == "float":
        return "the type float"
    return ""


def binary_columns(file: SourceFile) -> Iterator[Fault]:
    """No table keeps a number in binary floating point."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            binary = bool(BINARY_COLUMN.search(node.value)) and _looks_like_sql(node.value)
        else:
            binary = isinstance(node, ast.Attribute) and node.attr in BINARY_COLUMN_TYPES
        if binary and not file.excused(node, "float"):
            yield file.fault(node, "a column of binary floating point; use numeric or bigint")


def _looks_like_sql(text: str) -> bool:
    return bool(re.search(r"\b(CREATE|ALTER|SELECT|INSERT|CAST)\b|::", text, re.IGNORECASE))


def lossy_readers(file: SourceFile) -> Iterator[Fault]:
    """JSON is read by `shared.wire_json`, which keeps every digit; other readers make floats of decimals."""
    names = imported_names(file.tree)
    for node in ast.walk(file.tree):
        if not isinstance(node, ast.Call) or file.excused(node, "float"):
            continue
        called = dotted(node.func, names)
        keywords = {keyword.arg for keyword in node.keywords}
        if called in LOSSY_READERS and "parse_float" not in keywords:
            yield file.fault(node, f"{called} makes floats; use shared.wire_json.decode_json")
        elif called == "msgspec.json.decode" and not keywords & {"type", "float_hook"}:
            yield file.fault(node, "msgspec.json.decode without a type makes floats; use decode_json")
        elif called == "msgspec.json.Decoder" and not node.args and not keywords & {"type", "float_hook"}:
            yield file.fault(node, "msgspec.json.Decoder without a type makes floats; use decode_json")
        elif (
            isinstance(node.func, ast.Attribute)
            and node.func.attr == "json"
            and not node.args
            and not keywords
        ):
            yield file.fault(node, "a body's .json() makes floats; use decode_json on its bytes")
