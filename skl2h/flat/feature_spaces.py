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

__all__ = [
    "Space",
    "batches_of",
    "blocks_of",
    "check_finite",
    "check_matrix",
    "columns_of_groups",
    "spaces_of",
]

# Rows of a block: enough for fast products, few enough to be small.
BLOCK_ROWS = 2**11


def columns_of_groups(groups, n_features):
    """Numbers of the columns of each group, in their order.

    Raises
    ------
    TypeError
        If `groups` is no list of slices or of lists of numbers.
    ValueError
        If a group has no columns, or some that are not there.
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


def check_matrix(matrix, estimator_name, input_name, ensure_min_samples=1):
    """Matrix that is finite and dense, as scikit-learn asks for, but in little memory."""
    refuse_masked(input_name, matrix)
    # scikit-learn wants objects to be taken if they are numbers, and complex ones refused in its
    # own words.
    if getattr(getattr(matrix, "dtype", None), "kind", None) not in ("O", "c"):
        matrix = as_array(input_name, matrix, accept_sparse=True)
    matrix = check_array(
        matrix,
        estimator=estimator_name,
        input_name=input_name,
        ensure_min_samples=ensure_min_samples,
        ensure_all_finite=False,
    )
    check_finite(matrix, estimator_name, input_name)
    return matrix


def check_finite(matrix, estimator_name, input_name):
    """Refuse NaN and inf as scikit-learn does, in little memory for every dtype."""
    # A sum of large numbers of both signs may be no number: scikit-learn then looks at each.
    with np.errstate(over="ignore", invalid="ignore"):
        for rows in gen_batches(len(matrix), BLOCK_ROWS):
            assert_all_finite(matrix[rows], estimator_name=estimator_name, input_name=input_name)


def spaces_of(matrix, groups=None, *, scaled=False):
    """A space for each group of columns; None is one space of all columns."""
    spaces = [Space(matrix, columns) for columns in groups or [None]]
    if scaled:
        for space in spaces:
            space.centre_and_scale()
    return spaces


def blocks_of(spaces):
    """Yield a slice of rows after another, with a list of the block in each space."""
    for rows in gen_batches(spaces[0].n_rows, BLOCK_ROWS):
        yield rows, [space.block(rows) for space in spaces]


def batches_of(spaces, n_drawn, random_state, dtype):
    """Yield a batch of so many rows after another, in the same memory: a matrix for each space.

    They are drawn without replacement from the Generator `random_state`; if there are no more
    rows than that, each batch has them all, in their order.
    """
    n_rows = spaces[0].n_rows
    n_drawn = min(n_drawn, n_rows)
    batch = [np.ones((n_drawn, space.width + 1), dtype) for space in spaces]
    while n_drawn < n_rows:
        # In their order, which is the way a file is read.
        rows = np.sort(random_state.choice(n_rows, n_drawn, replace=False, shuffle=False))
        for space, Z in zip(spaces, batch):
            space.read(rows, Z)
        yield batch
    for space, Z in zip(spaces, batch):
        space.read(np.arange(n_rows), Z)
    yield from repeat(batch)


class Space:
    """A matrix, or some of its columns; as it is until it is centred and scaled.

    Parameters
    ----------
    matrix : ndarray of shape (n, p)
    columns : ndarray of shape (d,), dtype=intp, default=None
        Their numbers; None takes all.
    """

    def __init__(self, matrix, columns=None):
        # A memory map as a plain array: its own class costs time at every slice.
        matrix = np.asarray(matrix)
        if columns is not None and (np.diff(columns) == 1).all():
            matrix, columns = matrix[:, columns[0] : columns[-1] + 1], None  # a view
        self.matrix, self.columns = matrix, columns
        self.n_rows = len(matrix)
        self.width = matrix.shape[1] if columns is None else len(columns)
        # Narrow floats stay narrow, wide ones and large whole numbers are taken in float64.
        narrow = np.result_type(matrix.dtype, np.float32) == np.float32
        self.centre = np.zeros(self.width, np.float32 if narrow else np.float64)
        self.scale = 1.0

    def block(self, rows):
        """Some consecutive rows as they are."""
        block = self.matrix[rows] if self.columns is None else self.matrix[rows, self.columns]
        return block.astype(np.float64, copy=False)

    def centre_and_scale(self):
        """Measure the centre, and the scale: the deviation of a feature, in the mean square.

        Features that never vary do not count.

        Raises
        ------
        ValueError
            If their sums are too large for float64.
        """
        sums, squares, peaks, unit = *np.zeros((3, self.width)), np.finfo(np.float64).tiny
        with np.errstate(over="ignore", invalid="ignore"):
            # From the first row on: what never varies stays exactly 0, and no variance is lost to
            # rounding, since the first row is itself part of it.
            first = self.block(slice(0, 1))[0]
            for _, [block] in blocks_of([self]):
                away = block - first
                sums += away.sum(axis=0)
                peaks = np.maximum(peaks, np.abs(away).max(axis=0))
                # Squares are in units of a power of two next to the largest deviation: they neither
                # overflow nor vanish, and have the digits that they would have in units of 1.
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
        """Centre and scale an index of rows, into all but the last column of `out`."""
        batch = self.matrix[rows]
        if self.columns is not None:
            batch = batch[:, self.columns]
        batch = batch.astype(self.centre.dtype, copy=False)
        batch -= self.centre
        np.divide(batch, self.scale, out=out[:, :-1], casting="same_kind")

    def unscaled(self, weights):
        """Map for the features as they are, of weights (K, d + 1) for batches."""
        coef = weights[:, :-1].astype(np.float64) / self.scale
        return coef, weights[:, -1] - coef @ self.centre
