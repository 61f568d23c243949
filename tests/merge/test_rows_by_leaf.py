"""Rows in the order of their leaves, and in lots."""

import numpy as np

from skl2h.merge.rows_by_leaf import RowsByLeaf


def test_lots_have_whole_leaves_and_all_rows():
    """No more lots than are needed, and none longer than a leaf asks for; leaves without rows."""
    for seed in range(50):
        rng = np.random.default_rng(seed)
        n_rows, n_leaves = rng.integers(1, 60), rng.integers(1, 12)
        leaves = rng.integers(0, n_leaves, n_rows)
        weights = None if seed % 2 else rng.integers(0, 2, n_rows)
        by_leaf = RowsByLeaf.of(leaves, weights, n_leaves)
        length = int(rng.integers(1, 20))
        lots = by_leaf.in_lots(length)
        weighing = np.arange(n_rows) if weights is None else np.flatnonzero(weights)
        assert sorted(np.concatenate([[], *lots]).tolist()) == weighing.tolist()
        owners = [set(leaves[lot].tolist()) for lot in lots]
        assert sum(map(len, owners)) == len(set().union(*owners))
        assert len(lots) <= -(-len(weighing) // length), f"seed {seed}"
        for lot in lots:
            assert len(lot) < length + np.bincount(leaves[lot]).max(), f"seed {seed}"
