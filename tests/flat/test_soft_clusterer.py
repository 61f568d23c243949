"""TURTLE and TEMI are clusterers like any other, and take the same features."""

import pickle
import tracemalloc

import numpy as np
import pytest
from helpers.flat_models import temi, turtle
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_digits, make_blobs
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from skl2h import TEMI, TURTLE, L2HClustering, l2h_tree
from skl2h.flat import feature_spaces, neighbors

# Short searches do not always use all clusters.
pytestmark = pytest.mark.filterwarnings("ignore:Only .* of .* clusters have rows")

FAST = {"max_iter": 20, "random_state": 0}
CHECKED = [
    TURTLE(3, outer_learning_rate=0.01, **FAST),
    TURTLE(3, outer_learning_rate=0.01, warm_start_inner=True, n_init=2, **FAST),
    TURTLE(3, outer_learning_rate=0.01, scale_features=False, dtype=np.float64, **FAST),
    TEMI(3, n_heads=2, hidden_layer_sizes=(64, 16), learning_rate=0.02, **FAST),
    TEMI(
        3, n_heads=2, hidden_layer_sizes=(32,), learning_rate=0.1, batch_size=30,
        scale_features=False, dtype=np.float64, **FAST,
    ),
]  # fmt: skip
METHODS = ["predict", "predict_proba", "predict_log_proba"]


@pytest.fixture(params=[turtle, temi])
def make(request):
    return request.param


@parametrize_with_checks(CHECKED)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


class TestFit:
    def test_predictions_agree(self, make, X):
        """On fitted rows, on any part of them, and between the methods."""
        for model in (make(), make(dtype="float32"), make(scale_features=False)):
            assert np.array_equal(model.fit_predict(X), model.labels_)
            assert np.array_equal(model.predict(X), model.labels_)
            proba, logarithms = model.predict_proba(X), model.predict_log_proba(X)
            np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)
            assert np.array_equal(np.exp(logarithms), proba)
            assert np.array_equal(proba.argmax(axis=1), model.labels_)
            np.testing.assert_allclose(model.predict_proba(X[50:60]), proba[50:60], rtol=1e-9)

    @pytest.mark.parametrize("n_rows", [2047, 2049, 5000])
    def test_blocks_change_nothing(self, make, n_rows):
        X = make_blobs(n_rows, centers=4, random_state=0)[0]
        model = make(batch_size=50, max_iter=5).fit(X)
        assert np.array_equal(model.predict(X), model.labels_)
        proba = model.predict_proba(X)
        np.testing.assert_allclose(model.predict_proba(X[1000:]), proba[1000:], rtol=1e-9)

    def test_seeds(self, make, X):
        one, two, other = (make(random_state=seed, batch_size=50).fit(X) for seed in (0, 0, 1))
        assert np.array_equal(one.predict_log_proba(X), two.predict_log_proba(X))
        assert np.array_equal(one.loss_curve_, two.loss_curve_)
        assert not np.array_equal(one.loss_curve_, other.loss_curve_)
        state = np.random.RandomState(0)
        first, second = make(random_state=state).fit(X), make(random_state=state).fit(X)
        assert np.array_equal(first.loss_curve_, make().fit(X).loss_curve_)
        assert not np.array_equal(first.loss_curve_, second.loss_curve_)
        assert make(random_state=None).fit(X).n_iter_ == 30

    def test_refit_equals_a_fresh_fit(self, make, X):
        given = {turtle: {"feature_groups": [[0], [1]]}, temi: {"hidden_layer_sizes": (3, 3)}}
        model = make(n_clusters=2, **given[make]).fit(X[:, :3])
        model.set_params(**make().get_params()).fit(X)
        fresh = make().fit(X)
        assert vars(model).keys() == vars(fresh).keys()
        assert np.array_equal(model.loss_curve_, fresh.loss_curve_)
        assert np.array_equal(model.predict(X), fresh.labels_)

    def test_parameters_set_since_change_no_prediction(self, make, X):
        given = {
            turtle: {"gamma": 0.0, "feature_groups": [[0], [1]]},
            temi: {"temperature": 2.0, "hidden_layer_sizes": (3,)},
        }
        model = make().fit(X)
        proba, score = model.predict_proba(X), make is turtle and model.score(X)
        model.set_params(n_clusters=7, dtype="float32", **given[make])
        assert np.array_equal(model.predict_proba(X), proba)
        assert (make is turtle and model.score(X)) == score

    def test_clone_and_pickle(self, make, X):
        model = make().fit(X)
        restored = pickle.loads(pickle.dumps(model))
        assert np.array_equal(restored.predict_proba(X), model.predict_proba(X))
        assert np.array_equal(clone(model).fit(X).labels_, model.labels_)

    def test_the_hierarchy_of_its_clusters(self, make, X):
        """L2H reads the logarithms."""
        inner = make()
        model = L2HClustering(inner, n_clusters=2).fit(X)
        inner.fit(X)
        assert np.array_equal(model.leaf_labels_, inner.labels_)
        assert model.tree_ == l2h_tree(inner.predict_log_proba(X))


class TestFeatures:
    @pytest.mark.parametrize(
        ("factor", "shift"), [(1e-3, 0), (1e3, 5), (1e-170, 0), (1e200, 0), (1.0, 1e6)]
    )
    def test_no_unit_and_no_origin_matters(self, make, X, factor, shift):
        one, other = make().fit(X), make().fit(factor * (X + shift))
        np.testing.assert_allclose(one.loss_curve_, other.loss_curve_, rtol=1e-6)
        assert np.array_equal(one.labels_, other.labels_)
        assert np.array_equal(other.predict(factor * (X + shift)), one.labels_)

    def test_equal_rows_are_one_cluster_and_a_warning(self, make):
        with pytest.warns(ConvergenceWarning, match="Only 1 of 3 clusters have rows") as caught:
            model = make(n_clusters=3).fit(np.full((20, 2), 0.1))
        assert caught[0].filename == __file__
        assert model.n_found_ == 1
        assert np.isfinite(model.loss_)

    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.longdouble, np.int64, np.uint8])
    @pytest.mark.parametrize("order", ["C", "F"])
    def test_every_dtype_and_order(self, make, dtype, order):
        X = load_digits().data[:300]
        one = make(max_iter=10).fit(X)
        other = make(max_iter=10).fit(np.asarray(X, dtype=dtype, order=order))
        proba = other.predict_proba(X)
        np.testing.assert_allclose(one.predict_proba(X), proba, rtol=1e-3, atol=1e-5)
        assert proba.dtype == np.float64

    def test_a_list_of_rows_is_one_matrix(self, make, X):
        model = make().fit(X)
        for rows in (X.tolist(), list(X), tuple(map(tuple, X))):
            assert np.array_equal(make().fit(rows).loss_curve_, model.loss_curve_)
            assert np.array_equal(model.predict(rows), model.labels_)

    @pytest.mark.parametrize("library", ["pandas", "polars"])
    def test_frames(self, make, X, library, named_frame):
        frame = named_frame(library, dict(zip("abcde", X.T)))
        model = make().fit(frame)
        assert model.feature_names_in_.tolist() == list("abcde")
        assert np.array_equal(model.labels_, make().fit(X).labels_)
        assert np.array_equal(model.predict(frame), model.labels_)
        renamed = named_frame(library, dict(zip("abcdf", X.T)))
        with pytest.raises(ValueError, match="feature names should match"):
            model.predict(renamed)
        assert not hasattr(model.fit(X), "feature_names_in_")

    def test_features_are_not_changed(self, make, X):
        for dtype in (np.float32, np.float64):
            given = X.astype(dtype)
            given.setflags(write=False)
            model = make().fit(given)
            model.predict(given)
            assert np.array_equal(given, X.astype(dtype))

    @pytest.mark.parametrize("dtype", [np.float16, np.float32])
    def test_a_memory_map_is_not_copied(self, make, tmp_path, monkeypatch, dtype):
        """Memory is that of batches and blocks, whatever the rows."""
        monkeypatch.setattr(neighbors, "INDEX_ROWS", 2**10)
        monkeypatch.setattr(feature_spaces, "BLOCK_ROWS", 2**10)
        random_state = np.random.default_rng(0)
        shape = (50_000, 64)
        X = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", dtype, shape)
        X[:] = 10 + random_state.standard_normal(shape, dtype=np.float32)  # a sum above float16
        X = np.load(tmp_path / "X.npy", mmap_mode="r")
        model = make(max_iter=3, batch_size=100, dtype="float32")
        if make is temi:
            model.set_params(n_neighbors=5)
        tracemalloc.start()
        model.fit(X)
        fitting = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        model.predict(X[:, :])
        predicting = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert fitting < X.size * (0.9 if make is temi else 0.75)
        assert predicting < X.size * 2
        of_copy = clone(model).fit(np.array(X))
        assert np.array_equal(of_copy.predict_log_proba(X), model.predict_log_proba(X))


class TestBadInput:
    @pytest.mark.parametrize(
        ("parameters", "error", "message"),
        [
            *(
                case
                for name in ("n_clusters", "max_iter", "batch_size")
                for case in (
                    ({name: 0}, ValueError, f"{name} must be at least 1, got 0"),
                    ({name: -3}, ValueError, f"{name} must be at least 1, got -3"),
                    ({name: 2.0}, TypeError, f"{name} must be an integer, got 2.0"),
                    ({name: True}, TypeError, f"{name} must be an integer, got True"),
                    ({name: None}, TypeError, f"{name} must be an integer, got None"),
                )
            ),
            ({"n_clusters": 121}, ValueError, "n_samples=120 should be >= n_clusters=121"),
            ({"scale_features": "no"}, TypeError, "scale_features must be True or False, got 'no'"),
            ({"scale_features": 1}, TypeError, "scale_features must be True or False, got 1"),
            ({"dtype": "float16"}, ValueError, "dtype must be float32 or float64, got 'float16'"),
            ({"dtype": None}, ValueError, "dtype must be float32 or float64, got None"),
            ({"dtype": "fast"}, ValueError, "dtype must be float32 or float64, got 'fast'"),
            ({"random_state": "one"}, ValueError, "random_state must be an integer .*, got 'one'"),
        ],
        ids=str,
    )
    def test_parameters(self, make, X, parameters, error, message):
        model = make(**parameters)
        with pytest.raises(error, match=message):
            model.fit(X)

    def test_parameters_are_checked_before_features_are_read(self, make, X):
        model = make(random_state="one")
        X = np.full_like(X, np.nan)
        with pytest.raises(ValueError, match=r"random_state must be an integer .*, got 'one'"):
            model.fit(X)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda X: np.where(X[3, 2] == X, np.nan, X), "Input X contains NaN.\nT.* does not"),
            (lambda X: np.where(X[3, 2] == X, np.inf, X), "Input X contains infinity"),
            (lambda X: np.vstack([np.tile(X, (20, 1)), X[:1] * np.nan]), "Input X contains NaN"),
            (lambda X: 1e308 * np.sign(X), "X has features too large for float64"),
            (lambda X: X[0], "Expected 2D array, got 1D array"),
            (lambda X: X[:0], "Found array with 0 sample"),
            (lambda X: X[:, :0], "0 feature"),
            (lambda X: [], "Expected 2D array, got 1D array"),
            (lambda X: X[np.newaxis], "Found array with dim 3"),
            (lambda X: [[X]], "Found array with dim 4"),
        ],
    )
    def test_features(self, make, X, change, message):
        model, bad = make(), change(X)
        with pytest.raises(ValueError, match=message):
            model.fit(bad)

    def test_sparse_features(self, make, X):
        fitted, model, bad = make().fit(X), make(), csr_matrix(X)
        with pytest.raises(TypeError, match="Sparse data was passed"):
            model.fit(bad)
        with pytest.raises(TypeError, match="Sparse data was passed"):
            fitted.predict(bad)

    @pytest.mark.parametrize("method", METHODS)
    def test_features_to_predict(self, make, X, method):
        model = make().fit(X)
        for bad, message in (
            (X[:, 1:], "X has 4 features, but T.* is expecting 5"),
            (np.where(X[3, 2] == X, np.nan, X), "Input X contains NaN"),
            (np.where(X[3, 2] == X, -np.inf, X), "Input X contains infinity"),
        ):
            with pytest.raises(ValueError, match=message):
                getattr(model, method)(bad)

    @pytest.mark.parametrize("method", METHODS)
    def test_unfitted(self, make, X, method):
        model = make()
        with pytest.raises(NotFittedError):
            getattr(model, method)(X)
