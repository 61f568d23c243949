"""Rows of a memory map, told by its file: a task carries a path, not the rows."""

import mmap

import numpy as np

__all__ = ["place_of", "rows_at"]


def place_of(array):
    """Where on disk consecutive rows of a memory map are, or None if they are not that."""
    root = array
    while root is not None and not isinstance(getattr(root, "base", None), mmap.mmap):
        root = getattr(root, "base", None)
    if not isinstance(root, np.memmap) or root.filename is None or root.ndim != array.ndim:
        return None
    # What was written to a copy is on no disk.
    is_file = root.mode in ("r", "r+", "w+") and root.dtype == array.dtype
    if not is_file or root.strides != array.strides or root.shape[1:] != array.shape[1:]:
        return None
    address, first = (each.__array_interface__["data"][0] for each in (array, root))
    start, apart = divmod(address - first, root.strides[0])
    if apart:
        return None
    order = "C" if root.flags.c_contiguous else "F"
    rows = slice(start, start + len(array))
    return str(root.filename), root.dtype.str, root.offset, root.shape, order, rows


def rows_at(filename, dtype, offset, shape, order, rows):
    """Memory map of rows at a place."""
    return np.memmap(filename, dtype, "r", offset, shape, order)[rows]
