"""The project's files as the rules see them: what git tracks or is about to, parsed once."""

import ast
import io
import subprocess
import tokenize
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("edge_agent", "sync_server", "shared")
CODE = (*PACKAGES, "tests", "benchmarks")


@dataclass(frozen=True, slots=True)
class Fault:
    """One place that breaks a rule."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


@dataclass(frozen=True)
class SourceFile:
    """One Python file: its path from the root, with forward slashes, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.text, self.path)

    @cached_property
    def comments(self) -> dict[int, str]:
        """The comment on each line that has one, without the `#`."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return {
            token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT
        }

    @property
    def module(self) -> str:
        """The dotted name by which the file is imported."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def excused(self, node: ast.AST, word: str) -> bool:
        """Whether the node's first or last line carries a comment `# word: reason`."""
        lines = (getattr(node, "lineno", 0), getattr(node, "end_lineno", 0))
        return any(
            self.comments.get(line, "").startswith(f"{word}:")
            and len(self.comments[line].removeprefix(f"{word}:").split()) > 0
            for line in lines
        )

    def fault(self, node: ast.AST, what: str) -> Fault:
        """A fault at the node's line."""
        return Fault(self.path, getattr(node, "lineno", 1), what)


Rule = Callable[[SourceFile], Iterable[Fault]]


@cache
def project_files() -> tuple[str, ...]:
    """Every file that git tracks, or would track if it were added now, from the root."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    return tuple(sorted({path for path in listing.stdout.split("\0") if path and (ROOT / path).is_file()}))


@cache
def read(path: str) -> SourceFile:
    """The Python file at `path` from the root."""
    return SourceFile(path, (ROOT / path).read_text(encoding="utf-8"))


def python_files(*under: str) -> list[SourceFile]:
    """The Python files below the given folders; all of the project's code when none is given."""
    folders = tuple(f"{folder}/" for folder in under or CODE)
    return [read(path) for path in project_files() if path.endswith(".py") and path.startswith(folders)]


def broken_rules(check: Rule, files: Iterable[SourceFile]) -> str:
    """What the check finds in the files, one fault a line; empty when the rule is kept."""
    return "\n".join(str(fault) for file in files for fault in check(file))


def sample(text: str, path: str = "shared/sample.py") -> SourceFile:
    """A file that exists only to prove that a rule can be broken."""
    return SourceFile(path, text)


def imported_names(tree: ast.Module) -> dict[str, str]:
    """What each name in the file stands for by its imports: `{"dt": "datetime.datetime", "time": "time"}`."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                names[bound] = alias.name if alias.asname else bound
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def dotted(node: ast.expr, names: dict[str, str]) -> str:
    """The full name that an expression spells, by the imports: `dt.now` → `datetime.datetime.now`, or ""."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.Attribute):
        before = dotted(node.value, names)
        return f"{before}.{node.attr}" if before else ""
    return ""
