"""Rules on size and names: a reader can hold each file and function in the head and knows it by its name."""

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from tests.project.source_tree import Fault, SourceFile

MOST_LINES_IN_A_FILE = 400
MOST_LINES_IN_A_FUNCTION = 60
DRAWERS = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "misc"}
LAYERS = {"base", "service", "services", "repository", "repositories"}
DRAWER_CLASSES = ("Util", "Utils", "Helper", "Helpers", "Manager", "Repository")


def long_files(file: SourceFile) -> Iterator[Fault]:
    """A file of more than 400 lines holds more than one thing."""
    lines = file.text.count("\n")
    if lines > MOST_LINES_IN_A_FILE:
        yield Fault(file.path, lines, f"{lines} lines; split it where its subject changes")


def long_functions(file: SourceFile) -> Iterator[Fault]:
    """A function of more than 60 lines does not fit a screen."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MOST_LINES_IN_A_FUNCTION:
                yield file.fault(node, f"{node.name} has {lines} lines; name its parts")


def unexplained_modules(file: SourceFile) -> Iterator[Fault]:
    """A module says in its docstring what it is for."""
    if not (ast.get_docstring(file.tree) or "").strip():
        yield Fault(file.path, 1, "no module docstring that says what the file is for")


def drawers(file: SourceFile) -> Iterator[Fault]:
    """A name that says nothing becomes a drawer for everything."""
    path = PurePosixPath(file.path)
    for name in (*path.parent.parts, path.stem):
        if name in LAYERS or DRAWERS & set(name.split("_")):
            yield Fault(file.path, 1, f"'{name}' names a drawer, not a thing of the trade")
    for node in ast.walk(file.tree):
        if isinstance(node, ast.ClassDef) and node.name.endswith(DRAWER_CLASSES):
            yield file.fault(node, f"class {node.name} is named for a layer, not a thing of the trade")
