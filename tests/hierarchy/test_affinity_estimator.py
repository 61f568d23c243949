"""L2HClustering(method="affinity"): all that an estimator does, with the other tree."""

import pickle

import numpy as np
import pytest
from helpers.cases import clear_logits
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skl2h import (
    L2HClustering,
    affinities,
    affinity_tree,
    l2h_tree,
    profile_matrix,
    suggest_levels,
)
from skl2h.datasets import make_hierarchical_logits
from skl2h.metrics import superclass_purity

CHECKED = [
    L2HClustering(GaussianMixture(4, random_state=0), method="affinity"),
    L2HClustering(KMeans(4, random_state=0, n_init=2), method="affinity"),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(CHECKED)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def X():
    return make_blobs(200, centers=6, random_state=0)[0]


def test_the_tree_is_that_of_the_logits():
    logits = clear_logits()
    weights = np.random.default_rng(1).uniform(0, 2, size=len(logits))
    for sample_weight in (None, weights):
        model = L2HClustering("precomputed", method="affinity", n_clusters=3)
        model.fit(logits, sample_weight=sample_weight)
        tree = affinity_tree(logits, sample_weight=sample_weight)
        assert model.tree_ == tree
        assert model.tree_.method == "affinity"
        assert np.array_equal(model.children_, tree.children)
        assert np.array_equal(model.distances_, tree.scores)
        assert np.array_equal(model.leaf_counts_, tree.counts)
        assert np.array_equal(model.leaf_labels_, logits.argmax(axis=1))
        assert np.array_equal(model.labels_, tree.cut(3)[logits.argmax(axis=1)])
    assert model.set_params(method="l2h").fit(logits).tree_ == l2h_tree(logits)
    assert model.tree_.method == "l2h"


@pytest.mark.parametrize("inner", [KMeans, GaussianMixture])
def test_predictions_of_fitted_rows_are_their_labels_at_every_level(X, inner):
    model = L2HClustering(inner(6, random_state=0), method="affinity").fit(X)
    levels = range(6, 0, -1)
    assert np.array_equal(model.predict(X, level=levels), model.cut(levels))
    for level in levels:
        labels = model.set_params(n_clusters=level).fit(X).labels_
        assert np.array_equal(labels, model.predict(X))
        probabilities = model.predict_proba(X)
        assert probabilities.shape == (200, level)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_a_factor_on_the_logits_changes_nothing():
    logits = clear_logits(1)
    model = L2HClustering("precomputed", method="affinity")
    tree = model.fit(logits).tree_
    for temperature in (0.1, 3, 100):
        other = clone(model).set_params(temperature=temperature).fit(logits).tree_
        np.testing.assert_allclose(other.scores, tree.scores, rtol=1e-7)
        assert np.array_equal(other.cut(range(1, 15)), tree.cut(range(1, 15)))


def test_pickles_and_clones(X):
    model = L2HClustering(KMeans(6, random_state=0), method="affinity").fit(X)
    copy = pickle.loads(pickle.dumps(model))
    assert copy.tree_ == model.tree_
    assert copy.tree_.method == "affinity"
    assert np.array_equal(copy.predict(X, level=3), model.predict(X, level=3))
    assert clone(model).fit(X).tree_ == model.tree_


def test_a_grid_over_both_methods_and_the_number_of_clusters():
    X, y = load_digits(return_X_y=True)
    grid = {"l2h__method": ["l2h", "affinity"], "l2h__estimator__n_clusters": [6, 12]}
    steps = make_pipeline(StandardScaler(), KMeans(random_state=0))
    pipeline = make_pipeline(StandardScaler(), KMeans(random_state=0))
    pipeline.steps[-1] = ("l2h", L2HClustering(steps[-1], n_clusters=5))
    search = GridSearchCV(pipeline, grid, scoring="adjusted_rand_score", cv=2).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    best = search.best_estimator_[-1]
    assert best.tree_.method == search.best_params_["l2h__method"]
    assert best.n_leaves_ == search.best_params_["l2h__estimator__n_clusters"]
    assert len(set(search.predict(X))) <= 5


@pytest.mark.parametrize("persist", [True, False])
def test_rows_of_dask(persist):
    da = pytest.importorskip("dask.array")
    logits = clear_logits(2)
    rows = da.from_array(logits, chunks=(90, -1))
    expected = L2HClustering("precomputed", method="affinity", n_clusters="auto").fit(logits)
    model = clone(expected).set_params(persist=persist).fit(rows)
    np.testing.assert_allclose(model.distances_, expected.distances_, rtol=1e-9)
    assert np.array_equal(model.tree_.cut(range(1, 15)), expected.tree_.cut(range(1, 15)))
    assert model.n_clusters_ == expected.n_clusters_
    assert np.array_equal(np.asarray(model.labels_), expected.labels_)
    np.testing.assert_allclose(
        model.mass_of_merges_.sum(axis=1), expected.mass_of_merges_.sum(axis=1), rtol=1e-9
    )


def test_a_model_that_is_asked_where_the_rows_of_dask_are(X):
    da = pytest.importorskip("dask.array")
    inner = FrozenEstimator(KMeans(6, random_state=0).fit(X))
    expected = L2HClustering(inner, method="affinity").fit(X)
    model = L2HClustering(inner, method="affinity").fit(da.from_array(X, chunks=(70, -1)))
    np.testing.assert_allclose(model.distances_, expected.distances_, rtol=1e-7)
    assert np.array_equal(np.asarray(model.leaf_labels_), expected.leaf_labels_)


def test_a_planted_tree_and_its_level_are_found():
    logits, _, tree = make_hierarchical_logits(4000, 32, random_state=0)
    model = L2HClustering("precomputed", method="affinity", n_clusters="auto").fit(logits)
    for level in (2, 4, 8):
        assert superclass_purity(model.tree_, tree.cut(level)) == 1
    levels, gains = suggest_levels(model)
    assert model.n_clusters_ == levels[0]
    np.testing.assert_allclose(suggest_levels(model.tree_, logits)[1], gains, rtol=1e-7)
    assert set(levels) & {2, 4, 8, 16}


def test_what_reads_a_model_reads_this_one(X):
    """Profiles and likeness are those of the logits, whatever made the tree."""
    logits = clear_logits(3)
    models = {
        method: L2HClustering("precomputed", method=method).fit(logits)
        for method in ("l2h", "affinity")
    }
    assert np.array_equal(*(profile_matrix(model, logits) for model in models.values()))
    for model in models.values():
        np.testing.assert_allclose(affinities(model, logits), affinities(logits), rtol=1e-12)
    weights = np.random.default_rng(0).integers(0, 3, size=len(logits))
    np.testing.assert_allclose(
        affinities(models["l2h"], logits, sample_weight=weights),
        affinities(logits, sample_weight=weights),
        rtol=1e-12,
    )
    pipeline = make_pipeline(StandardScaler(), L2HClustering(KMeans(6, random_state=0))).fit(X)
    np.testing.assert_allclose(
        affinities(pipeline, X), affinities(pipeline[-1], pipeline[:-1].transform(X)), rtol=1e-12
    )


@pytest.mark.parametrize("n_leaves", [1, 2, 3, 5])
def test_few_leaves(n_leaves):
    logits = clear_logits(4, n_leaves=n_leaves)
    model = L2HClustering("precomputed", method="affinity", n_clusters="auto").fit(logits)
    assert model.children_.shape == (n_leaves - 1, 2)
    assert 1 <= model.n_clusters_ <= n_leaves
    assert np.array_equal(model.predict(logits), model.labels_)


def test_lines_are_printed_at_each_step(X, capsys):
    L2HClustering(KMeans(6, random_state=0), method="affinity", verbose=1).fit(X)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("[affinity] the temperature is ")
    assert lines[1:] == [
        "[affinity] the rows of 6 leaves read",
        "[affinity] 5 merges made",
    ]


BAD = {
    "unknown": ({"method": "ward"}, "method must be 'l2h' or 'affinity', got 'ward'"),
    "aggregation": (
        {"method": "affinity", "aggregation": "sum"},
        "aggregation='sum' says how method='l2h' scores groups.*leave aggregation out",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_parameters(X, name):
    parameters, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        L2HClustering(KMeans(6, random_state=0), **parameters).fit(X)


def test_too_many_leaves_for_memory_leave_the_last_fit(monkeypatch):
    model = L2HClustering("precomputed").fit(clear_logits(5, n_leaves=4))
    before = dict(vars(model))
    monkeypatch.setattr("skl2h.hierarchy.build.free_memory", lambda: 1000)
    model.method = "affinity"
    with pytest.raises(ValueError, match=r"likeness of 14 leaves takes .*method='l2h'"):
        model.fit(clear_logits(5))
    assert {**vars(model), "method": "l2h"} == before


AFFINITIES = {
    "no rows": (
        lambda model, logits: affinities(model),
        (TypeError, "X is needed: a model does not keep the rows"),
    ),
    "rows without a model": (
        lambda model, logits: affinities(logits, logits),
        (TypeError, "X is for a fitted model"),
    ),
    "input of a model": (
        lambda model, logits: affinities(model, logits, input="probabilities"),
        (ValueError, "input='probabilities' says what logits are that are given without a model"),
    ),
    "another model": (
        lambda model, logits: affinities(LogisticRegression(), logits),
        (TypeError, r"A fitted L2HClustering is needed, got LogisticRegression"),
    ),
    "other columns": (
        lambda model, logits: affinities(model, logits[:, 1:]),
        (ValueError, "X has 13 features"),
    ),
}


@pytest.mark.parametrize("name", AFFINITIES)
def test_bad_arguments_of_affinities(name):
    logits = clear_logits(6)
    call, (error, message) = AFFINITIES[name]
    with pytest.raises(error, match=message):
        call(L2HClustering("precomputed").fit(logits), logits)
