"""Logits of the rows that a fitted `L2HClustering` is given, as it was fitted.

Rows are whatever the inner model takes, logits themselves, or a collection of Dask.
"""

import numpy as np

from ..logits.inner_model import rows_of
from ..logits.kinds import is_dask, refuse_dask, sample_of
from ..logits.of_models import joined
from ..merge.distributed.dask_arrays import as_matrix, map_chunks
from .columns import check_columns

__all__ = ["logits_of_rows", "map_rows"]


def map_rows(model, function, X, shape=(), dtype=np.intp):
    """Call a function of the logits of each row, which gives some shape; lazily for Dask's rows."""
    # As the model was fitted, whatever its parameters have been set to since.
    estimator, response = model.estimator_, model.response_
    X = rows_of(estimator, X)
    if not is_dask(X):
        return np.concatenate([function(logits) for logits in _read(model, X)])
    table = as_matrix(X)
    check_columns(model, sample_of(X), response.header(X, table).n_columns)
    return map_chunks(function, response, estimator, table, shape, dtype)


def logits_of_rows(model, X):
    """Logits of all rows of X, which are in memory."""
    refuse_dask(X)
    X = rows_of(model.estimator_, X)
    return joined(_read(model, X), X)


def _read(model, X):
    """Logits of one batch of rows after another. Columns of logits must be those of `fit`."""
    for logits in model.response_.read(model.estimator_, X):
        check_columns(model, X, logits.shape[1])
        model.response_.warn(logits)
        yield logits
