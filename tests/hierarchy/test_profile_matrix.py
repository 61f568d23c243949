"""Profiles of leaves: as the definition says, whatever the rows come in."""

import numpy as np
import pytest
from helpers.plain import plain_profiles
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn import config_context
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skl2h import L2HClustering, profile_matrix
from skl2h.datasets import make_hierarchical_logits


def impossible_leaves(seed, empty=False):
    """Logits of which some are -inf, also all but one; with a leaf without rows or not."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=3, size=(40, 6))
    logits[rng.random(logits.shape) < 0.2] = -np.inf
    logits[:, 0] = np.where(np.isneginf(logits).all(axis=1), 0.0, logits[:, 0])
    if empty:
        logits[:, 4] = logits.max(axis=1) - 1
    return logits


def as_sparse(logits):
    possible = np.nonzero(np.isfinite(logits))
    return csr_matrix((logits[possible], possible), logits.shape)


KINDS = {
    "array": np.asarray,
    "list": np.ndarray.tolist,
    "Fortran order": np.asfortranarray,
    "float32": lambda logits: logits.astype(np.float32),
    "sparse": as_sparse,
    "frame": lambda logits: pytest.importorskip("pandas").DataFrame(logits),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("empty", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_profiles_are_those_of_the_definition(seed, weighted, empty, kind):
    """Also of leaves without rows, and of rows that can go nowhere else."""
    logits = impossible_leaves(seed, empty)
    weights = np.random.default_rng(seed).integers(1, 4, 40) if weighted else None
    rows = KINDS[kind](logits)
    model = L2HClustering("precomputed").fit(rows)
    profiles = profile_matrix(model, rows, sample_weight=weights)
    assert profiles.dtype == np.float64
    plain = plain_profiles(logits.astype(np.float32) if kind == "float32" else logits, weights)
    tolerance = 1e-5 if kind == "float32" else 1e-9
    assert_allclose(profiles, plain, rtol=tolerance, atol=1e-300)


@pytest.mark.parametrize("seed", range(2))
def test_a_weight_is_as_many_rows(seed):
    logits = impossible_leaves(seed)
    times = np.random.default_rng(seed).integers(4, size=40)
    model = L2HClustering("precomputed").fit(logits)
    repeated = profile_matrix(model, logits.repeat(times, axis=0))
    assert_allclose(profile_matrix(model, logits, sample_weight=times), repeated, rtol=1e-12)


def test_rows_are_read_by_the_inner_model_and_what_is_before_it():
    X, y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 4
    scaler = StandardScaler().fit(X)
    inner = LogisticRegression().fit(scaler.transform(X), y)
    model = make_pipeline(scaler, L2HClustering(FrozenEstimator(inner))).fit(X)
    logits = inner.decision_function(scaler.transform(X[:30]))
    assert_allclose(profile_matrix(model, X[:30]), plain_profiles(logits), rtol=1e-9)


def test_no_matter_how_many_threads():
    logits, _, _ = make_hierarchical_logits(3000, 12, random_state=0)
    one, two = (L2HClustering("precomputed", n_jobs=n).fit(logits) for n in (1, 2))
    with config_context(working_memory=1e-2):  # many blocks of rows
        assert_array_equal(profile_matrix(one, logits), profile_matrix(two, logits))


@pytest.mark.parametrize("inner", ["precomputed", KMeans(3, random_state=0)], ids=str)
def test_rows_that_stay_elsewhere_are_refused(inner):
    """As all of them would be loaded."""
    dask_array = pytest.importorskip("dask.array")
    rows = np.random.default_rng(0).normal(size=(30, 3))
    model = L2HClustering(inner).fit(rows)
    with pytest.raises(TypeError, match="A Dask array is not taken here"):
        profile_matrix(model, dask_array.from_array(rows))


def test_other_models_and_weights_are_refused():
    rows = np.random.default_rng(0).normal(size=(10, 3))
    with pytest.raises(TypeError, match="A fitted L2HClustering is needed"):
        profile_matrix(AgglomerativeClustering().fit(rows), rows)
    with pytest.raises(NotFittedError):
        profile_matrix(L2HClustering("precomputed"), rows)
    model = L2HClustering("precomputed").fit(rows)
    with pytest.raises(ValueError, match="sample_weight"):
        profile_matrix(model, rows, sample_weight=np.ones(9))
