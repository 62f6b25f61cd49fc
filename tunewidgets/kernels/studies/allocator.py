"""Keep the memory that one step frees for the next step.

In: nothing. Out: a setting of the C library for this process, where that is glibc; elsewhere nothing happens.

Every step of an optimization frees tensors of some megabytes and allocates similar ones again. glibc returns large
blocks to the system at once, which hands out each of their pages anew. It learns to keep blocks as they are freed, up
to the limits set here, unless someone has set a limit: Dask does for its workers, which then spend a quarter of their
time on new pages.
"""

import ctypes
import sys
from functools import cache

# Names and numbers of malloc.h, and the limits that glibc's own learning ends at.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
LARGEST_KEPT, KEPT_AT_END = 32 * 2**20, 64 * 2**20


@cache
def keep_freed_memory() -> bool:
    """Let this process keep what it frees, up to 64 MB an arena; whether that could be set. Once a process."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # another C library, such as musl
        return False
    set_both = mallopt(MMAP_THRESHOLD, LARGEST_KEPT), mallopt(TRIM_THRESHOLD, KEPT_AT_END)
    return set_both == (1, 1)
