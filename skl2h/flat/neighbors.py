"""Nearest rows of a feature space by cosine, compared block by block, and pairs of them."""

import numpy as np
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize
from sklearn.utils import gen_batches

__all__ = ["Pairs", "cosine_neighbors"]

# Rows that are compared at once: those whose neighbours are looked for, and those looked among.
QUERY_ROWS, INDEX_ROWS = 2**13, 2**14


class Pairs:
    """Rows that are drawn, a batch at a time, each with one of its neighbours.

    All batches are drawn twice: first to know which rows need neighbours at all.
    """

    def __init__(self, space, n_steps, n_pairs, n_neighbors, random_state):
        self.n_rows, self.n_steps, self.n_pairs = space.n_rows, n_steps, n_pairs
        self.seed, self.random_state = random_state.integers(2**63), random_state
        is_drawn = np.zeros(space.n_rows, dtype=bool)
        for rows in self._rows():
            is_drawn[rows] = True
        self.rows = np.flatnonzero(is_drawn)
        self.places = is_drawn.cumsum() - 1
        self.neighbors = cosine_neighbors(space, self.rows, n_neighbors)

    def _rows(self):
        random_state = np.random.default_rng(self.seed)
        for _ in range(self.n_steps):
            yield random_state.choice(self.n_rows, self.n_pairs, replace=False, shuffle=False)

    def drawn_again(self):
        """Yield the rows of a batch, and a neighbour of each, for all batches."""
        for rows in self._rows():
            yield rows, self._neighbors_at(self.places[rows])

    def one_of_each_row(self):
        """All rows that are ever drawn, and one neighbour of each."""
        return self.rows, self._neighbors_at(np.arange(len(self.rows)))

    def _neighbors_at(self, places):
        width = self.neighbors.shape[1]
        return self.neighbors[places, self.random_state.integers(width, size=len(places))]


def cosine_neighbors(space, rows, n_neighbors):
    """Other rows with the smallest angle to each of `rows` (m,), the nearest first.

    Gives the numbers of rows (m, n_neighbors), of dtype int32 where that is enough. Angles are
    between rows after centring and scaling; the angle to a row of zeros is a right angle.
    """
    dtype = np.int32 if space.n_rows < 2**31 else np.int64
    found = np.empty((len(rows), n_neighbors), dtype)
    for part in gen_batches(len(rows), QUERY_ROWS):
        found[part] = _neighbors_of(space, rows[part], n_neighbors)
    return found


def _neighbors_of(space, rows, n_neighbors):
    asked = _units(space, rows)
    nearest = np.empty((len(rows), 0), np.intp)
    distances = np.empty((len(rows), 0))
    for block in gen_batches(space.n_rows, INDEX_ROWS):
        index = _units(space, np.arange(block.start, block.stop))
        # The nearest of vectors of unit length are those with the smallest angle. One more than
        # needed is asked for, since the row itself may be among them.
        model = NearestNeighbors(n_neighbors=min(n_neighbors + 1, len(index)), algorithm="brute")
        of_block, found = model.fit(index).kneighbors(asked)
        found += block.start
        of_block[found == rows[:, np.newaxis]] = np.inf
        nearest, distances = np.hstack([nearest, found]), np.hstack([distances, of_block])
        order = np.argsort(distances, axis=1, kind="stable")[:, :n_neighbors]
        nearest = np.take_along_axis(nearest, order, axis=1)
        distances = np.take_along_axis(distances, order, axis=1)
    return nearest


def _units(space, rows):
    """Rows at unit length, each ending in a 0; but rows of zeros are zeros that end in a 1."""
    units = np.zeros((len(rows), space.width + 1), space.centre.dtype)
    space.read(rows, units)
    peaks = np.maximum(units.max(axis=1), -units.min(axis=1))[:, np.newaxis]
    if not np.isfinite(peaks).all():
        raise ValueError(f"X has features too large for {units.dtype}: divide them by something.")
    units[:, -1:] = peaks == 0
    # Divided by the largest entry, so that their squares neither overflow nor vanish.
    units /= np.where(peaks > 0, peaks, 1)
    return normalize(units, copy=False)
