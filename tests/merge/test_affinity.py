"""The kernel of the affinity tree: temperature, shares, likeness and linkage."""

from math import exp, log

import numpy as np
import pytest
from helpers.cases import random_case, sparse_case
from helpers.plain_affinity import (
    follows,
    plain_affinity,
    plain_entropy,
    plain_temperature,
    target_of,
)
from sklearn import config_context

from skl2h.logits.matrix import as_logits
from skl2h.merge.affinity import (
    average_linkage,
    likeness_of,
    places_of_sample,
    temperature_of,
)
from skl2h.merge.source import RowsInMemory

pytestmark = pytest.mark.usefixtures("kernels")

CHUNK = 40


def evaluate(logits, weights=None, n_jobs=None, temperature=None):
    """Temperature, likeness, and the linkage matrix."""
    source = RowsInMemory(as_logits(logits), n_jobs)
    source.weigh(weights)
    if temperature is None:
        temperature = temperature_of(*source.sample(), n_jobs)
    likeness = likeness_of(source.reassign(temperature).shares)
    return temperature, likeness, average_linkage(likeness.copy())


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
    return follows(merges[:, :2], merges[:, 2], distances)


@pytest.mark.parametrize("start", range(0, 320, CHUNK))
def test_equals_plain_evaluation(start):
    """To 60 leaves: ties, empty leaves, -inf, weights, every dtype, blocks of one row and more."""
    for seed in range(start, start + CHUNK):
        logits, weights, _, memory, n_jobs = random_case(seed, 40 if seed < 200 else 60)
        assert check_case(logits, weights, memory, n_jobs), f"seed {seed}"


def test_sparse_rows_equal_plain_evaluation():
    for seed in range(180):
        stored, full = sparse_case(seed)
        rng = np.random.default_rng(seed)
        weights = None if seed % 2 else rng.integers(0, 3, len(full))
        memory = [1e-9 if seed < 40 else 1e-2, 1e-3, 1.0][seed % 3]
        assert check_case(stored.tocsr(), weights, memory, 2, full), f"seed {seed}"


def test_more_leaves_equal_plain_evaluation():
    """Of 41 to 60 leaves."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        logits = 3 * rng.standard_normal((rng.integers(20, 90), rng.integers(41, 61)))
        assert check_case(logits, None, 1e-2, 2), f"seed {seed}"


def test_result_does_not_depend_on_workers():
    """Digit by digit: blocks are added in their order."""
    logits = 3 * np.random.default_rng(0).standard_normal((3000, 12))
    with config_context(working_memory=1e-2):
        one, two, three = (evaluate(logits, n_jobs=n_jobs) for n_jobs in (None, 2, 3))
    for of_one, of_two, of_three in zip(one, two, three):
        assert np.array_equal(of_one, of_two)
        assert np.array_equal(of_one, of_three)


def test_temperature_is_where_rows_go_to_four_leaves():
    """On a sample of rows that are spread evenly; fewer leaves have a target of their own."""
    rng = np.random.default_rng(0)
    for n_leaves in (4, 5, 8, 9, 30):
        logits = 2 * rng.standard_normal((2500, n_leaves))
        temperature = temperature_of(as_logits(logits[places_of_sample(2500)]))
        entropy = plain_entropy(logits.tolist(), [1.0] * 2500, temperature)
        np.testing.assert_allclose(entropy, target_of(n_leaves), rtol=1e-9)
    assert target_of(30) == log(4)


@pytest.mark.parametrize(
    "logits",
    [
        np.eye(3),  # fewer than four leaves
        np.zeros((20, 12)),  # entropy is log 11 at every temperature
        np.where(np.arange(12) < 3, np.arange(12) * 0.5, -np.inf)[np.newaxis],  # at most log 2
        np.where(np.eye(12, dtype=bool), 0.0, -np.inf),  # nothing outside
        np.array([[9.0, 1, 1, 0, 0]] * 3),  # log 2 at the coldest, which is the target
        np.array([[9.0, 8, 7, 6]]) * 1e9,  # too far apart for the hottest
    ],
    ids=["few leaves", "equal", "two ways", "no way", "tie", "far"],
)
def test_temperature_is_1_where_there_is_none(logits):
    assert temperature_of(as_logits(logits)) == 1
    assert plain_temperature(logits.tolist(), [1.0] * len(logits)) == 1


def test_rows_without_weight_do_not_tell_the_temperature():
    logits = 2 * np.random.default_rng(0).standard_normal((40, 12))
    weights = np.repeat([0.0, 1.0], 20)
    assert temperature_of(as_logits(logits), np.zeros(40)) == 1
    found = temperature_of(as_logits(logits), weights)
    np.testing.assert_allclose(found, temperature_of(as_logits(logits[20:])), rtol=1e-12)


def test_temperature_takes_up_a_factor():
    logits = 2 * np.random.default_rng(0).standard_normal((900, 12))
    found, likeness, _ = evaluate(logits)
    for factor in (exp(-3), 0.5, 7.0):
        other, same, _ = evaluate(factor * logits)
        np.testing.assert_allclose(other, factor * found, rtol=1e-9)
        np.testing.assert_allclose(same, likeness, rtol=1e-8)


def test_places_of_sample():
    assert places_of_sample(3).tolist() == [0, 1, 2]
    places = places_of_sample(4001)
    assert places.tolist() == [i * 4001 // 2000 for i in range(2000)]


def test_lone_rows_weigh_but_go_nowhere():
    """A row that has one possible leaf is one of its leaf's, and adds to no other."""
    logits = np.array([[2.0, 1, 1], [2, -np.inf, -np.inf], [0, 3, -np.inf], [0, 0, 1]])
    source = RowsInMemory(as_logits(logits))
    shares = source.reassign(1.0).shares
    np.testing.assert_allclose(shares, [[0, 0.25, 0.25], [1, 0, 0], [0.5, 0.5, 0]])
