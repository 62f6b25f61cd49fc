"""What the C library is told of freed memory, seen from a process of its own."""

import subprocess
import sys

import pytest

from tunewidgets.kernels.studies.allocator import keep_freed_memory

# Pages that are new to the process while it fills and frees the same few megabytes, after it has done so a few times.
NEW_PAGES = """
import ctypes, resource, sys
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
libc.mallopt(-3, 128 * 1024)  # as Dask's limit does: nothing is learned any more
libc.mallopt(-1, 65536)
if sys.argv[1] == "keep":
    from tunewidgets.kernels.studies.allocator import keep_freed_memory
    assert keep_freed_memory()

def use():
    block = libc.malloc(4 * 2**20)
    ctypes.memset(block, 1, 4 * 2**20)
    libc.free(block)

for _ in range(4):
    use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def new_pages(how: str) -> int:
    return int(subprocess.check_output([sys.executable, "-c", NEW_PAGES, how], text=True))


@pytest.mark.skipif(not keep_freed_memory(), reason="no glibc here")
def test_freed_memory_is_used_again_where_a_limit_forbade_it():
    assert new_pages("keep") < 0.1 * new_pages("leave")


def test_a_system_without_glibc_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert keep_freed_memory.__wrapped__() is False
