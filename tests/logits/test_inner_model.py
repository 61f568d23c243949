"""Which inner models and targets are accepted; all others are refused."""

import functools
import warnings
from collections import UserList, deque

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, OutlierMixin, clone
from sklearn.cluster import KMeans
from sklearn.covariance import EllipticEnvelope
from sklearn.datasets import load_iris
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import RFE
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier, LocalOutlierFactor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils import get_tags

from skl2h import (
    L2HClustering,
    bootstrap_support,
    merge_evidence,
    metrics,
    suggest_levels,
)
from skl2h.exceptions import UnseenClassWarning
from skl2h.metrics import make_tree_scorer

X, y = load_iris(return_X_y=True)


class Untagged:
    """A model of another library, which may have no tags and no base class."""

    def get_params(self, deep=False):
        return {}

    def set_params(self):
        return self

    def fit(self, X, y=None):
        self.model_ = RidgeClassifier().fit(X, np.arange(len(X)) % 3 if y is None else y)
        return self

    def predict(self, X):
        return self.decision_function(X)  # not classes, as in some libraries

    def decision_function(self, X):
        return self.model_.decision_function(X)


class MixinAlone(ClassifierMixin, Untagged):
    """A classifier as in scikit-learn before there were tags."""


class UntaggedOutliers(OutlierMixin, Untagged):
    """It has no `__sklearn_tags__` to inherit."""


class BrokenTags(Untagged):
    """Its tags cannot be computed, or are None."""

    def __sklearn_tags__(self):
        raise RuntimeError("tags of another library")


class OtherTags(Untagged):
    def __sklearn_tags__(self):
        return {"estimator_type": "classifier"}


class Wrapper(MetaEstimatorMixin, BaseEstimator):
    """A meta-estimator that does not say its kind."""

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X, y=None):
        self.estimator_ = clone(self.estimator).fit(X, y)
        return self

    def decision_function(self, X):
        return self.estimator_.decision_function(X)


class Ordinal(Wrapper):
    """A classifier, because it has classes, around a regressor."""

    def fit(self, X, y=None):
        self.classes_ = np.unique(y)
        return super().fit(X, y)

    def decision_function(self, X):
        return -np.square(np.subtract.outer(self.estimator_.predict(X), self.classes_))


OUTLIERS = {
    "IsolationForest": IsolationForest(n_estimators=2, random_state=0),
    "OneClassSVM": OneClassSVM(),
    "EllipticEnvelope": EllipticEnvelope(random_state=0),
    "LocalOutlierFactor": LocalOutlierFactor(novelty=True),
    "UntaggedOutliers": UntaggedOutliers(),
}
REGRESSORS = {
    "Ridge": Ridge(),
    "DecisionTreeRegressor": DecisionTreeRegressor(),
}
WRAPS = {
    "alone": lambda model: model,
    "pipeline": lambda model: make_pipeline(StandardScaler(), model),
    "frozen": lambda model: FrozenEstimator(clone(model).fit(X, y)),
    "frozen pipeline": lambda model: FrozenEstimator(
        make_pipeline(StandardScaler(), model).fit(X, y)
    ),
}


def one_fold(model):
    rows = np.arange(len(X))
    return GridSearchCV(model, {}, scoring=lambda model, X, y=None: 0.0, cv=[(rows, rows)])


class TestKinds:
    @pytest.mark.filterwarnings("ignore:The following error was raised:DeprecationWarning")
    @pytest.mark.parametrize("wrap", WRAPS)
    @pytest.mark.parametrize("name", OUTLIERS | REGRESSORS)
    @pytest.mark.parametrize("method", ["auto", "decision_function", "predict"])
    def test_other_kinds_are_refused(self, name, wrap, method):
        model = WRAPS[wrap]((OUTLIERS | REGRESSORS)[name])
        kind = "an outlier detector" if name in OUTLIERS else "a regressor"
        with pytest.raises(TypeError, match=f"{name} is {kind}.* give a clusterer or a classifi"):
            L2HClustering(model, response_method=method).fit(X, y)

    @pytest.mark.parametrize(
        ("wrap", "name"),
        [(one_fold, "IsolationForest"), (Wrapper, "IsolationForest"), (one_fold, "Ridge")]
        + [(Wrapper, "Ridge"), (RFE, "Ridge")],
    )
    def test_in_other_meta_estimators(self, wrap, name):
        model = wrap((OUTLIERS | REGRESSORS)[name])
        with pytest.raises(TypeError, match=r"is an outlier detector|is a regressor"):
            L2HClustering(model).fit(X, y)

    def test_before_anything_is_fitted(self):
        class Slow(Ridge):
            def fit(self, X, y=None):
                raise AssertionError

        with pytest.raises(TypeError, match="Slow is a regressor"):
            L2HClustering(Slow()).fit(X, y)

    @pytest.mark.parametrize("n_columns", [1, 3])
    def test_a_function_may_make_logits_of_any_model(self, n_columns):
        def logits(model, X):
            scores = model.predict(X)
            if n_columns > 1:
                scores = -np.square(np.subtract.outer(scores, np.arange(n_columns)))
            return scores

        model = L2HClustering(Ridge(), response_method=logits).fit(X, y)
        assert model.n_leaves_ == max(n_columns, 2)
        assert np.array_equal(model.predict(X), model.labels_)

    @pytest.mark.parametrize(
        "model",
        [Untagged(), MixinAlone(), BrokenTags(), OtherTags(), Wrapper(RidgeClassifier())],
    )
    @pytest.mark.parametrize("wrap", [None, Wrapper])
    def test_models_that_say_nothing_work(self, model, wrap):
        model = model if wrap is None else wrap(model)
        fitted = L2HClustering(model).fit(X, y)
        assert fitted.n_leaves_ == 3
        assert np.array_equal(fitted.predict(X), fitted.labels_)

    def test_a_classifier_around_a_regressor_works(self):
        for model in (Ordinal(Ridge()), make_pipeline(StandardScaler(), Ordinal(Ridge()))):
            assert L2HClustering(model).fit(X, y).tree_.names == ("0", "1", "2")

    def test_mixtures_are_tagged_as_densities(self):
        mixture = GaussianMixture(3, random_state=0)
        assert get_tags(mixture).estimator_type == "density_estimator"
        for model in (mixture, make_pipeline(StandardScaler(), mixture), one_fold(mixture)):
            assert L2HClustering(model).fit(X).n_leaves_ == 3

    @pytest.mark.parametrize("model", [Untagged(), MixinAlone(), BrokenTags(), OtherTags()])
    def test_tags_of_models_that_have_none(self, model):
        for inner in (model, FrozenEstimator(model)):
            assert get_tags(L2HClustering(inner)).estimator_type == "clusterer"


class OtherClassifier(ClassifierMixin, BaseEstimator):
    """A classifier of another library, which predicts in its own way, and may need one-hot y."""

    def __init__(self, predicted=None):
        self.predicted = predicted

    def fit(self, X, y):
        classes = y if np.ndim(y) == 1 else np.argmax(y, axis=1)
        self.model_ = KNeighborsClassifier(75).fit(X, classes)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        if self.predicted is None:
            raise RuntimeError("this model gives scores alone")
        if len(X) < 2:
            raise RuntimeError("batches of one row cannot be normalised")
        return self.predicted(self.model_.predict_proba(X))

    def predict_proba(self, X):
        return self.model_.predict_proba(X)


class Untold(OtherClassifier):
    """The same classifier without tags."""

    def __sklearn_tags__(self):
        raise AttributeError


LABELS = np.column_stack([y == 0, y > 0, y == 2]).astype(int)
OUTPUTS = np.column_stack([y, y[::-1]])
CLASSIFIERS = {
    "OneVsRestClassifier": OneVsRestClassifier(RidgeClassifier()),
    "RandomForestClassifier": RandomForestClassifier(2, random_state=0),
    "KNeighborsClassifier": KNeighborsClassifier(),
    "RidgeClassifier": RidgeClassifier(),
    "MultiOutputClassifier": MultiOutputClassifier(KNeighborsClassifier()),
    "ClassifierChain": ClassifierChain(RidgeClassifier()),
}


class TestTargets:
    @pytest.mark.parametrize("name", CLASSIFIERS)
    def test_several_labels_a_row_are_refused(self, name):
        for model in (CLASSIFIERS[name], make_pipeline(StandardScaler(), CLASSIFIERS[name])):
            with pytest.raises(ValueError, match=r"y has several outputs .*\(multilabel-indicator"):
                L2HClustering(model).fit(X, LABELS)

    @pytest.mark.parametrize("convert", [np.asarray, np.ndarray.tolist, "pandas"])
    def test_several_outputs_are_refused(self, convert):
        if convert == "pandas":
            convert = pytest.importorskip("pandas").DataFrame
        targets = convert(OUTPUTS)
        with pytest.raises(ValueError, match=r"y has several outputs .*multiclass-multioutput"):
            L2HClustering(RandomForestClassifier(2)).fit(X, targets)

    @pytest.mark.parametrize("wrap", ["frozen", "frozen pipeline"])
    @pytest.mark.parametrize("name", CLASSIFIERS)
    def test_models_that_were_fitted_on_several_are_refused(self, name, wrap, monkeypatch):
        model = clone(CLASSIFIERS[name])
        if wrap == "frozen pipeline":
            model = make_pipeline(StandardScaler(), model)
        frozen = FrozenEstimator(model.fit(X, LABELS))
        with pytest.raises(ValueError, match=f"{name} predicts 3 outputs for each row"):
            L2HClustering(frozen).fit(X)

    def test_and_on_the_workers_of_dask(self):
        da = pytest.importorskip("dask.array")
        frozen = FrozenEstimator(RidgeClassifier().fit(X, LABELS))
        rows = da.from_array(X, chunks=(50, 4))
        with pytest.raises(RuntimeError, match="RidgeClassifier predicts 3 outputs for each row"):
            L2HClustering(frozen).fit(rows)

    @pytest.mark.parametrize(
        "predicted",
        [
            None,
            lambda shares: shares,
            lambda shares: np.eye(3)[shares.argmax(axis=1)],
            lambda shares: np.eye(3, dtype=int)[shares.argmax(axis=1)],
            lambda shares: csr_matrix(shares),
        ],
        ids=["raises", "scores", "sure scores", "one-hot", "sparse scores"],
    )
    def test_predict_is_needed_for_nothing(self, predicted):
        expected = L2HClustering(KNeighborsClassifier(75)).fit(X, y)
        for inner in (OtherClassifier(predicted), FrozenEstimator(OtherClassifier(predicted))):
            if isinstance(inner, FrozenEstimator):
                inner.estimator.fit(X, y)
            assert L2HClustering(inner).fit(X, y).tree_ == expected.tree_

    @pytest.mark.parametrize(
        "predicted",
        [
            lambda shares: shares > 0,
            lambda shares: (shares > 0.9).astype(float),
            lambda shares: csr_matrix(shares < 0.5),
            lambda shares: np.array(["a", "b", "c"])[(shares * 2).astype(int)],
            lambda shares: 1 + (shares * 2).astype(int),
        ],
        ids=["flags", "floats", "sparse", "texts", "classes"],
    )
    def test_predictions_of_several_outputs(self, predicted):
        message = "OtherClassifier predicts 3 outputs for each row"
        with pytest.raises(ValueError, match=message):
            L2HClustering(OtherClassifier(predicted)).fit(X, y)

    @pytest.mark.parametrize("name", ["RidgeClassifier", "MLPClassifier", "KNeighborsClassifier"])
    @pytest.mark.parametrize("convert", [np.asarray, np.ndarray.tolist, csr_matrix, "pandas"])
    def test_one_column_for_each_class(self, name, convert):
        if convert == "pandas":
            convert = pytest.importorskip("pandas").DataFrame
        model = (CLASSIFIERS | {"MLPClassifier": MLPClassifier()})[name]
        targets = convert(np.eye(3, dtype=int)[y])
        message = rf"y has a column for each class.* {name} takes .*y\.argmax\(axis=1\)"
        with pytest.raises(ValueError, match=message):
            L2HClustering(model).fit(X, targets)

    def test_models_of_other_libraries_may_want_it_so(self):
        expected = L2HClustering(KNeighborsClassifier(75)).fit(X, y)
        found = L2HClustering(Untold(lambda shares: shares)).fit(X, np.eye(3)[y])
        assert found.tree_ == expected.tree_

    @pytest.mark.parametrize("output", [0, 1])
    def test_a_function_may_choose_one_of_them(self, output):
        def one(model, X):
            return np.log(model.predict_proba(X)[output] + 1e-9)

        model = MultiOutputClassifier(KNeighborsClassifier())
        found = L2HClustering(model, response_method=one).fit(X, OUTPUTS)
        alone = L2HClustering(
            KNeighborsClassifier(), response_method=lambda model, X: one(_Outputs(model), X)
        )
        assert found.tree_ == alone.fit(X, OUTPUTS[:, output]).tree_

    @pytest.mark.parametrize(
        "model",
        [
            KMeans(3, n_init=1),
            GaussianMixture(3),
            make_pipeline(StandardScaler(), KMeans(3, n_init=1)),
        ],
    )
    @pytest.mark.parametrize("targets", [LABELS, OUTPUTS, X])
    def test_clusterers_do_not_look_at_y(self, model, targets):
        assert L2HClustering(model).fit(X, targets).n_leaves_ == 3

    def test_one_column_is_one_output(self):
        model = L2HClustering(RandomForestClassifier(2, random_state=0))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn's warning about the shape
            assert model.fit(X, y[:, np.newaxis]).n_leaves_ == 3

    def test_many_classes_are_no_reason_for_another_warning(self):
        model = KNeighborsClassifier(1)
        counts = []
        for fitted in (model, L2HClustering(model)):
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                fitted.fit(X, np.arange(150) % 149)
            counts.append(len([one for one in told if "unique classes" in str(one.message)]))
        assert counts[0] == counts[1]


class _Outputs:
    """A classifier of one output, presented as having two."""

    def __init__(self, model):
        self.model = model

    def predict_proba(self, X):
        return [self.model.predict_proba(X)] * 2


class TestUnseenClasses:
    """`score` warns if rows have classes that the model cannot predict."""

    @pytest.mark.parametrize("cv", [3, KFold(3)])
    def test_folds_in_the_order_of_the_classes(self, cv):
        model = L2HClustering(RidgeClassifier())
        message = r"fitted without class \d of y.* give cv=StratifiedKFold\(\)"
        with pytest.warns(UnseenClassWarning, match=message) as told:
            scores = cross_val_score(model, X, y, cv=cv, error_score="raise")
        assert (scores == 0).all()
        assert len(told) == 3
        assert {warning.filename for warning in told} == {__file__}

    def test_stratified_folds_need_no_warning(self):
        model = L2HClustering(RidgeClassifier())
        found = cross_val_score(model, X, y, cv=StratifiedKFold(3))
        assert np.array_equal(found, cross_val_score(RidgeClassifier(), X, y, cv=3))

    @pytest.mark.parametrize("wrap", WRAPS)
    @pytest.mark.parametrize("names", [None, ["setosa", "versicolor", "virginica"]])
    def test_of_every_model_and_kind_of_class(self, wrap, names):
        classes = y if names is None else np.array(names)[y]
        model = RidgeClassifier()
        if wrap.startswith("frozen"):
            model = FrozenEstimator(model.fit(X[:100], classes[:100]))
        else:
            model = WRAPS[wrap](model)
        fitted = L2HClustering(model).fit(X[:100], classes[:100])
        named = "2" if names is None else "'virginica'"
        for some in (classes, classes.tolist()):
            with pytest.warns(UnseenClassWarning, match=f"without class {named} of y"):
                fitted.score(X, some)
        assert fitted.score(X[:100], classes[:100]) == 1.0

    def test_many_are_counted(self):
        classes = np.arange(150) // 5
        fitted = L2HClustering(RidgeClassifier()).fit(X[:50], classes[:50])
        with pytest.warns(UnseenClassWarning, match="without classes .* and 10 more of y"):
            fitted.score(X, classes)

    @pytest.mark.parametrize("model", [KMeans(3, n_init=1), GaussianMixture(3)])
    def test_clusterers_have_seen_no_class(self, model):
        fitted = L2HClustering(model).fit(X)
        assert np.isfinite(fitted.score(X, y))
        assert np.isfinite(fitted.score(X))


TEXTS = ["a cat sat", "the dog ran", "a red bus", "the blue car", "cat and dog", "car on road"] * 5
TOPICS = np.arange(30) % 6


def generator(texts):
    yield from texts


class ByNumber:
    """Texts by index alone, without a length, as in datasets of torch."""

    def __init__(self, texts):
        self.texts = texts

    def __len__(self):
        return len(self.texts)

    def __getitem__(self, row):
        if isinstance(row, slice):
            raise KeyError(row)
        return self.texts[row % len(self.texts)]


class Iterated(ByNumber):
    def __iter__(self):
        return iter(self.texts)


KINDS = {
    "by number": ByNumber,
    "by number, and iterated": Iterated,
    "tuple": tuple,
    "array": np.array,
    "values": lambda texts: dict(enumerate(texts)).values(),
    "deque": deque,
    "generator": generator,
    "iterator": iter,
    "map": lambda texts: map(str, texts),
    "own sequence": UserList,
    "pandas": lambda texts: pytest.importorskip("pandas").Series(texts, index=range(90, 120)),
    "polars": lambda texts: pytest.importorskip("polars").Series(texts),
}
METHODS = {
    "fit": lambda model, X: clone(model).fit(X, TOPICS).labels_,
    "fit_predict": lambda model, X: clone(model).fit_predict(X, TOPICS),
    "predict": lambda model, X: model.predict(X, level=[6, 3]),
    "predict_proba": lambda model, X: model.predict_proba(X, level=3),
    "predict_node": lambda model, X: model.predict_node(X),
    "score": lambda model, X: model.score(X, TOPICS),
    "merge_evidence": lambda model, X: merge_evidence(model, X).margins,
    "suggest_levels": lambda model, X: suggest_levels(model, X)[1],
    "bootstrap_support": lambda model, X: (
        bootstrap_support(model, X, n_resamples=2, random_state=0).support
    ),
    "scorer": lambda model, X: make_tree_scorer(by_all)(model, X, TOPICS),
}


def by_all(leaf_labels, profiles, y):
    return metrics.leaf_purity(leaf_labels, y) + profiles.sum()


@pytest.fixture(scope="module")
def of_texts():
    inner = make_pipeline(TfidfVectorizer(), RidgeClassifier())
    return L2HClustering(inner).fit(TEXTS, TOPICS)


@pytest.fixture(scope="module")
def of_lists(of_texts):
    """Result of a method for a list of texts, which is computed once."""
    return functools.cache(lambda method: METHODS[method](of_texts, TEXTS))


class TestTexts:
    """Rows are whatever the inner model takes, even if they can be iterated only once."""

    @pytest.mark.parametrize("batch_size", [2**14, 7])
    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("kind", KINDS)
    def test_whatever_the_inner_model_takes(
        self, of_texts, of_lists, monkeypatch, kind, method, batch_size
    ):
        """Every kind and every method, with all rows at once and in batches."""
        monkeypatch.setattr("skl2h.logits.of_models.BATCH_SIZE", batch_size)
        texts = KINDS[kind](TEXTS)
        found = METHODS[method](of_texts, texts)
        np.testing.assert_allclose(found, of_lists(method), rtol=1e-12)

    def test_a_function_gets_them_as_well(self):
        def scores(model, X):
            return model.decision_function(X)

        inner = make_pipeline(TfidfVectorizer(), RidgeClassifier())
        model = L2HClustering(inner, response_method=scores).fit(generator(TEXTS), TOPICS)
        assert np.array_equal(model.predict(generator(TEXTS)), model.labels_)

    def test_lists_and_arrays_are_passed_on_as_they_are(self):
        class Recorder(RidgeClassifier):
            def fit(self, X, y=None):
                self.given_ = X
                return super().fit(X, y)

        for rows in (X, X.tolist(), np.asfortranarray(X)):
            assert L2HClustering(Recorder()).fit(rows, y).estimator_.given_ is rows

    @pytest.mark.parametrize("method", ["fit", "predict", "predict_proba", "merge_evidence"])
    def test_a_mapping_has_no_rows(self, of_texts, method):
        texts = dict(enumerate(TEXTS))
        with pytest.raises(TypeError, match=r"X is a dict, .* give list\(X\.values\(\)\)"):
            METHODS[method](of_texts, texts)

    def test_one_text_is_no_collection_of_texts(self, of_texts):
        with pytest.raises(ValueError, match="string object received"):
            of_texts.predict("a cat sat")
