"""Weights, levels and other metadata reach whom they are meant for, with routing and without."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
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
