"""The rule that a test meets the real thing: nothing in our own packages is replaced while a test runs."""

import ast
from collections.abc import Iterator

from tests.project.source_tree import PACKAGES, Fault, SourceFile, dotted, imported_names

MOCKING = ("unittest.mock", "mock", "pytest_mock")
PATCHING = {"setattr", "delattr", "setitem", "delitem"}


def patched_parts(file: SourceFile) -> Iterator[Fault]:
    """No test replaces a part of our own code; it gives the code another part to work with."""
    names = imported_names(file.tree)
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from _mocking_imports(file, node)
        elif isinstance(node, ast.Call):
            yield from _patching_calls(file, node, names)
        elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete):
            yield from _assignments(file, node, names)


def _mocking_imports(file: SourceFile, node: ast.Import | ast.ImportFrom) -> Iterator[Fault]:
    modules = [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        modules = [f"{node.module}.{name}" for name in modules]
    for module in modules:
        if f"{module}.".startswith(tuple(f"{name}." for name in MOCKING)):
            yield file.fault(node, f"{module} replaces parts; start the real one")


def _patching_calls(file: SourceFile, node: ast.Call, names: dict[str, str]) -> Iterator[Fault]:
    function = node.func
    patching = isinstance(function, ast.Attribute) and function.attr in PATCHING
    patching = patching or (isinstance(function, ast.Name) and function.id in {"setattr", "delattr"})
    if not patching or not node.args:
        return
    target = node.args[0]
    named = str(target.value) if isinstance(target, ast.Constant) else dotted(target, names)
    if _ours(named):
        yield file.fault(node, f"patches {named}")


def _assignments(
    file: SourceFile, node: ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete, names: dict[str, str]
) -> Iterator[Fault]:
    targets = node.targets if isinstance(node, ast.Assign | ast.Delete) else [node.target]
    for target in targets:
        if isinstance(target, ast.Attribute) and _ours(dotted(target, names)):
            yield file.fault(node, f"patches {dotted(target, names)}")


def _ours(name: str) -> bool:
    return name.partition(".")[0] in PACKAGES
