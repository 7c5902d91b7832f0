"""A process that is told to end does, whatever its main thread was doing when the signal came."""

import os
import signal
import subprocess
import sys
import threading

from shared.stop_request import StopRequest

# The handler asks again and again while the main thread goes in and out of waiting: with an Event, whose lock
# the main thread may hold at that moment, this hangs.
SIGNALLED_ALL_THE_TIME = """
import signal
from shared.stop_request import StopRequest
stop = StopRequest()
signal.signal(signal.SIGALRM, lambda *_: stop.set())
signal.setitimer(signal.ITIMER_REAL, 0.00005, 0.00005)
for _ in range(30_000):
    stop = StopRequest()
    stop.wait(0.00001)
signal.setitimer(signal.ITIMER_REAL, 0)
print("ended")
"""


def test_waiting_ends_when_the_end_is_asked_for() -> None:
    stop = StopRequest()
    assert not stop.wait(0.01)
    timer = threading.Timer(0.05, stop.set)
    timer.start()
    assert stop.wait()
    assert stop.is_set()
    timer.join()


def test_a_handler_may_ask_at_any_moment() -> None:
    command = [sys.executable, "-c", SIGNALLED_ALL_THE_TIME]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=os.environ)
    assert done.stdout == "ended\n"


def test_a_signal_to_another_thread_ends_the_wait_all_the_same() -> None:
    stop = StopRequest()
    former = signal.signal(signal.SIGUSR1, lambda *_: stop.set())
    try:
        other = threading.Timer(0.05, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGUSR1))
        other.start()
        assert stop.wait(10)
        other.join()
    finally:
        signal.signal(signal.SIGUSR1, former)
