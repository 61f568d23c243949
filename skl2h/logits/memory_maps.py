"""Rows of a memory map, by the path of its file: a task carries the path, not the rows."""

import mmap
import warnings

import numpy as np

from ..exceptions.texts import shown_text

__all__ = ["check_size", "load_mapped", "place_of", "rows_at", "why_not_read"]


def load_mapped(path):
    """Memory map of the array of a file, or what NumPy makes of an archive."""
    with warnings.catch_warnings():
        # Of a size in the header that no machine has, which then is an error.
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.load(path, mmap_mode="r", allow_pickle=False)


def place_of(array):
    """Where on disk consecutive rows of a memory map are, or None if they are not that."""
    root = _map_of(array)
    if root is None or root.filename is None or root.ndim != array.ndim:
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


def check_size(array):
    """Refuse rows of a memory map whose file is shorter by now: to read them ends the process."""
    root = _map_of(array)
    if root is None:
        return
    size, needed = root.base.size(), root.offset + root.nbytes
    if size < needed:
        raise ValueError(
            f"{shown_text(root.filename)} was cut off after it was mapped: it has {size:,} bytes, "
            f"and the array needs {needed:,}. Write it again, and load it anew."
        )


def _map_of(array):
    """Memory map that an array is a view of, or None."""
    while array is not None and not isinstance(getattr(array, "base", None), mmap.mmap):
        array = getattr(array, "base", None)
    return array if isinstance(array, np.memmap) else None


def rows_at(filename, dtype, offset, shape, order, rows):
    """Memory map of rows at a place."""
    return np.memmap(filename, dtype, "r", offset, shape, order)[rows]


def why_not_read(error):
    """What to say of a file of arrays that NumPy does not read."""
    message = str(error)
    if "Python objects in dtype" in message or "allow_pickle" in message:
        return (
            "it holds Python objects, or is no file of arrays at all: save numbers with "
            "astype(float), names with astype(str)"
        )
    if "mmap length" in message or "array is too big" in message:
        return "it was cut off: it has fewer bytes than its array needs"
    return shown_text(error).rstrip(".")
