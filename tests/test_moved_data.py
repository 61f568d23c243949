"""The plugin changes the data that flat models are fitted on, and only slightly."""

import numpy as np
import pytest
from helpers import moved_data
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture

from skl2h import TEMI, TURTLE, L2HClustering
from skl2h.logits.of_models import Response


@pytest.mark.parametrize("cls", [KMeans, LogisticRegression, GaussianMixture, TURTLE, TEMI])
def test_flat_models_are_among_those_that_are_moved(cls):
    owners = {owner for owner, name in moved_data.methods_that_fit() if name == "fit"}
    assert owners & set(cls.__mro__)


def test_a_fit_sees_other_data_for_each_seed_and_the_rows_stay():
    X, y = load_iris(return_X_y=True)
    before = X.copy()
    seen = [
        moved_data.moving(lambda self, X, y: X, seed)(LogisticRegression(), X, y) for seed in (1, 2)
    ]
    assert np.array_equal(X, before)
    assert not np.array_equal(seen[0], seen[1])
    for data in seen:
        assert (data != X).any()
        assert np.abs(data - X).max() < 1e-12


@pytest.mark.parametrize("X", [[[1, 2]], np.arange(4).reshape(2, 2), np.ones(3), ["a", "b"]])
def test_what_is_no_matrix_of_floats_stays(X):
    assert moved_data.moved(X, seed=1) is X


@pytest.mark.parametrize(
    "model", [KMeans(3, n_init=1, random_state=0), GaussianMixture(3, random_state=0)]
)
def test_noise_moves_logits_by_its_share_of_their_deviation(model):
    X, _ = load_iris(return_X_y=True)
    model = L2HClustering(model).fit(X)
    response = Response(model.response_.method)
    logits = response.logits(model.estimator_, X).values()
    noisy = moved_data.asking(Response._ask, seed=3, size=1e-3)(response, model.estimator_, X)
    finite = np.isfinite(logits)
    moves = (noisy.values()[finite] - logits[finite]) / logits[finite].std()
    assert 5e-4 < moves.std() < 2e-3
