"""One line of the doctor's report."""

from typing import Literal

import msgspec


class Check(msgspec.Struct, frozen=True):
    """What was looked at, how it is, and what to do if it is not well."""

    check: str
    state: Literal["PASS", "WARN", "FAIL"]
    finding: str
    advice: str | None = None


def passed(check: str, finding: str) -> Check:
    """All is well."""
    return Check(check, "PASS", finding)


def warned(check: str, finding: str, advice: str) -> Check:
    """No sale is in danger; somebody should look."""
    return Check(check, "WARN", finding, advice)


def failed(check: str, finding: str, advice: str) -> Check:
    """Something does not work until somebody does as the advice says."""
    return Check(check, "FAIL", finding, advice)
