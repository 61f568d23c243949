"""What rows are given as: an array in memory, an array of Dask, or a list of files.

frame    a data frame of Dask, or a column of one
"""

import os

import numpy as np
from sklearn.utils import check_array

from ..exceptions.arrays import as_array
from ..exceptions.texts import shown
from .memory_maps import check_size

__all__ = [
    "are_paths",
    "check_dtype",
    "check_logits",
    "import_dask",
    "is_dask",
    "is_frame",
    "refuse_dask",
    "sample_of",
]


def import_dask():
    """Dask and its arrays."""
    try:
        import dask
        import dask.array
        import dask.highlevelgraph
        import dask.threaded
    except ImportError:
        raise ImportError('Chunks of rows need Dask: pip install "skl2h[dask]".') from None
    return dask


def is_dask(X):
    """Whether an array or a table is a collection of Dask, or is made of one."""
    return hasattr(X, "__dask_graph__") and import_dask().is_dask_collection(X)


def is_frame(X):
    """Whether a collection of Dask is a data frame, or a column of one."""
    return hasattr(type(X), "to_dask_array")  # a Delayed seems to have any attribute


def sample_of(X):
    """The rowless sample that a data frame of Dask has, which tells its columns; else X."""
    return X._meta if is_frame(X) else X


def are_paths(logits):
    """Whether logits are a list of files.

    Raises
    ------
    TypeError
        If only some entries of the list are files.
    """
    if is_dask(logits):
        return False
    if not isinstance(logits, (list, tuple)) and len(getattr(logits, "shape", ())) != 1:
        return False
    of_paths = [isinstance(path, (str, os.PathLike)) for path in logits]
    if any(of_paths) and not all(of_paths):
        at = of_paths.index(False)
        raise TypeError(
            f"Files are taken as a list of paths alone, but logits[{at}] is "
            f"{shown(list(logits)[at])}."
        )
    return any(of_paths)


def refuse_dask(X):
    """Refuse a collection of Dask where all rows would be loaded."""
    if is_dask(X):
        raise TypeError(
            "A Dask array is not taken here, as all of its rows would be loaded: give rows that "
            "fit in memory, such as X.blocks[0].compute()."
        )


def _refuse_paths(X):
    """Refuse files where rows are needed."""
    if isinstance(X, (str, os.PathLike)):
        raise TypeError(
            f"Files are taken as a list of their paths, such as [{shown(os.fspath(X))}]."
        )
    if are_paths(X):
        raise TypeError(
            "Files are taken by l2h_tree(paths), which gives the tree. To fit, give their rows: an "
            "array, or a Dask array with a chunk for each file."
        )


def check_dtype(name, X):
    """Refuse a collection of Dask that is not of real numbers, before it is read."""
    as_array(name, sample_of(X) if is_frame(X) else np.empty(0, X.dtype))


def check_logits(logits):
    """2-dimensional array or CSR matrix of real numbers, whether finite or not."""
    refuse_dask(logits)
    _refuse_paths(logits)
    scores = as_array("logits", logits, accept_sparse=True)
    check_size(scores)
    # Finiteness is checked block by block: -inf is allowed, and a copy is not.
    return check_array(
        scores, accept_sparse="csr", dtype=None, ensure_all_finite=False, input_name="logits"
    )
