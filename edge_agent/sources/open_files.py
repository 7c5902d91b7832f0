"""Whether another program still writes to a file, as far as the operating system says."""

import errno
import os
import signal
import sys
from pathlib import Path


def is_open_for_writing(path: Path) -> bool | None:
    """True while another program has the file open for writing; None where that cannot be found out.

    Linux grants a read lease only on a file that nobody has open for writing, and gives it back with the descriptor.
    On Windows a program that writes mostly keeps others from opening the file, and always from moving it.
    """
    if sys.platform == "win32":
        try:
            path.open("r+b").close()
        except PermissionError:
            return True
        except OSError:
            return None
        return None
    if sys.platform != "linux":
        return None
    import fcntl  # not on Windows

    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        # Who opens it for writing just now makes the system send a signal; SIGIO, the usual one, would end us.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        # Another's file (EACCES) or a file system without leases (EINVAL) says nothing.
        return True if error.errno == errno.EAGAIN else None
    finally:
        os.close(descriptor)
    return False
