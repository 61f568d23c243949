"""From a model to logits: which method is called, and how its output is used."""

import tracemalloc

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.special import log_softmax
from sklearn.base import BaseEstimator
from sklearn.cluster import (
    AgglomerativeClustering,
    Birch,
    BisectingKMeans,
    KMeans,
    MiniBatchKMeans,
)
from sklearn.datasets import load_digits, make_blobs
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.feature_selection import RFE
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, StandardScaler
from sklearn.svm import SVC, LinearSVC

from skl2h import L2HClustering, l2h_tree
from skl2h.logits.matrix import Logits
from skl2h.logits.of_models import Response


@pytest.fixture(scope="module")
def digits():
    return load_digits(return_X_y=True)


MODELS = {
    "GaussianMixture": make_pipeline(PCA(20, random_state=0), GaussianMixture(10, random_state=0)),
    "BayesianGaussianMixture": BayesianGaussianMixture(
        n_components=10, covariance_type="diag", max_iter=500, random_state=0
    ),
    "KMeans": KMeans(10, n_init=1, random_state=0),
    "MiniBatchKMeans": MiniBatchKMeans(10, n_init=1, random_state=0),
    "BisectingKMeans": BisectingKMeans(10, random_state=0),
    "Birch": Birch(threshold=15.0, n_clusters=10),
    "LogisticRegression": make_pipeline(MinMaxScaler(), LogisticRegression(max_iter=500)),
    "RandomForest": RandomForestClassifier(30, random_state=0),
    "HistGradientBoosting": HistGradientBoostingClassifier(max_iter=10, random_state=0),
    "MLPClassifier": make_pipeline(
        MinMaxScaler(), MLPClassifier((30,), max_iter=1000, tol=1e-3, random_state=0)
    ),
    "LinearSVC": make_pipeline(MinMaxScaler(), LinearSVC(random_state=0)),
    "SVC": SVC(),
    "KNeighbors": KNeighborsClassifier(),
}


@pytest.mark.parametrize("name", MODELS)
def test_real_models_on_digits(name, digits):
    """Each gives a tree without a warning, and predict agrees with fit at every level."""
    X, y = digits
    model = L2HClustering(MODELS[name]).fit(X, y)
    assert model.n_leaves_ == 10
    assert model.leaf_counts_.sum() == len(X)
    levels = range(1, 11)
    assert np.array_equal(model.predict(X, level=levels), model.cut(levels))
    np.testing.assert_allclose(model.predict_proba(X, level=3).sum(axis=1), 1)
    if hasattr(model.estimator_, "classes_"):
        assert model.tree_.names == tuple("0123456789")


@pytest.mark.parametrize(
    "name", ["GaussianMixture", "KMeans", "Birch", "LogisticRegression", "RandomForest", "SVC"]
)
def test_leaves_are_what_the_model_predicts(name, digits):
    X, y = digits
    model = L2HClustering(MODELS[name]).fit(X, y)
    assert np.mean(model.leaf_labels_ == model.estimator_.predict(X)) > 0.999


class Scores(BaseEstimator):
    """A model with fixed scores, and only the given methods."""

    def __init__(self, **methods):
        self.methods = methods
        if "transform" in methods:
            self.cluster_centers_ = None
        for name, scores in methods.items():
            setattr(self, name, lambda X, scores=scores: scores)

    def fit(self, X, y=None):
        return self

    def __sklearn_clone__(self):
        return self


P = np.array([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.0, 0.5, 0.5]])
X = np.zeros((3, 2))


def ask(model, response_method="auto", temperature=1.0):
    response = Response.find(model, response_method, temperature)
    return response, response.logits(model, X)


@pytest.mark.parametrize(
    ("methods", "asked"),
    [
        (["predict_proba", "predict_log_proba", "decision_function"], "decision_function"),
        (["predict_proba", "predict_log_proba"], "predict_log_proba"),
        (["predict_proba", "transform"], "predict_proba"),
    ],
)
def test_order_of_methods(methods, asked):
    model = Scores(**dict.fromkeys(methods, P))
    assert ask(model)[0].method == asked
    assert ask(model, methods[0])[0].method == methods[0]


def test_what_each_method_means():
    with np.errstate(divide="ignore"):
        log_p = np.log(P)
    names = {"predict_proba": log_p, "transform": -(P**2), "decision_function": P, "scores": P}
    for name, expected in names.items():
        found = ask(Scores(**{name: P}), name)[1].values()
        np.testing.assert_allclose(found, expected)
        np.testing.assert_allclose(
            ask(Scores(**{name: P}), name, temperature=2.0)[1].values(), expected / 2
        )


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32])
@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_one_decision_is_two_leaves(shape, dtype):
    scores = np.array([3, -2, 1], dtype=dtype).reshape(shape)
    expected = [[0, 3], [0, -2], [0, 1]]
    assert ask(Scores(decision_function=scores))[1].values().tolist() == expected
    assert ask(None, lambda model, X: scores[:].ravel())[1].values().tolist() == expected


def test_one_probability_is_one_leaf():
    assert ask(Scores(predict_proba=np.ones((3, 1))))[1].shape == (3, 1)


def test_distances_are_in_units_of_their_spread():
    X = make_blobs(100, centers=3, random_state=0)[0]
    model = KMeans(3, n_init=1, random_state=0).fit(X)
    squares = np.square(model.transform(X))
    spread = squares.min(axis=1).mean()
    np.testing.assert_allclose(spread, model.inertia_ / 100)
    expected = log_softmax(-squares / (2 * spread), axis=1)
    found = L2HClustering(model).fit(X).predict_proba(X)
    np.testing.assert_allclose(found, np.exp(expected), atol=1e-12)
    # New rows are scaled by the spread of the fitted rows, and so are scaled rows.
    found = L2HClustering(model).fit(X * 1000).predict_proba(X[:5] * 1000)
    np.testing.assert_allclose(found, np.exp(expected[:5]), atol=1e-9)


def test_spread_is_weighted_as_the_rows():
    X = make_blobs(60, centers=3, random_state=0)[0]
    weights = np.random.default_rng(0).integers(0, 4, 60)
    frozen = FrozenEstimator(KMeans(3, n_init=1, random_state=0).fit(X))
    one = L2HClustering(frozen).fit(X, sample_weight=weights)
    two = L2HClustering(frozen).fit(np.repeat(X, weights, axis=0))
    np.testing.assert_allclose(one.predict_proba(X), two.predict_proba(X))
    assert np.array_equal(one.children_, two.children_)


def test_rows_on_their_centres():
    X = np.repeat([[0.0, 0.0], [1.0, 0.0], [5.0, 0.0]], 4, axis=0)
    model = L2HClustering(KMeans(3, n_init=1, random_state=0)).fit(X)
    assert np.isfinite(model.predict_proba(X)).all()
    assert len(set(model.labels_)) == 3


def test_birch_clusters_are_made_of_subclusters():
    X = make_blobs(200, centers=4, random_state=0)[0]
    model = Birch(threshold=0.3, n_clusters=4).fit(X)
    assert len(model.subcluster_centers_) > 10
    found = L2HClustering(FrozenEstimator(model)).fit(X)
    assert found.n_leaves_ == 4
    assert np.array_equal(found.leaf_labels_, model.predict(X))


@pytest.mark.parametrize(
    "wrap",
    [
        FrozenEstimator,
        lambda model: make_pipeline(StandardScaler(), model).fit(make_blobs(random_state=0)[0]),
        lambda model: FrozenEstimator(make_pipeline(FrozenEstimator(model))),
        lambda model: GridSearchCV(model, {"n_clusters": [3]}),
    ],
    ids=["frozen", "pipeline", "nested", "search"],
)
def test_centres_are_found_inside(wrap):
    X = make_blobs(random_state=0)[0]
    model = L2HClustering(wrap(KMeans(3, random_state=0).fit(X))).fit(X)
    assert model.response_.method == "transform"


def test_set_output_frames_are_read():
    pytest.importorskip("pandas")
    X = make_blobs(random_state=0)[0]
    model = KMeans(3, random_state=0)
    expected = L2HClustering(model).fit(X).tree_
    assert L2HClustering(model.set_output(transform="pandas")).fit(X).tree_ == expected


def test_rows_of_sparse_matrices():
    X, y = load_digits(return_X_y=True)
    # With scaling the optimum is sharp, so both kinds of arithmetic give the same tree.
    model = make_pipeline(MaxAbsScaler(), LogisticRegression(C=0.01))
    dense = L2HClustering(model).fit(X, y)
    assert np.array_equal(L2HClustering(model).fit(csr_matrix(X), y).children_, dense.children_)


BAD = {
    "no method": (
        AgglomerativeClustering(2),
        {},
        AttributeError,
        "AgglomerativeClustering gives no scores: it has neither decision_function",
    ),
    "transform without centres": (PCA(1), {}, AttributeError, "PCA gives no scores"),
    "missing name": (
        KMeans(2, n_init=1),
        {"response_method": "predict_proba"},
        AttributeError,
        "KMeans has no method 'predict_proba': give another response_method",
    ),
    "attribute": (
        KMeans(2, n_init=1),
        {"response_method": "cluster_centers_"},
        AttributeError,
        "KMeans.cluster_centers_ is no method: give another response_method",
    ),
    "list": (Scores(predict_proba=[P, P[:, :2]]), {}, ValueError, "a list of arrays, one for each"),
    "rank 3": (Scores(predict_proba=P[None]), {}, ValueError, r"shape \(1, 3, 3\) for 3 samples"),
    "named transform without centres": (
        PCA(2),
        {"response_method": "transform"},
        AttributeError,
        "PCA has no cluster centres, so its transform gives no distances",
    ),
    "labels": (
        KMeans(2, n_init=1),
        {"response_method": "predict"},
        ValueError,
        r"KMeans\.predict gave one number a row, not one for each cluster",
    ),
    "densities": (
        GaussianMixture(2),
        {"response_method": "score_samples"},
        ValueError,
        "score_samples gave one number a row, not one for each cluster",
    ),
    "rows": (Scores(predict_proba=P[:2]), {}, ValueError, r"shape \(2, 3\) for 3 samples"),
    "no columns": (Scores(predict_proba=P[:, :0]), {}, ValueError, r"shape \(3, 0\) for 3 samples"),
    "one number": (Scores(predict_proba=P[0]), {}, ValueError, "one number a row, not one for"),
    "text": (
        Scores(decision_function=P.astype(str)),
        {},
        ValueError,
        r"What Scores.decision_function gave must be real numbers, got dtype <U.*astype\(float\)",
    ),
    "complex": (
        Scores(decision_function=P * 1j),
        {},
        ValueError,
        "gave must be real numbers, got dtype complex128",
    ),
    "nan": (Scores(decision_function=P * np.nan), {}, ValueError, "Row 0 of the logits has NaN"),
    "negative": (
        Scores(predict_proba=P - 0.2),
        {},
        ValueError,
        "Row 0 of the probabilities has a negative probability in column 2",
    ),
    "zeros": (Scores(predict_proba=P * 0), {}, ValueError, "has no probability above 0"),
    "function": (
        KMeans(2, n_init=1),
        {"response_method": lambda model, X: P.ravel()},
        ValueError,
        r"The response function gave an array of shape \(9,\) for 3 samples",
    ),
}


def test_an_ensemble_is_named_by_itself():
    """It is not named by the models that its members were cloned from."""
    forest = L2HClustering(RandomForestClassifier(2), response_method="transform")
    with pytest.raises(AttributeError, match="RandomForestClassifier has no method 'transform'"):
        forest.fit(np.eye(3), [0, 1, 2])


@pytest.mark.parametrize("name", BAD)
def test_bad_models(name):
    model, parameters, error, message = BAD[name]
    with pytest.raises(error, match=message):
        L2HClustering(model, **parameters).fit(np.array([[0.0, 1.0], [1.0, 0.0], [5.0, 5.0]]))


@pytest.mark.parametrize("n_classes", [3, 5])
def test_one_vs_one_decisions_are_refused(n_classes, digits):
    """Three classes have three pairs, so the number of columns does not show the difference."""
    X, y = digits
    X, y = X[y < n_classes], y[y < n_classes]
    pairs = n_classes * (n_classes - 1) // 2
    message = f"{pairs} columns for {n_classes} classes, one for each pair of classes"
    for model in (SVC(decision_function_shape="ovo"), make_pipeline(SVC())):
        model.set_params(**{key: "ovo" for key in model.get_params() if key.endswith("ion_shape")})
        with pytest.raises(ValueError, match=message):
            L2HClustering(model).fit(X, y)
    two = L2HClustering(SVC(decision_function_shape="ovo")).fit(X[y < 2], y[y < 2])
    assert two.n_leaves_ == 2


def test_one_vs_one_is_seen_through_meta_estimators_and_only_in_decisions(digits):
    X, y = digits
    X, y = X[y < 3], y[y < 3]
    pairs = SVC(kernel="linear", decision_function_shape="ovo")
    stack = StackingClassifier([("logistic", LogisticRegression(max_iter=5000))], pairs)
    for model in (RFE(pairs, n_features_to_select=20), stack):
        with pytest.raises(ValueError, match="one for each pair of classes"):
            L2HClustering(model, response_method="decision_function").fit(X, y)
    found = L2HClustering(pairs, response_method=lambda model, X: 2 * np.eye(3)[model.predict(X)])
    assert found.fit(X, y).n_leaves_ == 3


def test_slices_and_blocks_cover_the_rows_once():
    scores = np.arange(30.0).reshape(10, 3)
    logits = Logits(scores, divisor=2.0)
    assert np.array_equal(logits[3:5].values(), scores[3:5] / 2)
    rows = np.concatenate([np.arange(10)[rows] for rows in logits.blocks()])
    assert rows.tolist() == list(range(10))
    assert np.array_equal(scores, np.arange(30.0).reshape(10, 3))


def test_sparse_probabilities_are_read():
    p = np.random.default_rng(0).dirichlet(np.full(6, 0.3), 300)
    p[p < 0.05] = 0
    sparse = Scores(predict_proba=csr_matrix(p))
    dense = Scores(predict_proba=p)
    X = np.zeros((300, 1))
    one, two = L2HClustering(sparse).fit(X), L2HClustering(dense).fit(X)
    assert np.array_equal(one.children_, two.children_)
    assert np.array_equal(one.predict(X), two.predict(X))
    np.testing.assert_allclose(one.predict_proba(X, level=2), two.predict_proba(X, level=2))


@pytest.mark.parametrize("unsorted", [True, False])
def test_sparse_scores_of_a_model_are_put_in_order(unsorted):
    """A tie goes to the lowest leaf, however the entries are stored; duplicates add up."""
    leaves, values = ([1, 0], [1.0, 1.0]) if unsorted else ([0, 0, 1], [1.0, 1.0, 1.5])
    scores = csr_matrix((np.tile(values, 2), np.tile(leaves, 2), np.arange(3) * len(leaves)))
    model = L2HClustering(Scores(decision_function=scores)).fit(np.zeros((2, 1)))
    assert model.leaf_labels_.tolist() == [0, 0]
    assert model.predict(np.zeros((2, 1))).tolist() == [0, 0]


def test_one_sparse_decision_is_two_leaves():
    scores = csr_matrix([[1.0], [0.0], [-2.0]])
    assert ask(Scores(decision_function=scores))[1].values().tolist() == [[0, 1], [0, 0], [0, -2]]


def test_logarithms_are_taken_in_float64():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(5), 400).astype(np.float32)
    model = L2HClustering(Scores(predict_proba=probabilities)).fit(np.zeros((400, 1)))
    assert model.tree_ == l2h_tree(np.log(probabilities.astype(np.float64)))


def test_unaligned_arrays_are_not_copied_as_a_whole():
    """Data from a network may be unaligned."""
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((20_000, 20)).astype(np.float32)
    odd = np.empty(logits.nbytes + 1, dtype=np.uint8)[1:].view(np.float32).reshape(logits.shape)
    odd[:] = logits
    assert not odd.flags.aligned
    view = Logits(odd)
    rows, places = np.array([3, 5]), np.array([7, 30])
    assert np.array_equal(view.at(rows), logits[rows])
    assert np.array_equal(view.at_places(places), logits.ravel()[places])
    tracemalloc.start()
    view.at(rows)
    view.at_places(places)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < odd.nbytes / 10
