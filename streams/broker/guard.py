"""Runs a command that ends when its parent ends, however the parent ends. Reads argv; becomes the command.

``python guard.py PARENT_PID COMMAND…``. A broker left behind by a ``kill -9`` would hold its port and its data
directory against the next start. The kernel can end a child with its parent (prctl(2), PR_SET_PDEATHSIG), but only the
child can ask for that; asking between fork and exec (``preexec_fn``) is unsafe in a parent that has threads, so this
little program asks and then execs, and the broker keeps its pid. The signal comes when the *thread* that started
the child ends, so brokers are started from a thread that lives as long as they shall. Where there is no prctl (not
Linux) the command runs unguarded.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""<linux/prctl.h>"""


def main(argv: list[str]) -> None:
    """Never returns: execs the command, or exits when the parent is gone already."""
    parent, command = int(argv[1]), argv[2:]
    if sys.platform == "linux":
        # SIGKILL, because a paused broker would sit on a SIGTERM; Kafka recovers its log from either.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the process that wanted this broker has ended")
    os.execv(command[0], command)  # noqa: S606 (no shell is wanted: the list is ours)


if __name__ == "__main__":
    main(sys.argv)
