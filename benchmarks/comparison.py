"""What is compared with what: a row of the table, how it is worked out from the rounds, shown and written. Pure.

A *side* is measured once a round and yields one or more *series*, each a number of lines a second. A
comparison divides the median of one series by the best median among its limits.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

Series = Mapping[str, Sequence[float]]
"""Lines a second of each series, one figure a round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One row: `ours` against the best of `limits`; `goal` is the ratio to reach, None where none is set."""

    name: str
    meaning: str
    ours: str
    limits: tuple[str, ...]
    goal: float | None
    at_most: bool = False
    """Less is better: the ratio is the limit over ours. The figures are in the unit that `ours` names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A comparison measured. `ours` and `limit` in lines a second; `best` names the limit that won."""

    comparison: Comparison
    ours: float
    limit: float
    best: str

    @property
    def ratio(self) -> float:
        """Ours over the limit, or the limit over ours where less is better."""
        if self.comparison.at_most:
            return self.limit / max(self.ours, 0.001)
        return self.ours / self.limit

    @property
    def ok(self) -> bool:
        """Whether the goal is reached; a row without a goal cannot miss one."""
        return self.comparison.goal is None or self.ratio >= self.comparison.goal

    @property
    def _digits(self) -> int:
        return 2 if self.comparison.at_most else 1

    def to_json(self) -> dict[str, Any]:
        """The row as `benchmarks/results.json` has it."""
        return {
            "name": self.comparison.name,
            "ours": round(self.ours, self._digits),
            "limit": round(self.limit, self._digits),
            "ratio": round(self.ratio, 3),
            "goal": self.comparison.goal,
            "ok": self.ok,
        }


def measured(comparison: Comparison, series: Series) -> Row:
    """The row that the rounds give."""
    limits = {name: median(series[name]) for name in comparison.limits}
    best = max(limits, key=lambda name: limits[name])
    return Row(comparison=comparison, ours=median(series[comparison.ours]), limit=limits[best], best=best)


def table(rows: Sequence[Row]) -> str:
    """The rows for a person, one a line."""
    head = ("", "ours/s", "limit/s", "ratio", "goal", "", "measured against")
    lines = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(_aligned(line, widths) for line in lines)


def spread(series: Series) -> str:
    """Every series with its median and its figures by round: how far the machine can be believed."""
    return "\n".join(
        f"  {name:<42} {_shown(median(figures)):>10}   ({' '.join(map(_shown, figures))})"
        for name, figures in series.items()
    )


def _shown(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 1000 or figure == round(figure) else f"{figure:,.2f}"


def _cells(row: Row) -> tuple[str, ...]:
    goal = row.comparison.goal
    verdict = "" if goal is None else "yes" if row.ok else "NO"
    shown = "" if goal is None else f"{goal:.2f}"
    digits = 2 if row.comparison.at_most else 0
    figures = (f"{row.ours:,.{digits}f}", f"{row.limit:,.{digits}f}", f"{row.ratio:.2f}", shown, verdict)
    return (row.comparison.meaning, *figures, row.best)


def _aligned(cells: Iterable[str], widths: Sequence[int]) -> str:
    left = (0, len(widths) - 1)
    return "  ".join(
        cell.ljust(width) if column in left else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ).rstrip()
