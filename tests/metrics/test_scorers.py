"""Scorers give the values of the metrics, wherever scikit-learn takes a scorer."""

import pickle

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris, make_blobs
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    normalized_mutual_info_score,
    silhouette_score,
)
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, cross_validate, validation_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skl2h import L2HClustering, metrics, profile_matrix
from skl2h.metrics import make_tree_scorer


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


def kmeans(**arguments):
    return L2HClustering(KMeans(6, n_init=3, random_state=0), **arguments)


def expected(model, X, y):
    """Every metric by a direct call, in a list of (function, arguments of the scorer, score)."""
    tree, leaves = model.tree_, model.predict(X, level=6)
    profiles = profile_matrix(model, X)
    species = np.arange(6) // 2
    return [
        (metrics.clustering_accuracy, {}, metrics.clustering_accuracy(y, leaves)),
        (metrics.leaf_purity, {}, metrics.leaf_purity(leaves, y)),
        (metrics.dendrogram_purity, {}, metrics.dendrogram_purity(tree, leaves, y)),
        (
            metrics.dendrogram_purity,
            {"adjusted": True},
            metrics.dendrogram_purity(tree, leaves, y, adjusted=True),
        ),
        (
            metrics.mistake_distance,
            {"greater_is_better": False},
            -metrics.mistake_distance(tree, leaves, y),
        ),
        (
            metrics.superclass_purity,
            {"leaf_classes": species},
            metrics.superclass_purity(tree, species),
        ),
        (
            metrics.triplet_accuracy,
            {"reference": species},
            metrics.triplet_accuracy(tree, species),
        ),
        (metrics.dasgupta_cost, {}, metrics.dasgupta_cost(tree, profiles)),
        (
            metrics.reassignment_within,
            {"levels": 3},
            metrics.reassignment_within(tree, profiles, levels=3),
        ),
        (
            metrics.reassignment_within,
            {"level": 3},
            metrics.reassignment_within(tree, profiles, levels=3),
        ),
        (
            metrics.reassignment_within,
            {},
            metrics.reassignment_within(tree, profiles, levels=model.n_clusters_),
        ),
        (adjusted_rand_score, {"level": 3}, adjusted_rand_score(y, model.predict(X, level=3))),
        (
            normalized_mutual_info_score,
            {"level": 6},
            normalized_mutual_info_score(y, model.predict(X, level=6)),
        ),
        (silhouette_score, {}, silhouette_score(X, model.predict(X))),
    ]


def test_every_metric(iris):
    X, y = iris
    model = kmeans(n_clusters=4).fit(X[::2])
    for function, arguments, score in expected(model, X, y):
        scorer = make_tree_scorer(function, **arguments)
        assert scorer(model, X, y) == pytest.approx(score, abs=1e-12), function.__name__
        assert pickle.loads(pickle.dumps(scorer))(model, X, y) == scorer(model, X, y)
        assert eval(repr(scorer), {**globals(), **vars(metrics), "array": np.array})(
            model, X, y
        ) == scorer(model, X, y)


def test_a_pipeline_transforms_the_rows(iris):
    X, y = iris
    model = make_pipeline(StandardScaler(), kmeans(n_clusters=4)).fit(X)
    Z = model[0].transform(X)
    for function, arguments, score in expected(model[-1], Z, y):
        assert make_tree_scorer(function, **arguments)(model, X, y) == pytest.approx(score)
    alone = make_pipeline(kmeans()).fit(X)
    assert make_tree_scorer(metrics.leaf_purity)(alone, X, y) > 0.8


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_in_cross_validation_and_curves(iris, n_jobs):
    X, y = iris
    scoring = {
        "purity": make_tree_scorer(metrics.dendrogram_purity, adjusted=True),
        "within": make_tree_scorer(metrics.reassignment_within, levels=3),
    }
    scores = cross_validate(kmeans(), X, y, scoring=scoring, n_jobs=n_jobs, error_score="raise")
    assert ((scores["test_purity"] > 0) & (scores["test_purity"] <= 1)).all()
    assert ((scores["test_within"] >= 0) & (scores["test_within"] <= 1)).all()
    without_y = {"within": scoring["within"]}
    again = cross_validate(kmeans(), X, scoring=without_y, cv=3, error_score="raise")
    assert again["test_within"].shape == (3,)
    train, test = validation_curve(
        kmeans(),
        X,
        y,
        param_name="estimator__n_clusters",
        param_range=[3, 6, 9],
        scoring=scoring["purity"],
        error_score="raise",
    )
    assert train.shape == test.shape == (3, 5)


def bic(model, X, y=None):
    return -model.estimator_.bic(X)


def planted_mixture(seed):
    """Rows of 3 to 8 round clusters, at least six deviations apart."""
    random_state = np.random.default_rng(seed)
    n_clusters, n_features = random_state.integers(3, 9), random_state.integers(2, 6)
    centres = np.zeros((n_clusters, n_features))
    for i in range(1, n_clusters):
        while np.linalg.norm(centres[:i] - centres[i], axis=1).min() < 6:
            centres[i] = 6 * random_state.standard_normal(n_features)
    return make_blobs(400, centers=centres, random_state=seed)[0], n_clusters


RECIPES = {
    "the mixture's own loss": (
        L2HClustering(GaussianMixture(covariance_type="diag", random_state=0)),
        "estimator__n_components",
        bic,
    ),
    "labels alone": (
        L2HClustering(KMeans(n_init=3, random_state=0)),
        "estimator__n_clusters",
        make_tree_scorer(calinski_harabasz_score),
    ),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_search_finds_the_planted_number_of_clusters(recipe):
    model, parameter, scoring = RECIPES[recipe]
    found = 0
    for seed in range(3):
        X, n_clusters = planted_mixture(seed)
        rows = np.arange(len(X))
        search = GridSearchCV(
            model, {parameter: range(2, 10)}, scoring=scoring, cv=[(rows, rows)]
        ).fit(X)
        found += search.best_params_[parameter] == n_clusters
        assert search.best_estimator_.n_leaves_ == search.best_params_[parameter]
    assert found == 3


def nothing_like_it(tree, colour):
    return 0.0


def by_position(tree, /):
    return 0.0


def test_classes_may_be_optional(iris):
    X, y = iris
    model = kmeans().fit(X)
    assert make_tree_scorer(lambda tree, y=None: y is None)(model, X)
    assert not make_tree_scorer(lambda tree, y=None: y is None)(model, X, y)


def test_faults(iris):
    X, y = iris
    with pytest.raises(TypeError, match="score_func must be a function, got 'purity'"):
        make_tree_scorer("purity")
    with pytest.raises(TypeError, match="has an argument 'colour', which a scorer does not know"):
        make_tree_scorer(nothing_like_it)
    with pytest.raises(TypeError, match="by_position takes 'tree' by position only"):
        make_tree_scorer(by_position)
    with pytest.raises(TypeError, match="max does not tell its arguments: wrap it"):
        make_tree_scorer(max)
    with pytest.raises(TypeError, match="leaf_purity has no argument 'foo', but leaf_labels, y"):
        make_tree_scorer(metrics.leaf_purity, foo=1)
    assert make_tree_scorer(lambda tree, **rest: len(rest), foo=1)(kmeans().fit(X), X) == 1
    assert make_tree_scorer(nothing_like_it, colour="red")(kmeans().fit(X), X) == 0
    purity = make_tree_scorer(metrics.leaf_purity)
    with pytest.raises(ValueError, match="leaf_purity needs the classes of the rows: give y"):
        purity(kmeans().fit(X), X)
    with pytest.raises(TypeError, match=r"A fitted L2HClustering is needed, .* got KMeans"):
        purity(KMeans(2, n_init=1).fit(X), X, y)
