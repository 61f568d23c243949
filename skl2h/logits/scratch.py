"""Arrays that are overwritten again and again, as fresh memory is dear to touch."""

from math import prod
from threading import local

import numpy as np

__all__ = ["Memory"]


class Memory(local):
    """What is free to be overwritten, by each thread on its own."""

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
