"""Where the rows of logits are, behind one protocol: a source.

There are three: `RowsInMemory`, `Shards` of .npy files, and `DaskChunks`. Nothing above this room
asks which of them it has.

shape                          rows (NaN while they are unknown) and leaves
names                          labels of the columns as text, or None
labels                         as they are, if scikit-learn can tell them, or None
weigh(weights)                 give the rows weights, or None, before they are read
merge(aggregation, on_merge)   merge the leaves: `Merges`
sample()                       rows that tell a temperature: `Logits`, and their weights or None
reassign(temperature)          where the rows of each leaf would go: `affinity.Reassigned`
sum_of(function)               call a function of the logits, leaves and weights of some rows at a
                               time, in any lots, and add the results
mean_square()                  of distances: mean square of the smallest distance of each row
divide_by(divisor)             change what the logits are divided by
with source:                   when it is left, what workers keep of the rows is let go

`Shards` are read for their tree alone: they have no `sum_of`, `mean_square` and `divide_by`.
Those that are read in passes have more, which `distributed.passes` needs of them.
"""

import numpy as np

from ..exceptions.arguments import as_flag, check_n_jobs, check_weights
from ..logits.kinds import are_paths, is_dask
from ..logits.matrix import check_input, warn_if_probabilities
from ..logits.of_models import Precomputed
from .affinity import add_rows, places_of_sample, reassigned
from .distributed.dask_chunks import dask_source
from .distributed.npy_files import open_shards
from .loop import in_own_unit, merge_leaves
from .weights import exact_totals

__all__ = ["RowsInMemory", "source_of", "source_of_logits"]


def source_of(response, estimator, X, sample_weight=None, *, n_jobs=None, persist=True):
    """Source of the logits of rows: those that an estimator gives, or X itself."""
    if is_dask(X):
        return dask_source(response, estimator, X, sample_weight, persist=persist)
    source = RowsInMemory(response.logits(estimator, X), n_jobs)
    source.weigh(sample_weight)
    return source


def source_of_logits(logits, sample_weight, input, n_jobs, persist):
    """Source of the rows of logits, or probabilities, wherever they are: files as well."""
    check_input(input)
    check_n_jobs(n_jobs)
    persist = as_flag("persist", persist)
    return (
        open_shards(logits, sample_weight, kind=input, n_jobs=n_jobs)
        if are_paths(logits)
        else source_of(
            Precomputed(input=input), None, logits, sample_weight, n_jobs=n_jobs, persist=persist
        )
    )


class RowsInMemory:
    """All rows as `Logits`, in memory or in one memory map.

    Parameters
    ----------
    logits : Logits of shape (n, K)
    n_jobs : int, default=None
        Threads that read them.
    """

    def __init__(self, logits, n_jobs=None):
        self.logits = logits
        self.n_jobs = n_jobs
        self.names, self.labels = logits.names, logits.labels
        self.weights = None
        self.leaves = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    @property
    def shape(self):
        """Rows and leaves."""
        return self.logits.shape

    def weigh(self, weights):
        """Give the rows weights, or None."""
        self.weights = check_weights(weights, self.shape[0])

    def merge(self, aggregation="sum_of_means", on_merge=None):
        """Merge the leaves of the rows."""
        warn_if_probabilities(self.logits.look_like_probabilities(), self.shape[0])
        merges = merge_leaves(
            self.logits,
            self.weights,
            aggregation=aggregation,
            n_jobs=self.n_jobs,
            on_merge=on_merge,
        )
        self.leaves = merges.leaves
        return merges

    def sample(self):
        """Rows that tell a temperature, as `Logits`, and their weights or None."""
        places = places_of_sample(self.shape[0])
        weights = None if self.weights is None else in_own_unit(self.weights)[0][places]
        return self.logits[places], weights

    def reassign(self, temperature):
        """Where the rows of each leaf would go."""
        warn_if_probabilities(self.logits.look_like_probabilities(), self.shape[0])
        n_leaves, weights, scale = self.shape[1], None, None
        if self.weights is not None:
            weights, scale = in_own_unit(self.weights)
        sums = np.zeros((n_leaves, n_leaves))
        self.leaves = add_rows(sums, self.logits, weights, temperature, self.n_jobs)
        totals = exact_totals(self.leaves, weights, n_leaves)
        return reassigned(sums, totals, scale, self.leaves)

    def sum_of(self, function):
        """Call a function of the logits, leaves and weights of all rows."""
        leaves = self.logits.leaves() if self.leaves is None else self.leaves
        weights = None if self.weights is None else in_own_unit(self.weights)[0]
        return function(self.logits, leaves, weights)

    def mean_square(self):
        """Mean square of the smallest distance of each row."""
        squares = np.square(self.logits.scores.min(axis=1), dtype=np.float64)
        if self.weights is not None:
            squares *= self.weights / (np.mean(self.weights) or 1.0)
        return squares.mean()

    def divide_by(self, divisor):
        """Change what the logits are divided by."""
        self.logits.divisor = divisor
