"""How long to wait before trying again: full jitter below a doubling, capped bound; the server's word counts.

When HQ comes back after an outage, ten thousand agents must not knock in the same second: tenacity's
`wait_random_exponential` draws anew from zero to the bound each time, at the cap as well.
"""

import random
import threading
from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import msgspec
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_result,
    sleep_using_event,
    stop_when_event_set,
    wait_random_exponential,
)

T = TypeVar("T")

SPREAD = 0.1
"""A pause that the server asked for is lengthened by up to this share, so that its askers do not return as
one.
"""


class TryLater(msgspec.Struct, frozen=True, kw_only=True):
    """A try that did not succeed and may later, without anybody changing the request."""

    reason: str
    retry_after: float | None = None
    """Seconds that the server asked for."""
    unauthorised: bool = False
    """The server is there and does not know the credential: somebody has to enrol the device again."""
    paced: bool = False
    """The server is there and asks to come again later, since others have their turn. Nothing is wrong."""
    not_offered: bool = False
    """The server is there and has no such request: an older one, say. Nothing is wrong with the line."""


class RetryPolicy:
    """The pauses between tries; one policy serves any number of loops."""

    def __init__(self, *, first: float, cap: float, retry_after_cap: float) -> None:
        """`first`: bound of the first pause; `cap`: bound of every pause; `retry_after_cap`: of the server's.
        Seconds.
        """
        self._jitter = wait_random_exponential(multiplier=first, max=cap)
        self._retry_after_cap = retry_after_cap

    def until_done(self, step: Callable[[], T | TryLater], stopping: threading.Event) -> T | TryLater:
        """Repeats `step` until it gives something else than TryLater, or `stopping` is set."""
        retrying = Retrying(
            retry=retry_if_result(lambda outcome: isinstance(outcome, TryLater)),
            wait=self.pause,
            stop=stop_when_event_set(stopping),
            sleep=sleep_using_event(stopping),
            retry_error_callback=_last_outcome,
        )
        outcome: T | TryLater = retrying(step)
        return outcome

    def pause(self, state: RetryCallState) -> float:
        """Seconds until the next try."""
        drawn = float(self._jitter(state))
        outcome = state.outcome.result() if state.outcome is not None else None
        asked = outcome.retry_after if isinstance(outcome, TryLater) else None
        if asked is None:
            return drawn
        granted = min(asked, self._retry_after_cap)
        return max(drawn, granted * (1 + random.random() * SPREAD))  # noqa: S311  # spreading load, no secret


def _last_outcome(state: RetryCallState) -> object:
    assert state.outcome is not None, "a try was made before the end was seen"
    return state.outcome.result()


def read_retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After asks for, as seconds or as a date; None when it asks for nothing sensible.

    Zero, negative and past are nothing sensible: the agent's own jitter is used. A huge value is returned as
    it is, and capped where it is granted.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:12])
    else:
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
        if at.tzinfo is None:
            return None
        seconds = (at - now).total_seconds()
    return seconds if seconds > 0 else None
