"""Weights, levels and other metadata reach whom they are meant for, with routing and without."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.ensemble import BaggingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skl2h import L2HClustering

X = make_blobs(120, centers=8, random_state=0)[0]
weights = np.arange(1, 121)


def kmeans():
    return KMeans(8, n_init=1, random_state=0)


class TestRequests:
    """What was asked for with `set_..._request` is routed by whatever holds the estimator."""

    @pytest.mark.parametrize("method", ["predict", "predict_proba"])
    @pytest.mark.parametrize("name", ["level", "n_groups"])
    @pytest.mark.parametrize("wrap", [lambda steps: steps, clone, make_pipeline])
    def test_levels_of_a_pipeline(self, method, name, wrap):
        with config_context(enable_metadata_routing=True):
            last = L2HClustering(kmeans())
            getattr(last, f"set_{method}_request")(level=True if name == "level" else name)
            steps = wrap(make_pipeline(StandardScaler(), last)).fit(X)
            found = getattr(steps, method)(X, **{name: 2})
        alone = L2HClustering(kmeans()).fit(StandardScaler().fit_transform(X))
        expected = getattr(alone, method)(StandardScaler().fit_transform(X), level=2)
        assert np.array_equal(found, expected)

    def test_without_routing_the_last_step_gets_all(self):
        steps = make_pipeline(StandardScaler(), L2HClustering(kmeans())).fit(X)
        assert len(np.unique(steps.predict(X, level=2))) == 2
        assert steps.predict_proba(X, level=2).shape == (120, 2)

    def test_a_level_that_was_not_asked_for_is_refused(self):
        with config_context(enable_metadata_routing=True):
            steps = make_pipeline(L2HClustering(kmeans())).fit(X)
            with pytest.raises(ValueError, match=r"level.* not explicitly set as requested"):
                steps.predict(X, level=2)

    def test_beside_those_of_the_inner_model(self):
        with config_context(enable_metadata_routing=True):
            inner = kmeans().set_fit_request(sample_weight=True)
            inner.set_score_request(sample_weight=True)
            last = L2HClustering(inner).set_predict_request(level=True)
            scale = StandardScaler().set_fit_request(sample_weight=False)
            steps = make_pipeline(scale, last).fit(X, sample_weight=weights)
            score = steps.score(X, sample_weight=weights)
            labels = steps.predict(X, level=3)
        rows = StandardScaler().fit_transform(X)
        alone = L2HClustering(kmeans()).fit(rows, sample_weight=weights)
        assert steps[-1].tree_ == alone.tree_
        assert score == alone.score(rows, sample_weight=weights)
        assert np.array_equal(labels, alone.predict(rows, level=3))

    def test_asking_for_the_routing_changes_nothing(self):
        with config_context(enable_metadata_routing=True):
            model = L2HClustering(kmeans()).set_predict_request(level=True)
            first = str(model.get_metadata_routing())
            assert str(model.get_metadata_routing()) == first
            assert "'predict': {'level': True}" in first
            assert "'fit': {'sample_weight': True}" in first


def mixture():
    return GaussianMixture(8, random_state=0)


def of_outer_pipeline():
    steps = make_pipeline(StandardScaler(), L2HClustering(mixture()))
    return lambda: steps.fit(X, l2hclustering__sample_weight=weights)


def fit_of(model, **params):
    return lambda: L2HClustering(model).fit(X, **params)


NOT_TAKEN = {
    "no weights": (fit_of(mixture(), sample_weight=weights), "GaussianMixture"),
    "in a search": (
        fit_of(GridSearchCV(mixture(), {"n_components": [8]}), sample_weight=weights),
        "GaussianMixture",
    ),
    "nested": (fit_of(L2HClustering(mixture()), sample_weight=weights), "GaussianMixture"),
    "fit_predict": (
        lambda: L2HClustering(mixture()).fit_predict(X, sample_weight=weights),
        "GaussianMixture",
    ),
    "in an outer Pipeline": (of_outer_pipeline(), "GaussianMixture"),
    "of a step": (
        fit_of(make_pipeline(StandardScaler(), mixture()), gaussianmixture__sample_weight=weights),
        "GaussianMixture",
    ),
    "of a Pipeline": (
        fit_of(make_pipeline(StandardScaler(), kmeans()), sample_weight=weights),
        "Pipeline",
    ),
    "of a Pipeline in a search": (
        fit_of(GridSearchCV(make_pipeline(kmeans()), {}), sample_weight=weights),
        "Pipeline",
    ),
}


class TestWeightsThatAreNotTaken:
    @pytest.mark.parametrize("name", NOT_TAKEN)
    def test_the_error_says_what_to_do(self, name):
        fit, model = NOT_TAKEN[name]
        message = rf"{model}\.fit takes no sample_weight.*FrozenEstimator.*enable metadata routing"
        with pytest.raises(TypeError, match=message):
            fit()

    def test_a_pipeline_tells_the_name_of_the_step(self):
        fit = fit_of(make_pipeline(StandardScaler(), kmeans()), sample_weight=weights)
        with pytest.raises(TypeError, match=r"kmeans__sample_weight weighs .* not the tree"):
            fit()

    def test_a_step_that_is_not_there(self):
        fit = fit_of(make_pipeline(StandardScaler(), kmeans()), means__sample_weight=weights)
        message = "means__sample_weight is for no step of the Pipeline: they are standardscaler, k"
        with pytest.raises(TypeError, match=message):
            fit()

    def test_other_arguments(self):
        with pytest.raises(TypeError, match=r"KMeans\.fit takes no groups\."):
            L2HClustering(kmeans()).fit(X, groups=weights)

    def test_both_ways_out_give_the_weighted_tree(self):
        with config_context(enable_metadata_routing=True):
            routed = L2HClustering(mixture()).fit(X, sample_weight=weights)
        frozen = L2HClustering(FrozenEstimator(mixture().fit(X))).fit(X, sample_weight=weights)
        assert routed.tree_ == frozen.tree_
        assert routed.leaf_counts_.sum() == weights.sum()

    def test_routing_weighs_a_step_of_a_pipeline_and_the_tree(self):
        with config_context(enable_metadata_routing=True):
            steps = make_pipeline(
                StandardScaler().set_fit_request(sample_weight=False),
                kmeans().set_fit_request(sample_weight=True),
            )
            model = L2HClustering(steps).fit(X, sample_weight=weights)
        rows = StandardScaler().fit_transform(X)
        assert model.tree_ == L2HClustering(kmeans()).fit(rows, sample_weight=weights).tree_

    def test_the_name_of_a_step_weighs_the_step_alone(self):
        steps = make_pipeline(StandardScaler(), kmeans())
        model = L2HClustering(steps).fit(X, kmeans__sample_weight=weights)
        rows = StandardScaler().fit_transform(X)
        inner = kmeans().fit(rows, sample_weight=weights)
        assert np.allclose(model.estimator_[-1].cluster_centers_, inner.cluster_centers_)
        assert model.leaf_counts_.sum() == len(X)

    def test_a_search_keeps_groups_to_itself(self):
        search = GridSearchCV(kmeans(), {}, cv=GroupKFold(2))
        assert L2HClustering(search).fit(X, groups=np.arange(len(X)) % 4).n_leaves_ == 8

    @pytest.mark.filterwarnings("ignore:Since KNeighborsClassifier does not appear to accept")
    @pytest.mark.parametrize(
        "model",
        [
            CalibratedClassifierCV(KNeighborsClassifier(3), cv=3),
            BaggingClassifier(KNeighborsClassifier(3), n_estimators=3, random_state=0),
        ],
        ids=["calibrated", "bagging"],
    )
    @pytest.mark.parametrize("wrap", [lambda model: model, lambda model: GridSearchCV(model, {})])
    def test_a_meta_estimator_may_weigh_without_its_base(self, model, wrap):
        if isinstance(model, BaggingClassifier):
            pytest.importorskip("sklearn", minversion="1.7")  # it draws rows by their weight since
        y = np.arange(len(X)) % 3
        found = L2HClustering(wrap(model)).fit(X, y, sample_weight=weights + 1.0)
        assert found.leaf_counts_.sum() == (weights + 1.0).sum()

    @pytest.mark.parametrize("routing", [False, True])
    @pytest.mark.parametrize("method", ["fit", "fit_predict"])
    @pytest.mark.parametrize("name", ["sample_weights", "groups", "kmeans__sample_weight"])
    def test_a_frozen_model_swallows_nothing(self, name, method, routing):
        frozen = FrozenEstimator(kmeans().fit(X))
        message = f"fit of a frozen model takes sample_weight, but not {name}"
        with config_context(enable_metadata_routing=routing):
            call = getattr(L2HClustering(frozen), method)
            with pytest.raises(TypeError, match=message):
                call(X, **{name: weights})
