"""A frozen model that was fitted anew, after the tree was made, gives an error and no answer."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import RidgeClassifier
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skl2h import (
    DendrogramDisplay,
    L2HClustering,
    ProfileMatrixDisplay,
    bootstrap_support,
    merge_evidence,
    metrics,
    profile_matrix,
    suggest_levels,
)
from skl2h.metrics import make_tree_scorer

X, y = make_blobs(90, centers=7, cluster_std=2.0, random_state=0)

READERS = {
    "predict": lambda model, X: model.predict(X),
    "predict, all levels": lambda model, X: model.predict(X, level=range(1, model.n_leaves_ + 1)),
    "predict_proba": lambda model, X: model.predict_proba(X),
    "predict_node": lambda model, X: model.predict_node(X),
    "score": lambda model, X: model.score(X, y % 2),
    "suggest_levels": suggest_levels,
    "merge_evidence": merge_evidence,
    "bootstrap_support": lambda model, X: bootstrap_support(model, X, n_resamples=2),
    "profile_matrix": profile_matrix,
    "matrix display": ProfileMatrixDisplay.from_estimator,
    "dendrogram": lambda model, X: DendrogramDisplay.from_estimator(
        model, X=X, leaf_order="similarity"
    ),
    "scorer of labels": lambda model, X: make_tree_scorer(metrics.leaf_purity)(model, X, y),
    "scorer of profiles": lambda model, X: make_tree_scorer(metrics.dasgupta_cost)(model, X),
}


def fitted_anew(n_leaves, n_columns, make=RidgeClassifier):
    """Model of a tree with some leaves, whose classifier gives other columns since."""
    inner = make().fit(X, y % n_leaves)
    model = L2HClustering(FrozenEstimator(inner)).fit(X)
    inner.fit(X, y % n_columns)
    return model


def message(n_leaves, n_columns):
    return f"The model gives {n_columns} columns, the tree has {n_leaves} leaves: fit again"


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("n_columns", [2, 3, 7])
def test_whatever_reads_scores(reader, n_columns):
    if reader in ("matrix display", "dendrogram"):
        pytest.importorskip("matplotlib").use("Agg")
    model = fitted_anew(5, n_columns)
    with pytest.raises(ValueError, match=message(5, n_columns)):
        READERS[reader](model, X)


@pytest.mark.parametrize("reader", ["predict", "score", "merge_evidence", "scorer of labels"])
def test_as_the_last_step_of_a_pipeline(reader):
    inner = RidgeClassifier().fit(StandardScaler().fit_transform(X), y)
    model = make_pipeline(StandardScaler(), L2HClustering(FrozenEstimator(inner))).fit(X)
    inner.fit(X, y % 3)
    with pytest.raises(ValueError, match=message(7, 3)):
        READERS[reader](model, X)


def as_pandas(X):
    return pytest.importorskip("pandas").DataFrame(X)


def as_polars(X):
    return pytest.importorskip("polars").DataFrame(X)


def mapped(X, tmp_path):
    np.save(tmp_path / "X.npy", X)
    return np.load(tmp_path / "X.npy", mmap_mode="r")


@pytest.mark.parametrize("reader", READERS)
def test_as_many_other_classes(reader):
    if reader in ("matrix display", "dendrogram"):
        pytest.importorskip("matplotlib").use("Agg")
    inner = RidgeClassifier().fit(X, y % 3)
    model = L2HClustering(FrozenEstimator(inner)).fit(X)
    inner.fit(X, np.array(["0", "2", "4"])[y % 3])
    message = "Column 1 of the model is named '2', leaf 1 of the tree '1': fit again"
    with pytest.raises(ValueError, match=message):
        READERS[reader](model, X)
    inner.fit(X[::2], (y % 3)[::2])  # the same classes
    READERS[reader](model, X)


@pytest.mark.filterwarnings("ignore:X has feature names")
@pytest.mark.parametrize("reader", ["predict", "predict_proba", "merge_evidence"])
@pytest.mark.parametrize("convert", [np.ndarray.tolist, csr_matrix, as_pandas, as_polars, "mapped"])
def test_on_every_kind_of_rows(reader, convert, tmp_path):
    rows = mapped(X, tmp_path) if convert == "mapped" else convert(X)
    model = fitted_anew(5, 3)
    with pytest.raises(ValueError, match=message(5, 3)):
        READERS[reader](model, rows)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_node"])
def test_on_the_workers_of_dask(method):
    da = pytest.importorskip("dask.array")
    model = fitted_anew(5, 3)
    lazy = getattr(model, method)(da.from_array(X, chunks=(50, 2)))
    with pytest.raises(ValueError, match=rf"Chunk \d: {message(5, 3)}"):
        lazy.compute(scheduler="synchronous")


@pytest.mark.parametrize("reader", ["predict", "predict_proba", "score", "suggest_levels"])
@pytest.mark.parametrize(
    "make", [KMeans, GaussianMixture, lambda: make_pipeline(StandardScaler(), KMeans())]
)
def test_clusterers(reader, make):
    inner = make()
    (name,) = [name for name in inner.get_params() if name.endswith(("n_clusters", "n_components"))]
    inner.set_params(**{name: 5}).fit(X)
    model = L2HClustering(FrozenEstimator(inner)).fit(X)
    inner.set_params(**{name: 4}).fit(X)
    with pytest.raises(ValueError, match=message(5, 4)):
        READERS[reader](model, X)


class Scores(BaseEstimator):
    """Gives as many columns as it is set to, dense or sparse."""

    def __init__(self, n_columns=5, sparse=False):
        self.n_columns = n_columns
        self.sparse = sparse

    def fit(self, X, y=None):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict_proba(self, X):
        scores = np.eye(self.n_columns)[np.arange(len(X)) % self.n_columns] + 0.1
        return csr_matrix(scores) if self.sparse else scores


def scores_of(model, X):
    return np.log(np.asarray(model.predict_proba(X)))


@pytest.mark.parametrize("reader", ["predict", "predict_proba", "merge_evidence"])
@pytest.mark.parametrize("n_columns", [1, 4, 6])
@pytest.mark.parametrize("kind", ["dense", "sparse", "function"])
def test_scores_of_every_kind(reader, n_columns, kind):
    inner = Scores(sparse=kind == "sparse")
    response = scores_of if kind == "function" else "auto"
    model = L2HClustering(FrozenEstimator(inner), response_method=response).fit(X)
    inner.n_columns = n_columns
    with pytest.raises(ValueError, match=message(5, n_columns)):
        READERS[reader](model, X)


class OnlyOfThoseSeen(Scores):
    """Gives a column more for whole batches of 40 rows."""

    def predict_proba(self, X):
        return Scores(4 + (len(X) == 40), self.sparse).predict_proba(X)


@pytest.mark.parametrize("sparse", [False, True])
def test_columns_that_change_from_batch_to_batch(monkeypatch, sparse):
    monkeypatch.setattr("skl2h.logits.of_models.BATCH_SIZE", 40)
    model = L2HClustering(OnlyOfThoseSeen(sparse=sparse))
    with pytest.raises(ValueError, match="gives 5 columns for the first 80 rows, and 4 for the ne"):
        model.fit(X)
