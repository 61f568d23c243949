"""Arrays of Dask: their chunks, predictions for each of their rows, and the weights of the rows.

Chunks stay where they are: whatever has an entry for each row is an array of Dask's again.
"""

from uuid import uuid4

import numpy as np
from sklearn.utils.validation import _num_samples

from ...exceptions.arguments import check_weights
from ...exceptions.arrays import as_array
from ...logits.kinds import check_dtype, import_dask, is_dask, is_frame
from ..weights import unit_of
from .dask_graph import Tasks, add_task, naming_the_chunk, same, tasks_of

__all__ = [
    "as_matrix",
    "chunks_of_weights",
    "map_chunks",
    "parts_of",
    "take",
]


def map_chunks(function, response, estimator, X, shape=(), dtype=np.intp):
    """What a function says of the logits of each row, lazily: a Dask array (n, *shape)."""
    dask = import_dask()
    parts, lengths = parts_of(X)
    graph, name = dict(parts.graph), f"rows-{uuid4().hex}"
    # What is sent is a task of its own, so that each worker gets it once.
    sent = add_task(graph, f"sent-{name}", same, it=(function, response, estimator))
    expected = {"shape": shape, "dtype": dtype}
    for number, part in enumerate(parts.keys):
        key = (name, number, *[0] * len(shape))
        add_task(graph, key, _call_on_part, sent, part, number=number, **expected)
    chunks = (tuple(lengths), *[(size,) for size in shape])
    return dask.array.Array(graph, name, chunks, dtype=dtype)


def _call_on_part(sent, part, number, shape, dtype):
    function, response, estimator = sent
    try:
        if _num_samples(part) == 0:
            return np.empty((0, *shape), dtype)
        return np.concatenate([function(logits) for logits in _read(response, estimator, part)])
    except ValueError as error:
        raise ValueError(f"Chunk {number}: {error}") from error
    except Exception as error:
        raise RuntimeError(f"Chunk {number}: {type(error).__name__}: {error}") from error


def _read(response, estimator, part):
    for logits in response.read(estimator, part):
        if logits.shape[1] != response.n_leaves:
            raise ValueError(
                f"it has {logits.shape[1]} columns, not {response.n_leaves}, one for each leaf."
            )
        response.warn(logits)
        yield logits


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


def parts_of(X, with_lengths=False):
    """Chunks of the rows of a Dask array, or data frame, `Tasks`, and their lengths.

    They are nan where they are not known. Those of a data frame can be had, for a pass over it.
    """
    X = as_matrix(X)
    parts = tasks_of(X)
    if not is_frame(X):
        return parts, X.chunks[0]
    if not with_lengths:
        return parts, [np.nan] * len(parts.keys)
    graph, name = dict(parts.graph), f"lengths-{uuid4().hex}"
    keys = [add_task(graph, (name, i), _num_samples, part) for i, part in enumerate(parts.keys)]
    with naming_the_chunk(parts):
        return parts, Tasks(graph, keys).compute()


def as_matrix(X):
    """Data frame of Dask, or Dask array of two dimensions, with the columns in one chunk."""
    if is_frame(X):
        return X
    X = _unwrapped(X, "logits")
    if X.ndim != 2:
        raise ValueError(f"Expected 2D array, got {X.ndim}D array instead.")
    if X.shape[0] == 0:
        raise ValueError(f"Found array with 0 samples (shape={X.shape}).")
    return X if X.numblocks[1] == 1 else X.rechunk({1: -1})


def _unwrapped(X, what):
    """Dask array that X is, or is made of, as those of xarray are."""
    Array = import_dask().array.Array
    X = X if isinstance(X, Array) else getattr(X, "data", X)
    if not isinstance(X, Array):
        raise TypeError(f"A Dask array is needed for {what}, got {type(X).__name__}.")
    return X


def chunks_of_weights(weights, lengths):
    """Weights of the rows of chunks of some lengths, `Tasks`, and the scale of their unit.

    In the unit, which is 2 to the power of the scale, products of them need not underflow.
    """
    dask = import_dask()
    if np.isnan(lengths).any():
        raise ValueError(
            "sample_weight needs chunks of known lengths: call compute_chunk_sizes() on the array."
        )
    n_rows, lengths = sum(lengths), tuple(lengths)
    if not is_dask(weights):
        weights = dask.array.from_array(check_weights(weights, n_rows), chunks=(lengths,))
    elif is_frame(weights):
        weights = weights.to_dask_array(lengths=True)
    weights = _unwrapped(weights, "sample_weight")
    check_dtype("sample_weight", weights)
    if weights.shape != (n_rows,):
        raise ValueError(
            f"sample_weight must have the shape ({n_rows},), one for each row, got {weights.shape}."
        )
    parts = tasks_of(weights.rechunk((lengths,)))
    graph, name = dict(parts.graph), f"weights-{uuid4().hex}"
    firsts = np.cumsum([0, *lengths]).tolist()
    keys = [
        add_task(graph, f"{name}-{i}", _weigh, part, first=first)
        for i, (part, first) in enumerate(zip(parts.keys, firsts))
    ]
    with naming_the_chunk(parts, "Chunk {} of sample_weight"):
        weighed = Tasks(graph, keys).compute()
    largest, sums, faults = zip(*weighed)
    for fault in filter(None, faults):
        raise ValueError(fault)
    if sum(sums) == np.inf:
        raise ValueError("The sum of sample_weight is too large for float64: scale it down.")
    graph, scale = dict(parts.graph), unit_of(max(largest))
    keys = [
        add_task(graph, (name, i), _scale, part, scale=scale) for i, part in enumerate(parts.keys)
    ]
    return Tasks(graph, keys), scale


def _weigh(weights, first):
    """Largest weight of a chunk, their sum, and the fault of the chunk or None."""
    try:
        weights = as_array("sample_weight", weights)
        if weights.ndim != 1:
            raise ValueError(f"sample_weight has a chunk of the shape {weights.shape}.")
        weights = check_weights(weights, len(weights), first)
    except ValueError as error:
        return 0.0, 0.0, str(error)
    return float(weights.max(initial=0.0)), float(weights.sum()), None


def _scale(weights, scale):
    return np.ldexp(np.asarray(weights, dtype=np.float64), -scale)
