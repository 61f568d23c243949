"""The kernel of the affinity tree: temperature, shares, likeness and linkage."""


import numpy as np
import pytest
from helpers.cases import random_case, sparse_case
from helpers.plain_affinity import (
    plain_affinity,
    plain_entropy,
    plain_heights,
    plain_temperature,
    target_of,
)
from sklearn import config_context

from skl2h.logits.matrix import as_logits
from skl2h.merge.affinity import (
    average_linkage,
    likeness_of,
    temperature_of,
)
from skl2h.merge.source import RowsInMemory

CHUNK = 50


def evaluate(logits, weights=None, n_jobs=None, temperature=None):
    """Temperature, likeness, and the linkage matrix."""
    source = RowsInMemory(as_logits(logits), n_jobs)
    source.weigh(weights)
    if temperature is None:
        temperature = temperature_of(*source.sample(), n_jobs)
    likeness = likeness_of(source.reassign(temperature).shares)
    return temperature, likeness, average_linkage(likeness.copy())


def follows(merges, distances):
    """Heights to nine digits, and the closest groups first, but for what is as close."""
    steps = plain_heights(distances, merges[:, :2].astype(int).tolist())
    expected, least = np.array([*steps]).reshape(-1, 2).T
    size = max(distances.values(), default=0.0)
    np.testing.assert_allclose(merges[:, 2], expected, rtol=1e-9, atol=1e-9 * size)
    np.testing.assert_allclose(expected, least, rtol=1e-9, atol=1e-9 * size)
    return True


def check_case(logits, weights, memory, n_jobs, full=None):
    """One case beside the plain evaluation at the same temperature, which is checked as well."""
    full = logits if full is None else full
    with config_context(working_memory=memory):
        temperature, likeness, merges = evaluate(logits, weights, n_jobs)
    rows = np.asarray(full, dtype=float).tolist()
    weighing = [1.0] * len(rows) if weights is None else list(map(float, weights))
    n_leaves = len(rows[0])
    entropy = None if n_leaves < 4 else plain_entropy(rows, weighing, temperature)
    if temperature == 1:
        assert plain_temperature(rows, weighing) == 1
    else:
        assert abs(entropy - target_of(n_leaves)) < 1e-9
    distances, expected = plain_affinity(rows, weighing, temperature)
    np.testing.assert_allclose(likeness, expected, rtol=1e-9, atol=1e-12)
    return follows(merges, distances)


@pytest.mark.parametrize("start", range(0, 250, CHUNK))
def test_equals_plain_evaluation(start):
    """With ties, empty leaves, -inf, weights, every dtype, blocks of one row and of many."""
    for seed in range(start, start + CHUNK):
        logits, weights, _, memory, n_jobs = random_case(seed)
        assert check_case(logits, weights, memory, n_jobs), f"seed {seed}"


def test_sparse_rows_equal_plain_evaluation():
    for seed in range(60):
        stored, full = sparse_case(seed)
        rng = np.random.default_rng(seed)
        weights = None if seed % 2 else rng.integers(0, 3, len(full))
        memory = [1e-9, 1e-3, 1.0][seed % 3]
        assert check_case(stored.tocsr(), weights, memory, 2, full), f"seed {seed}"


def test_more_leaves_equal_plain_evaluation():
    """Of 41 to 60 leaves."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        logits = 3 * rng.standard_normal((rng.integers(20, 90), rng.integers(41, 61)))
        assert check_case(logits, None, 1e-2, 2), f"seed {seed}"
