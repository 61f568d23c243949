"""L2HClustering behind scikit-learn's API."""

import pickle

import joblib
import numpy as np
import pytest
from scipy.cluster.hierarchy import dendrogram, is_valid_linkage
from scipy.sparse import csr_matrix
from scipy.special import softmax
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, load_iris, make_blobs
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from skl2h import L2HClustering, l2h_tree


class MinusSquaredDistances:
    """A response function whose name, and so those of its tests, is the same in every process."""

    def __call__(self, model, X):
        return -np.square(model.transform(X))

    def __repr__(self):
        return "minus_squared_distances"


minus_squared_distances = MinusSquaredDistances()


def supervised():
    return L2HClustering(LogisticRegression(max_iter=1000))


CHECKED = [
    L2HClustering(GaussianMixture(4, random_state=0, n_init=1)),
    L2HClustering(make_pipeline(StandardScaler(), GaussianMixture(4, random_state=0))),
    L2HClustering(KMeans(4, random_state=0, n_init=2)),
    L2HClustering(KMeans(4, random_state=0, n_init=2), response_method=minus_squared_distances),
]
SUPERVISED = {
    "check_clustering": "it fits clusterers without y, and the inner classifier needs y",
    "check_clustering(readonly_memmap=True)": "likewise",
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
@parametrize_with_checks(CHECKED)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks([supervised()], expected_failed_checks=lambda _: SUPERVISED)
def test_scikit_learn_checks_of_a_supervised_model(estimator, check):
    check(estimator)


AUTO = {
    "check_estimator_sparse_array": "it expects predict_proba to have four columns",
    "check_estimator_sparse_matrix": "likewise",
}


@parametrize_with_checks(
    [L2HClustering(KMeans(4, random_state=0, n_init=2), n_clusters="auto")],
    expected_failed_checks=lambda _: AUTO,
)
def test_scikit_learn_checks_of_a_level_that_is_found(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def X():
    return make_blobs(200, centers=6, random_state=0)[0]


@pytest.fixture(scope="module")
def mixture(X):
    return GaussianMixture(6, random_state=0).fit(X)


def same(one, two):
    """Whether two fitted estimators hold the same hierarchy and labels."""
    return one.tree_ == two.tree_ and np.array_equal(one.labels_, two.labels_)


class TestAttributes:
    def test_shapes_speak_of_leaves_not_rows(self, X, mixture):
        model = L2HClustering(FrozenEstimator(mixture), n_clusters=3).fit(X)
        assert (model.n_leaves_, model.n_clusters_, model.n_features_in_) == (6, 3, 2)
        assert model.children_.shape == (5, 2)
        assert model.distances_.shape == (5,)
        assert model.leaf_counts_.tolist() == np.bincount(model.leaf_labels_).tolist()
        assert np.array_equal(model.leaf_labels_, mixture.predict(X))
        assert set(model.labels_) == {0, 1, 2}
        assert is_valid_linkage(model.linkage_matrix_)
        assert len(dendrogram(model.linkage_matrix_, no_plot=True)["leaves"]) == 6

    def test_the_tree_is_that_of_the_logits(self, X, mixture):
        with np.errstate(divide="ignore"):
            expected = l2h_tree(np.log(mixture.predict_proba(X)), aggregation="sum")
        model = L2HClustering(FrozenEstimator(mixture), aggregation="sum").fit(X)
        assert model.tree_ == expected

    def test_cut_gives_labels_of_fitted_rows(self, X, mixture):
        model = L2HClustering(FrozenEstimator(mixture)).fit(X)
        cuts = model.cut(range(6, 0, -1))
        assert cuts.shape == (200, 6)
        assert np.array_equal(cuts[:, 0], model.labels_)
        assert [len(set(column)) for column in cuts.T] == [6, 5, 4, 3, 2, 1]

    def test_refit_equals_a_fresh_fit(self, X, mixture):
        """Nothing of the first fit is left: names, features, weights, kind of model."""
        pd = pytest.importorskip("pandas")
        frame = pd.DataFrame(load_iris().data, columns=list("abcd"))
        model = supervised().fit(frame, load_iris().target_names[load_iris().target])
        for second in [KMeans(4, random_state=0, n_init=2), "precomputed"]:
            model.set_params(estimator=second).fit(X)
            fresh = L2HClustering(second).fit(X)
            assert same(model, fresh)
            assert vars(model).keys() == vars(fresh).keys()
            assert not hasattr(model, "feature_names_in_")
            assert np.array_equal(model.predict_proba(X), fresh.predict_proba(X))

    def test_a_failed_refit_leaves_the_last_fit(self, X, mixture):
        model = L2HClustering(FrozenEstimator(mixture)).fit(X)
        before = pickle.dumps(model.__dict__ | {"n_clusters": 7})
        model.n_clusters = 7
        with pytest.raises(ValueError, match="n_clusters=7 is out of range"):
            model.fit(X[:100])
        assert pickle.dumps(model.__dict__) == before

    def test_clone_has_parameters_only(self, X, mixture):
        model = L2HClustering(KMeans(3), n_clusters=2, temperature=2.0, aggregation="mean")
        copy = clone(model.fit(X))
        assert not hasattr(copy, "tree_")
        assert copy.get_params()["estimator__n_clusters"] == 3
        assert (copy.n_clusters, copy.temperature, copy.aggregation) == (2, 2.0, "mean")

    @pytest.mark.parametrize("dump", ["pickle", "joblib", "joblib mapped"])
    def test_saved_models_predict_the_same(self, X, mixture, dump, tmp_path):
        model = L2HClustering(FrozenEstimator(mixture), n_clusters=3).fit(X)
        if dump == "pickle":
            copy = pickle.loads(pickle.dumps(model))
        else:
            joblib.dump(model, tmp_path / "model.joblib")
            mode = "r" if dump == "joblib mapped" else None
            copy = joblib.load(tmp_path / "model.joblib", mmap_mode=mode)
        assert same(model, copy)
        assert np.array_equal(model.predict_proba(X), copy.predict_proba(X))
        with pytest.raises(ValueError, match="read-only"):
            copy.tree_.children[0] = 0


class TestPredict:
    def test_probabilities_of_groups_are_sums_over_leaves(self, X, mixture):
        model = L2HClustering(FrozenEstimator(mixture)).fit(X)
        of_leaves = mixture.predict_proba(X)
        for level in range(1, 7):
            groups = model.tree_.cut(level)
            expected = [of_leaves[:, groups == group].sum(axis=1) for group in range(level)]
            found = model.predict_proba(X, level=level)
            np.testing.assert_allclose(found, np.transpose(expected), atol=1e-12)
            np.testing.assert_allclose(found.sum(axis=1), 1)

    def test_default_level_is_n_clusters(self, X, mixture):
        model = L2HClustering(FrozenEstimator(mixture), n_clusters=3).fit(X)
        assert np.array_equal(model.predict(X), model.labels_)
        assert model.predict_proba(X).shape == (200, 3)

    def test_several_levels_at_once(self, X, mixture):
        model = L2HClustering(FrozenEstimator(mixture)).fit(X)
        assert np.array_equal(model.predict(X, level=[6, 2]), model.cut([6, 2]))

    def test_new_rows_follow_the_inner_model(self, X, mixture):
        model = L2HClustering(FrozenEstimator(mixture)).fit(X)
        new = X + 0.3
        assert np.array_equal(model.predict(new), mixture.predict(new))

    def test_temperature_divides_the_logits(self, X):
        logits = X @ np.random.default_rng(0).standard_normal((2, 5))
        model = L2HClustering("precomputed", temperature=4.0).fit(logits)
        assert model.tree_ == l2h_tree(logits / 4)
        np.testing.assert_allclose(model.predict_proba(logits), softmax(logits / 4, axis=1))

    def test_workers_change_nothing(self, X, mixture):
        frozen = FrozenEstimator(mixture)
        with config_context(working_memory=1e-3):  # several blocks of rows
            assert same(L2HClustering(frozen, n_jobs=2).fit(X), L2HClustering(frozen).fit(X))


def as_sparse(X):
    return csr_matrix(X).tocoo()


def as_pandas(X):
    return pytest.importorskip("pandas").DataFrame(X)


def as_polars(X):
    return pytest.importorskip("polars").DataFrame(X)


class TestBatches:
    """A model is asked for its scores in batches of rows."""

    @pytest.mark.parametrize("convert", [np.asarray, np.ndarray.tolist, as_sparse])
    @pytest.mark.parametrize("size", [1, 7, 59])
    def test_the_size_changes_nothing(self, X, monkeypatch, convert, size):
        X = convert(np.rint(X[:60]))
        inner = FrozenEstimator(KMeans(9, n_init=1, random_state=0).fit(X))
        whole = L2HClustering(inner).fit(X)
        monkeypatch.setattr("skl2h.logits.of_models.BATCH_SIZE", size)
        model = L2HClustering(inner).fit(X)
        assert np.array_equal(model.children_, whole.children_)
        for level in (2, 9):
            assert np.array_equal(model.predict(X, level=level), model.cut(level))
            np.testing.assert_allclose(
                model.predict_proba(X, level=level),
                whole.predict_proba(X, level=level),
                rtol=1e-12,
                atol=1e-300,
            )

    @pytest.mark.parametrize("convert", [as_pandas, as_polars])
    def test_frames_keep_their_columns(self, X, monkeypatch, convert):
        X = convert(X)
        model = L2HClustering(KMeans(5, n_init=1, random_state=0)).fit(X)
        monkeypatch.setattr("skl2h.logits.of_models.BATCH_SIZE", 11)
        assert np.array_equal(model.predict(X), model.labels_)

    def test_sparse_scores(self, X, mixture, monkeypatch):
        class Sparse(BaseEstimator):
            def fit(self, X, y=None):
                return self

            def __sklearn_is_fitted__(self):
                return True

            def predict_proba(self, X):
                return csr_matrix(mixture.predict_proba(X).round(3))

        whole = L2HClustering(Sparse()).fit(X)
        monkeypatch.setattr("skl2h.logits.of_models.BATCH_SIZE", 11)
        model = L2HClustering(Sparse()).fit(X)
        assert same(model, whole)
        assert np.array_equal(model.predict(X), whole.labels_)

    @pytest.mark.parametrize("method", ["fit", "predict", "predict_proba"])
    def test_errors_name_the_row_of_all(self, X, mixture, monkeypatch, method):
        class Faulty(GaussianMixture):
            def predict_proba(self, X):
                return np.where(X[:, :1] > 1e5, -1.0, mixture.predict_proba(X))

        monkeypatch.setattr("skl2h.logits.of_models.BATCH_SIZE", 11)
        model = L2HClustering(Faulty(6, random_state=0), response_method="predict_proba").fit(X)
        bad = X.copy()
        bad[29, 0] = bad[31, 0] = 1e6
        with pytest.raises(ValueError, match=r"Row 29 of the probabilities has a negative prob"):
            getattr(model, method)(bad)

    def test_no_rows(self, mixture, X):
        model = L2HClustering(FrozenEstimator(mixture)).fit(X)
        for method in (model.predict, model.predict_proba):
            with pytest.raises(ValueError, match=r"0 sample\(s\)"):
                method(X[:0])

    def test_a_function_gets_all_rows(self, X, mixture, monkeypatch):
        seen = []

        def response(model, X):
            seen.append(len(X))
            return np.log(model.predict_proba(X))

        monkeypatch.setattr("skl2h.logits.of_models.BATCH_SIZE", 11)
        model = L2HClustering(FrozenEstimator(mixture), response_method=response).fit(X)
        model.predict(X)
        assert seen == [200, 200]


class TestPrecomputed:
    def test_equals_l2h_tree(self, X):
        weights = np.arange(200)
        model = L2HClustering("precomputed").fit(X, sample_weight=weights)
        assert model.tree_ == l2h_tree(X, sample_weight=weights)
        assert np.array_equal(model.predict(X), X.argmax(axis=1))

    def test_columns_name_the_leaves(self, X):
        pd = pytest.importorskip("pandas")
        frame = pd.DataFrame(X, columns=["cat", "dog"])
        model = L2HClustering("precomputed").fit(frame)
        assert model.tree_.names == ("cat", "dog")
        with pytest.raises(ValueError, match="feature names should match"):
            model.predict(frame[["dog", "cat"]])

    def test_infinite_logits_are_allowed_in_fit_and_predict(self):
        logits = np.log(np.maximum(np.eye(4) - 0.1, 0), where=np.eye(4) > 0, out=np.zeros((4, 4)))
        logits = np.where(np.eye(4) > 0, logits, -np.array([[1, 2, np.inf, 3]]))
        model = L2HClustering("precomputed").fit(logits)
        assert np.array_equal(model.predict(logits), model.labels_)
        groups, of_leaves = model.tree_.cut(2), softmax(logits, axis=1)
        expected = [of_leaves[:, groups == group].sum(axis=1) for group in (0, 1)]
        found = model.predict_proba(logits, level=2)
        np.testing.assert_allclose(found, np.transpose(expected), rtol=1e-12)

    def test_parameters_set_after_fit_wait_for_the_next_fit(self, X, mixture):
        for inner, rows in ((FrozenEstimator(mixture), X), ("precomputed", X)):
            model = L2HClustering(inner).fit(rows)
            expected = model.predict_proba(rows)
            model.set_params(estimator=KMeans(2), temperature=9.0, n_clusters=1)
            assert np.array_equal(model.predict_proba(rows), expected)
            assert np.array_equal(model.predict(rows), model.labels_)

    def test_sparse_logits(self):
        rng = np.random.default_rng(0)
        dense = rng.standard_normal((60, 8))
        dense[rng.random(dense.shape) < 0.5] = -np.inf
        dense[:, 0] = 0.0
        rows, columns = np.nonzero(np.isfinite(dense))
        sparse = csr_matrix((dense[rows, columns], (rows, columns)), dense.shape)
        model, expected = (L2HClustering("precomputed").fit(logits) for logits in (sparse, dense))
        assert np.array_equal(model.children_, expected.children_)
        assert np.array_equal(model.labels_, expected.labels_)
        levels = range(1, 9)
        assert np.array_equal(model.predict(sparse, level=levels), model.cut(levels))
        for level in levels:
            np.testing.assert_allclose(
                model.predict_proba(sparse, level=level), expected.predict_proba(dense, level=level)
            )

    def test_only_sample_weight_is_taken(self, X):
        with pytest.raises(TypeError, match=r"fit\(logits\) takes sample_weight, but not groups"):
            L2HClustering("precomputed").fit(X, groups=X)

    def test_has_no_score(self, X):
        assert not hasattr(L2HClustering("precomputed").fit(X), "score")


class TestSupervised:
    def test_classes_name_the_leaves(self):
        iris = load_iris()
        names = iris.target_names[iris.target]
        model = supervised().fit(iris.data, names)
        assert model.tree_.names == ("setosa", "versicolor", "virginica")
        # The two look-alikes merge first.
        assert sorted(model.children_[0]) == [1, 2]
        assert np.array_equal(
            iris.target_names[model.leaf_labels_], model.estimator_.predict(iris.data)
        )

    def test_score_is_the_inner_model_s(self):
        X, y = load_iris(return_X_y=True)
        model = supervised().fit(X, y)
        assert model.score(X, y) == model.estimator_.score(X, y) > 0.9

    def test_fit_predict_passes_y(self):
        X, y = load_iris(return_X_y=True)
        assert np.array_equal(supervised().fit_predict(X, y), supervised().fit(X, y).labels_)

    def test_tags_follow_the_inner_model(self):
        assert get_tags(supervised()).target_tags.required
        assert not get_tags(L2HClustering(KMeans())).target_tags.required
        for inner in (SVC(), SVC(kernel="precomputed"), KMeans(), HistGradientBoostingClassifier()):
            for model in (inner, FrozenEstimator(inner)):
                assert get_tags(L2HClustering(model)).input_tags == get_tags(inner).input_tags
        assert get_tags(L2HClustering(SVC(kernel="precomputed"))).input_tags.pairwise
        assert get_tags(L2HClustering(HistGradientBoostingClassifier())).input_tags.allow_nan

    def test_a_frozen_classifier_is_checked_and_needs_no_labels(self):
        iris = load_iris()
        frozen = FrozenEstimator(SVC().fit(iris.data, iris.target))
        tags = get_tags(L2HClustering(frozen))
        assert not tags._skip_test
        assert not tags.target_tags.required
        assert L2HClustering(frozen).fit(iris.data).tree_.names == ("0", "1", "2")

    def test_binary_decisions_become_two_leaves(self):
        X, y = load_iris(return_X_y=True)
        model = supervised().fit(X[:100], y[:100])
        decisions = model.estimator_.decision_function(X[:100])
        assert model.tree_ == l2h_tree(np.column_stack([np.zeros(100), decisions]))
        np.testing.assert_allclose(
            model.predict_proba(X[:100]), model.estimator_.predict_proba(X[:100])
        )


class TestSearches:
    def test_grid_over_the_number_of_components(self, X):
        search = GridSearchCV(
            L2HClustering(GaussianMixture(random_state=0), n_clusters=2),
            {"estimator__n_components": [2, 4, 6]},
        ).fit(X)
        assert search.best_estimator_.n_leaves_ == search.best_params_["estimator__n_components"]
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()

    def test_grid_over_levels_does_not_refit_a_frozen_model(self, X, mixture):
        def n_groups(model, X, y=None):
            assert model.estimator_.estimator is mixture
            return -abs(len(set(model.predict(X))) - 4)

        rows = np.arange(len(X))
        search = GridSearchCV(
            L2HClustering(FrozenEstimator(mixture)),
            {"n_clusters": range(1, 7)},
            scoring=n_groups,
            cv=[(rows, rows)],
        ).fit(X)
        assert search.best_params_ == {"n_clusters": 4}

    def test_grid_in_a_pipeline_with_workers(self, X):
        steps = [("scale", StandardScaler()), ("l2h", L2HClustering(KMeans(random_state=0)))]
        grid = {"l2h__estimator__n_clusters": [3, 5], "l2h__n_jobs": [1, 2]}
        search = GridSearchCV(Pipeline(steps), grid, n_jobs=2, cv=3).fit(X)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()
        assert search.predict(X).shape == (200,)

    @pytest.mark.parametrize("method", ["predict", "predict_proba"])
    def test_cross_val_predict(self, X, method):
        model = L2HClustering(GaussianMixture(4, random_state=0), n_clusters=2)
        found = cross_val_predict(model, X, method=method)
        assert found.shape == ((200,) if method == "predict" else (200, 2))

    def test_cross_validate_a_supervised_model(self):
        X, y = load_iris(return_X_y=True)
        assert cross_validate(supervised(), X, y)["test_score"].mean() > 0.9


class Recorder(BaseEstimator):
    """A clusterer that keeps what it was given."""

    def fit(self, X, y=None, sample_weight=None):
        self.X_, self.sample_weight_, self.n_features_in_ = X, sample_weight, X.shape[1]
        return self

    def decision_function(self, X):
        return np.asarray(X)

    def score(self, X, y=None, sample_weight=None):
        return None if sample_weight is None else sum(sample_weight)


class TestInputs:
    @pytest.mark.parametrize("library", ["pandas", "polars"])
    def test_frames_reach_the_inner_model_with_their_names(self, library, X, named_frame):
        frame = named_frame(library, {"width": X[:, 0], "height": X[:, 1]})
        recorded = L2HClustering(Recorder()).fit(frame)
        assert recorded.estimator_.X_ is frame
        model = L2HClustering(make_pipeline(StandardScaler(), KMeans(3, random_state=0)))
        model.fit(frame)
        assert model.feature_names_in_.tolist() == ["width", "height"]
        assert np.array_equal(model.predict(frame), model.labels_)
        with pytest.raises(ValueError, match="feature names should match"):
            model.predict(frame[["height", "width"]])

    def test_frames_of_logits(self, X):
        polars = pytest.importorskip("polars")
        frame = polars.DataFrame({"cat": X[:, 0], "dog": X[:, 1]})
        model = L2HClustering("precomputed").fit(frame)
        assert model.tree_.names == ("cat", "dog")
        assert l2h_tree(frame) == model.tree_

    def test_a_frozen_model_does_not_warn_about_names(self, X):
        pd = pytest.importorskip("pandas")
        frame = pd.DataFrame(X, columns=["width", "height"])
        frozen = FrozenEstimator(KMeans(4, random_state=0, n_init=2).fit(frame))
        assert np.array_equal(L2HClustering(frozen).fit(frame).labels_, frozen.predict(frame))

    def test_read_only_memory_maps(self, X, tmp_path):
        np.save(tmp_path / "X.npy", X)
        mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
        for model in (KMeans(4, random_state=0, n_init=2), "precomputed"):
            assert same(L2HClustering(model).fit(mapped), L2HClustering(model).fit(X))

    @pytest.mark.parametrize("routing", [False, True])
    def test_metadata_reaches_the_inner_model_and_weighs_the_tree(self, X, routing):
        weights = np.arange(len(X))
        with config_context(enable_metadata_routing=routing):
            inner = Recorder()
            if routing:
                inner.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
            model = L2HClustering(inner).fit(X, sample_weight=weights)
            assert model.score(X, sample_weight=weights) == weights.sum()
        assert model.estimator_.sample_weight_ is weights
        assert model.tree_ == l2h_tree(X, sample_weight=weights)

    def test_routing_from_a_pipeline(self, X):
        weights = np.arange(len(X))
        with config_context(enable_metadata_routing=True):
            steps = make_pipeline(StandardScaler(), L2HClustering("precomputed"))
            steps[0].set_fit_request(sample_weight=False)
            steps.fit(X, sample_weight=weights)
        expected = l2h_tree(steps[0].transform(X), sample_weight=weights)
        assert steps[-1].tree_ == expected

    @pytest.mark.parametrize("routing", [False, True])
    def test_a_frozen_model_needs_no_weights_for_a_weighted_tree(self, X, mixture, routing):
        weights = np.arange(len(X))
        frozen = FrozenEstimator(mixture)
        with config_context(enable_metadata_routing=routing):
            model = L2HClustering(frozen).fit(X, sample_weight=weights)
        assert np.array_equal(model.leaf_counts_, np.bincount(mixture.predict(X), weights))

    def test_fit_predict_of_a_pipeline_routes_weights(self, X):
        with config_context(enable_metadata_routing=True):
            inner = KMeans(3, random_state=0).set_fit_request(sample_weight=True)
            steps = make_pipeline(L2HClustering(inner))
            labels = steps.fit_predict(X, sample_weight=np.arange(len(X)))
        assert np.array_equal(labels, steps[-1].labels_)
        assert steps[-1].leaf_counts_.sum() == np.arange(len(X)).sum()

    def test_metadata_nobody_asked_for_is_refused(self, X):
        with (
            config_context(enable_metadata_routing=True),
            pytest.raises(ValueError, match=r"sample_weight.* are passed but are not explicitly"),
        ):
            L2HClustering(Recorder()).fit(X, sample_weight=np.ones(len(X)))


def gmm(**parameters):
    return L2HClustering(GaussianMixture(4, random_state=0), **parameters)


BAD = {
    "nothing": (lambda: L2HClustering(None), TypeError, "a clusterer or classifier with fit"),
    "text": (lambda: L2HClustering("precompute"), TypeError, "or 'precomputed', got 'precompute'"),
    "class": (lambda: L2HClustering(KMeans), TypeError, "a clusterer or classifier with fit"),
    "too many": (lambda: gmm(n_clusters=5), ValueError, "n_clusters=5 is out of range.* 1 to 4"),
    "none": (lambda: gmm(n_clusters=0), ValueError, "n_clusters=0 is out of range"),
    "bool": (lambda: gmm(n_clusters=True), TypeError, "n_clusters must be an integer, None or"),
    "fraction": (lambda: gmm(n_clusters=2.0), TypeError, "n_clusters must be an integer, None or"),
    "cold": (
        lambda: gmm(temperature=0),
        ValueError,
        "temperature must be finite and above 0, got 0",
    ),
    "hot": (lambda: gmm(temperature=np.inf), ValueError, "temperature must be finite and above 0"),
    "warm": (lambda: gmm(temperature="1"), TypeError, "temperature must be a number, got '1'"),
    "sum": (lambda: gmm(aggregation="total"), ValueError, r"aggregation must be .* got 'total'"),
    "method": (lambda: gmm(response_method=3), TypeError, "response_method must be a name or a"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_parameters(name, X):
    make, error, message = BAD[name]
    with pytest.raises(error, match=message):
        make().fit(X)


@pytest.mark.parametrize("level", [0, 5, -1])
@pytest.mark.parametrize("method", ["predict", "predict_proba", "cut"])
def test_level_out_of_range(X, level, method):
    model = gmm().fit(X)
    arguments = (level,) if method == "cut" else (X,)
    keywords = {} if method == "cut" else {"level": level}
    with pytest.raises(ValueError, match=f"There is no level {level}: a tree of 4 leaves"):
        getattr(model, method)(*arguments, **keywords)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "cut", "score"])
def test_not_fitted(X, method):
    with pytest.raises(NotFittedError, match="This L2HClustering instance is not fitted yet"):
        getattr(gmm(), method)(2 if method == "cut" else X)


def test_frozen_model_that_is_not_fitted(X):
    with pytest.raises(NotFittedError, match="This KMeans instance is not fitted yet"):
        L2HClustering(FrozenEstimator(KMeans())).fit(X)


@pytest.mark.parametrize("estimator", [KMeans(2, random_state=0), "precomputed"], ids=str)
def test_changed_number_of_features(X, estimator):
    model = L2HClustering(estimator).fit(X)
    with pytest.raises(ValueError, match=r"X has 3 features, but .* is expecting 2 features"):
        model.predict(np.ones((4, 3)))


def test_bad_rows_in_predict(X):
    model = L2HClustering("precomputed").fit(X)
    with pytest.raises(ValueError, match="Row 1 of the logits has NaN in column 0"):
        model.predict([[1, 2], [np.nan, 2]])
    with pytest.raises(ValueError, match="Row 0 of the logits has nothing but -inf"):
        model.predict_proba([[-np.inf, -np.inf]])


def test_html_shows_the_inner_model(X):
    html = gmm().fit(X)._repr_html_()
    assert "GaussianMixture" in html


def test_digits_of_a_pipeline_in_ten_lines():
    """The example of the README, on the way there."""
    X = load_digits().data
    model = L2HClustering(KMeans(10, random_state=0, n_init=1), n_clusters=4).fit(X)
    assert set(model.predict(X)) == {0, 1, 2, 3}
