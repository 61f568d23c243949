"""Feature spaces: the columns of a matrix, or groups of them, read a few rows at a time.

matrix    2-dimensional, in any dtype, perhaps a memory map; never copied or changed
space     all columns of a matrix, or a group of them, with a centre and a scale
batch     chosen rows, centred and scaled, and ending in a 1
block     consecutive rows, as they are, in float64
map       coef (K, d) and intercept (K,) in float64, for features as they are
"""

from itertools import repeat

import numpy as np
from sklearn.utils import assert_all_finite, check_array, gen_batches

from ..exceptions.arrays import as_array, refuse_masked
from ..exceptions.texts import shown, shown_text

__all__ = ["Space", "batches_of", "blocks_of", "check_matrix", "columns_of_groups", "spaces_of"]

# Rows of a block: enough for fast products, few enough to be small.
BLOCK_ROWS = 2**11


def columns_of_groups(groups, n_features):
    """Numbers of the columns of each group, in their order.

    Raises
    ------
    TypeError
        If `groups` is not a list of slices or of lists of integers.
    ValueError
        If there are no groups, or a group has no columns, or has columns that X does not have.
    """
    if isinstance(groups, (str, bytes)) or not np.iterable(groups):
        raise TypeError(f"feature_groups must be a list of groups of columns, got {shown(groups)}.")
    every = np.arange(n_features)
    found = []
    for number, group in enumerate(groups):
        name = f"feature_groups[{number}]"
        if not isinstance(group, slice):
            refuse_masked(name, group)
            group = np.asarray(group)
            if group.ndim != 1 or (len(group) and group.dtype.kind not in "iub"):
                raise TypeError(
                    f"{name} must be a slice or a list of numbers of columns, got {shown(group)}."
                )
        try:
            columns = every[group] if isinstance(group, slice) or len(group) else every[:0]
        except IndexError as error:
            raise ValueError(
                f"{name} does not fit {n_features} features: {shown_text(error)}."
            ) from error
        if len(columns) == 0:
            raise ValueError(f"{name} has no columns.")
        found.append(columns)
    if not found:
        raise ValueError("feature_groups has no group.")
    return found


def check_matrix(X, estimator_name, least_rows=1):
    """X as a dense matrix without NaN and inf; errors are those of scikit-learn's `check_array`."""
    refuse_masked("X", X)
    # scikit-learn's checks of estimators want an array of objects to be read if these are numbers,
    # and complex numbers to be refused in scikit-learn's words.
    if getattr(getattr(X, "dtype", None), "kind", None) not in ("O", "c"):
        X = as_array("X", X, accept_sparse=True)
    matrix = check_array(
        X,
        estimator=estimator_name,
        input_name="X",
        ensure_min_samples=least_rows,
        ensure_all_finite=False,
    )
    # Block by block, since looking at all rows at once takes as much memory as they do. Sums of
    # large numbers may overflow: scikit-learn then looks at each number.
    with np.errstate(over="ignore", invalid="ignore"):
        for rows in gen_batches(len(matrix), BLOCK_ROWS):
            assert_all_finite(matrix[rows], estimator_name=estimator_name, input_name="X")
    return matrix


def spaces_of(matrix, groups=None, *, scaled=False):
    """A space for each group of columns; None is one space of all columns."""
    spaces = [Space(matrix, columns) for columns in groups or [None]]
    if scaled:
        for space in spaces:
            space.centre_and_scale()
    return spaces


def blocks_of(spaces):
    """Yield slices that cover all rows, each with the list of its blocks, one in each space."""
    for rows in gen_batches(spaces[0].n_rows, BLOCK_ROWS):
        yield rows, [space.block(rows) for space in spaces]


def batches_of(spaces, n_drawn, random_state, dtype):
    """Yield batches without end: lists of one matrix for each space, always in the same memory.

    The `n_drawn` rows of a batch are drawn without replacement from the Generator `random_state`.
    If there are no more rows than that, each batch has all of them, in their order.
    """
    n_rows = spaces[0].n_rows
    n_drawn = min(n_drawn, n_rows)
    batch = [np.ones((n_drawn, space.width + 1), dtype) for space in spaces]
    while n_drawn < n_rows:
        # Sorted, since a file is read faster from its start to its end.
        rows = np.sort(random_state.choice(n_rows, n_drawn, replace=False, shuffle=False))
        for space, Z in zip(spaces, batch):
            space.read(rows, Z)
        yield batch
    for space, Z in zip(spaces, batch):
        space.read(np.arange(n_rows), Z)
    yield from repeat(batch)


class Space:
    """A matrix, or some of its columns, which is not centred or scaled at first.

    Parameters
    ----------
    matrix : ndarray of shape (n, p)
    columns : ndarray of shape (d,), dtype=intp, default=None
        Numbers of its columns; None takes all.
    """

    def __init__(self, matrix, columns=None):
        # A memory map becomes a plain array, whose slices are made faster.
        matrix = np.asarray(matrix)
        if columns is not None and (np.diff(columns) == 1).all():
            matrix, columns = matrix[:, columns[0] : columns[-1] + 1], None  # a view
        self.matrix, self.columns = matrix, columns
        self.n_rows = len(matrix)
        self.width = matrix.shape[1] if columns is None else len(columns)
        # What float32 can hold is read as float32; wide floats and large integers as float64.
        narrow = np.result_type(matrix.dtype, np.float32) == np.float32
        self.centre = np.zeros(self.width, np.float32 if narrow else np.float64)
        self.scale = 1.0

    def block(self, rows):
        """Consecutive rows as they are, in float64."""
        block = self.matrix[rows] if self.columns is None else self.matrix[rows, self.columns]
        return block.astype(np.float64, copy=False)

    def centre_and_scale(self):
        """Measure the centre, and the scale: the root mean square of the deviations of features.

        Features that never vary do not count towards the scale.

        Raises
        ------
        ValueError
            If their sums are too large for float64.
        """
        sums, squares, peaks, unit = *np.zeros((3, self.width)), np.finfo(np.float64).tiny
        with np.errstate(over="ignore", invalid="ignore"):
            # Deviations are taken from the first row, not from 0: those of a feature that never
            # varies are exactly 0, and a variance beside a large mean keeps its digits.
            first = self.block(slice(0, 1))[0]
            for _, [block] in blocks_of([self]):
                away = block - first
                sums += away.sum(axis=0)
                peaks = np.maximum(peaks, np.abs(away).max(axis=0))
                # The unit of the squares is a power of two near the largest deviation: they neither
                # overflow nor vanish, and no digit of theirs changes.
                larger = np.ldexp(0.5, np.frexp(max(unit, peaks.max()))[1])
                squares *= (unit / larger) ** 2
                unit = larger
                away /= unit
                squares += np.einsum("ij,ij->j", away, away)
            mean = sums / self.n_rows
            variances = np.maximum(squares / self.n_rows - (mean / unit) ** 2, 0)
        if not np.isfinite(variances).all():
            raise ValueError("X has features too large for float64: divide them by something.")
        self.centre = (first + mean).astype(self.centre.dtype)
        if peaks.any():
            self.scale = float(unit * np.sqrt(variances[peaks > 0].mean()))

    def read(self, rows, out):
        """Write the rows with these numbers, centred and scaled, into `out` but its last column."""
        batch = self.matrix[rows]
        if self.columns is not None:
            batch = batch[:, self.columns]
        batch = batch.astype(self.centre.dtype, copy=False)
        batch -= self.centre
        np.divide(batch, self.scale, out=out[:, :-1], casting="same_kind")

    def unscaled(self, weights):
        """Map for features as they are that does what weights (K, d + 1) do for batches."""
        coef = weights[:, :-1].astype(np.float64) / self.scale
        return coef, weights[:, -1] - coef @ self.centre
