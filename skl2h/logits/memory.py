"""Memory: how much there is for what is to be read, and arrays that are used again."""

from contextlib import suppress
from math import prod
from pathlib import Path
from threading import local

import numpy as np

from ..exceptions.faults import InputError

__all__ = ["Memory", "check_memory", "free_memory", "in_words"]

# What to do about a table that is too large.
MAPPED = "save the logits as .npy, which is read without loading it whole."


def check_memory(path, n_bytes, remedy=MAPPED):
    """Refuse to read what would not fit into memory."""
    free = free_memory()
    if free is not None and n_bytes > free:
        raise InputError(
            f"takes {in_words(n_bytes)} of memory, and there are {in_words(free)}: {remedy}",
            of=path,
        )


def free_memory():
    """Bytes that this process may still use, or None where the system does not tell."""
    found = []
    with suppress(OSError, LookupError, ValueError):
        lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        found.append(int(lines["MemAvailable"].split()[0]) * 1024)
    group = Path("/sys/fs/cgroup")  # what a container may use
    with suppress(OSError, LookupError, ValueError):
        used = int((group / "memory.current").read_text())
        lines = dict(map(str.split, (group / "memory.stat").read_text().splitlines()))
        most = int((group / "memory.max").read_text())  # or the text "max"
        found.append(most - used + int(lines["inactive_file"]))
    return max(min(found), 0) if found else None


def in_words(n_bytes):
    """Bytes as people write them, such as 1.5 GB."""
    units = ["bytes", "kB", "MB", "GB", "TB"]
    while n_bytes >= 1000 and len(units) > 1:
        n_bytes /= 1000
        del units[0]
    return f"{n_bytes:.3g} {units[0]}"


class Memory(local):
    """Arrays that are used again, as writing to new memory is slow; each thread has its own."""

    def __init__(self):
        self.by_use = {}

    def __reduce__(self):
        # What can be overwritten need not be sent to another process.
        return Memory, ()

    def array(self, use, shape, dtype):
        """Array of some shape with anything in it, until the next is asked for the same use."""
        n_bytes = prod(shape) * np.dtype(dtype).itemsize
        buffer = self.by_use.get(use)
        if buffer is None or len(buffer) < n_bytes:
            buffer = self.by_use[use] = np.empty(n_bytes, dtype=np.uint8)
        return buffer[:n_bytes].view(dtype).reshape(shape)
