"""How the processes of one tree hang together: a child says on a descriptor when it is ready, and dies with its parent.

Reads ``IRIS_PARENT_PID``, which the supervisor sets for its children, and nobody else needs. ``IRIS_READY_FD`` is read
where a part becomes ready (``streams.app.announce_ready``).
"""

import ctypes
import os
import signal
import sys

READY_FD = "IRIS_READY_FD"
PARENT_PID = "IRIS_PARENT_PID"
PR_SET_PDEATHSIG = 1
"""prctl(2): the kernel sends us a signal when the thread that started us ends."""


def die_with_parent() -> None:
    """End with the supervisor, even when that was killed with SIGKILL and could not stop anybody.

    Linux only; elsewhere a child of a killed supervisor goes on until it is stopped by hand.
    """
    parent = os.environ.pop(PARENT_PID, "")
    if not parent.isdigit() or sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):
        # The parent ended before the line above took effect.
        os._exit(1)
