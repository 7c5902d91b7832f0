"""Ports for servers that a test starts, stops and starts again on the same one."""

import random
import socket

_BELOW_THE_KERNELS_OWN = range(12_000, 32_000)
"""From 32768 on the kernel hands ports to whoever connects: while a server is down, somebody would get its port."""


def free_port() -> int:
    """A port that nobody has right now, and that nobody gets by chance later on."""
    dice = random.SystemRandom()  # tests that run beside each other must not throw the same numbers
    while True:
        port = dice.choice(_BELOW_THE_KERNELS_OWN)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
