"""A file system for one directory, whose space is taken and given back while processes write to it: tmpfs(5).

Mounts and unmounts, nothing else. Needs the right to mount (root, or ``unshare --map-root-user --mount``).
"""

import os
import subprocess
from pathlib import Path


class MountRefused(AssertionError):
    """This user may not mount; the text says what to do."""


class SmallDisk:
    """``path`` is made when it is missing; what is in it is gone with ``unmount``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def mount(self, *, size_bytes: int) -> None:
        """Raises MountRefused."""
        self.path.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(self.path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            hint = "run as root, or under `unshare --map-root-user --mount`"
            raise MountRefused(f"a full disk needs a tmpfs at {self.path}: {done.stderr.strip()}; {hint}")

    def take_space(self, *, left_bytes: int) -> None:
        """From now on only so much more can be written."""
        state = os.statvfs(self.path)
        self._resize((state.f_blocks - state.f_bfree) * state.f_frsize + left_bytes)

    def give_space(self, *, size_bytes: int) -> None:
        """The whole size again."""
        self._resize(size_bytes)

    def unmount(self) -> None:
        """Also while somebody still has files open in it; does nothing when it is not mounted."""
        if self.path.is_mount():
            subprocess.run(["umount", "--lazy", str(self.path)], check=True)

    def _resize(self, size_bytes: int) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size_bytes}", str(self.path)], check=True)
