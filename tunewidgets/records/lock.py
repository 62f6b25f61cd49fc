"""One writer at a time: a lock on a path that is released when its process ends, however it ends.

In: a path. Out: a held lock, or an error that says who holds it. The operating system keeps the lock, so no clock is
needed and no lock outlives a killed process.
"""

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO


class InUseError(RuntimeError):
    """Another process is writing there."""


class Lock:
    """The file at `path`, locked for this process alone.

    Raises
    ------
    InUseError
        Another process, or another study of this one, holds it.
    """

    def __init__(self, path: Path, what: str) -> None:
        self.path = path
        self._file = self._open(what)
        self._file.seek(0)
        self._file.truncate()
        self._file.write(f"process {os.getpid()} on {socket.gethostname()}")
        self._file.flush()

    def _open(self, what: str) -> IO[str]:
        while True:
            file = open(self.path, "a+", encoding="utf-8")  # noqa: SIM115 - open as long as the lock is held
            if not _locked(file):
                file.seek(0)
                holder = file.read(200) or "another process"
                file.close()
                raise InUseError(
                    f"{holder} is writing to {what}; wait until it is done, or give another store"
                )
            # The holder before us may have removed the file while we waited for its lock.
            if self.path.exists() and os.path.samestat(os.fstat(file.fileno()), self.path.stat()):
                return file
            file.close()

    def release(self) -> None:
        """Release the lock and remove its file."""
        if sys.platform == "win32":
            # An open file can't be removed there; if another process opens it in between, it stays.
            self._file.close()
            with suppress(OSError):
                self.path.unlink()
            return
        # Removed while we still hold it, so that nobody else's lock goes with it.
        self.path.unlink(missing_ok=True)
        self._file.close()


if sys.platform == "win32":
    import msvcrt

    def _locked(file: IO[str]) -> bool:
        try:
            # Far beyond what the file says about its holder, which others need to read.
            file.seek(1 << 20)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _locked(file: IO[str]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
