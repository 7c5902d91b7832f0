"""What is said when there is no Chromium: loudly, since a skipped browser must not look like a tested one."""

import pytest

MISSING = "no Chromium on this machine: tests in a browser did NOT run (install one, or name it in CHROMIUM)"


def say_what_was_skipped(reporter: pytest.TerminalReporter) -> None:
    """In the last lines of a run."""
    skipped = [report for report in reporter.getreports("skipped") if MISSING in str(report.longrepr)]
    if skipped:
        reporter.section("TESTS IN A BROWSER DID NOT RUN", sep="!", red=True, bold=True)
        reporter.write_line(f"{len(skipped)} tests were skipped: {MISSING}")
