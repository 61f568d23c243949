"""Arrays of Dask: their chunks, what is said of each row of them, and the weights of the rows.

Chunks stay where they are: whatever has an entry for each row is an array of Dask's again.
"""

from typing import NamedTuple

import numpy as np
from sklearn.utils import check_array

from .arguments import check_weights
from .logits import as_logits
from .merge import unit_of

__all__ = [
    "DaskWeights",
    "as_dask_array",
    "blocks_of",
    "chunks_of_weights",
    "import_dask",
    "is_dask",
    "map_chunks",
    "parts_of",
    "refuse_dask",
    "sample_of",
    "take",
]


def is_dask(X):
    """Whether an array, or a table, is a collection of Dask's, or is made of one."""
    return hasattr(X, "__dask_graph__") and import_dask().is_dask_collection(X)


def refuse_dask(X):
    """Refuse a collection of Dask's where all rows would be loaded."""
    if is_dask(X):
        raise TypeError(
            "A Dask array is not taken here, as all of its rows would be loaded: give rows that "
            "fit in memory, such as X.blocks[0].compute()."
        )


def sample_of(X):
    """What tells the names of columns: X, or the rowless sample that a data frame of Dask's has."""
    return X._meta if hasattr(X, "to_dask_array") else X


def import_dask():
    """Dask and its arrays."""
    try:
        import dask
        import dask.array
        import dask.optimization
    except ImportError:
        raise ImportError('Chunks of rows need Dask: pip install "skl2h[dask]".') from None
    return dask


def map_chunks(function, response, estimator, X, shape=(), dtype=np.intp):
    """What a function says of the logits of each row, lazily: a Dask array (n, *shape)."""
    dask = import_dask()
    parts, lengths = parts_of(X)
    sent = dask.delayed((function, response, estimator), pure=False, traverse=False)
    call = dask.delayed(_call_on_part, pure=False)
    parts = [
        dask.array.from_delayed(call(sent, part, number), (length, *shape), dtype)
        for number, (part, length) in enumerate(zip(parts, lengths))
    ]
    return dask.array.concatenate(parts, allow_unknown_chunksizes=True)


def _call_on_part(sent, part, number):
    function, response, estimator = sent
    try:
        if isinstance(estimator, str):
            read = [as_logits(part, divisor=response.divisor)]
        else:
            read = response.read(estimator, part)
        return np.concatenate([function(logits) for logits in read])
    except ValueError as error:
        raise ValueError(f"Chunk {number}: {error}") from error


def take(table, leaves):
    """Lines of a table by the leaves of rows, of which there may be a Dask array."""
    if not is_dask(leaves):
        return table[leaves]
    if table.ndim == 1:
        return leaves.map_blocks(_take, table=table, dtype=table.dtype)
    chunks = (*leaves.chunks, (table.shape[1],))
    return leaves.map_blocks(_take, table=table, dtype=table.dtype, new_axis=1, chunks=chunks)


def _take(leaves, table):
    return table[leaves]


def parts_of(X):
    """Chunks of the rows of a Dask array, or data frame, and their lengths, nan if not known."""
    if hasattr(X, "to_dask_array"):
        return X.to_delayed(), [np.nan] * X.npartitions
    X = as_dask_array(X)
    return blocks_of(X), X.chunks[0]


def as_dask_array(X):
    """Dask array of two dimensions, of which the columns are whole in every chunk."""
    dask = import_dask()
    if hasattr(X, "to_dask_array"):
        X = X.to_dask_array()
    if not isinstance(X, dask.array.Array):
        X = getattr(X, "data", X)  # of xarray
    if not isinstance(X, dask.array.Array):
        raise TypeError(f"A Dask array is needed, got {type(X).__name__}.")
    if X.ndim != 2:
        raise ValueError(f"Expected 2D array, got {X.ndim}D array instead.")
    if X.shape[0] == 0:
        raise ValueError(f"Found array with 0 samples (shape={X.shape}).")
    return X if X.numblocks[1] == 1 else X.rechunk({1: -1})


class DaskWeights(NamedTuple):
    """Weights of rows in chunks, in a unit in which products of them need not underflow.

    Attributes
    ----------
    parts : list of Delayed
    scale : int
        Logarithm of the unit to the base 2.
    """

    parts: list
    scale: int


def chunks_of_weights(weights, lengths):
    """Weights of the rows of chunks of some lengths, as `DaskWeights`, or None."""
    if weights is None:
        return None
    dask = import_dask()
    if np.isnan(lengths).any():
        raise ValueError(
            "sample_weight needs chunks of known lengths: call compute_chunk_sizes() on the array."
        )
    n_rows = sum(lengths)
    if not is_dask(weights):
        weights = dask.array.from_array(check_weights(weights, n_rows), chunks=(lengths,))
    elif hasattr(weights, "to_dask_array"):
        weights = weights.to_dask_array(lengths=True)
    if weights.shape != (n_rows,):
        raise ValueError(
            f"sample_weight must have the shape ({n_rows},), one for each row, got {weights.shape}."
        )
    parts = weights.rechunk((lengths,)).to_delayed().ravel().tolist()
    check = dask.delayed(_weigh, pure=False)
    heaviest, total, first = 0.0, 0.0, 0
    for (largest, weight, fault), length in zip(dask.compute(*map(check, parts)), lengths):
        if fault is not None:
            raise ValueError(fault[1] if fault[0] is None else fault[1].format(first + fault[0]))
        heaviest, total, first = max(heaviest, largest), total + weight, first + length
    if total == np.inf:
        raise ValueError("The sum of sample_weight is too large for float64: scale it down.")
    scale = unit_of(heaviest)
    scaled = dask.delayed(_scale, pure=False)
    return DaskWeights([scaled(part, scale) for part in parts], scale)


def blocks_of(X):
    """Chunks of an array, as a list of Delayed."""
    return X.to_delayed().ravel().tolist()


def _weigh(weights):
    """Largest weight of a chunk, their sum, and a fault: a row or None, and what is said of it."""
    try:
        weights = check_array(
            weights, dtype=np.float64, ensure_2d=False, input_name="sample_weight"
        )
    except ValueError as error:
        return 0.0, 0.0, (None, str(error))
    if (weights < 0).any():
        row = int((weights < 0).argmax())
        return 0.0, 0.0, (row, f"sample_weight[{{}}] is negative: {weights[row]:g}.")
    with np.errstate(over="ignore"):
        return float(weights.max(initial=0.0)), float(weights.sum()), None


def _scale(weights, scale):
    return np.ldexp(np.asarray(weights, dtype=np.float64), -scale)
