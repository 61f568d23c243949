"""TURTLE computes what its equations say, and is a clusterer like any other."""

from functools import partial
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.flat_models import turtle
from helpers.plain_descent import PlainAdam
from scipy.sparse import csr_matrix
from scipy.special import logsumexp, softmax
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import normalized_mutual_info_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skl2h import TURTLE, L2HClustering
from skl2h.flat.adam import Adam
from skl2h.flat.feature_spaces import Space
from skl2h.flat.turtle_search import Search, _exponentiate
from skl2h.metrics import clustering_accuracy

# Short searches do not always use all clusters.
pytestmark = pytest.mark.filterwarnings("ignore:Only . of . clusters have rows")


def side_by_side(*spaces):
    """Features of several spaces in one matrix, and the groups of their columns."""
    stops = np.cumsum([X.shape[1] for X in spaces]).tolist()
    return np.hstack(spaces), [slice(*ends) for ends in pairwise([0, *stops])]


def search_of(random_state, widths, inner_steps=4, dtype=np.float64):
    """A search on random features, with a batch whose task has been made."""
    parameters = SimpleNamespace(
        n_clusters=3, gamma=2.0, inner_steps=inner_steps, outer_learning_rate=0.1,
        inner_learning_rate=0.05, warm_start_inner=False, scale_features=False, dtype=dtype,
    )  # fmt: skip
    search = Search(parameters, widths, 7, random_state)
    batch = [np.ones((7, width + 1), dtype) for width in widths]
    for Z in batch:
        Z[:, :-1] = random_state.standard_normal(Z[:, :-1].shape)
    search.encode(batch)
    return search, batch


def plain_labels(batch, encoders):
    """Softmax of each space, from direction, length and bias of each cluster."""
    softmaxes = []
    for Z, (directions, lengths, bias) in zip(batch, encoders):
        logits = np.empty((len(Z), len(bias)))
        for cluster, (direction, length) in enumerate(zip(directions, lengths)):
            weights = length * direction / np.sqrt((direction**2).sum())
            logits[:, cluster] = Z[:, :-1] @ weights + bias[cluster]
        softmaxes.append(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))
    return softmaxes


def plain_cross_entropy(Z, weights, task):
    logits = Z[:, :-1] @ weights[:, :-1].T + weights[:, -1]
    return -np.mean(np.sum(task * np.log(softmax(logits, axis=1)), axis=1))


def plain_loss(batch, encoders, classifiers, gamma):
    softmaxes = plain_labels(batch, encoders)
    task = sum(softmaxes) / len(softmaxes)
    loss = 0.0
    for Z, weights, labels in zip(batch, classifiers, softmaxes):
        shares = labels.mean(axis=0)
        loss += plain_cross_entropy(Z, weights, task) + gamma * np.sum(shares * np.log(shares))
    return loss


def slope(function, values, step=1e-6):
    """Gradient by central differences, in the memory of the values."""
    gradient = np.empty_like(values)
    for place in np.ndindex(values.shape):
        here = values[place]
        values[place] = here + step
        above = function()
        values[place] = here - step
        below = function()
        values[place] = here
        gradient[place] = (above - below) / (2 * step)
    return gradient


def test_adam():
    """Equal to the plain one from step to step, also after a restart."""
    random_state = np.random.default_rng(0)
    ours = [random_state.standard_normal(shape) for shape in [(3, 2), (4,)]]
    theirs = [values.copy() for values in ours]
    adam = Adam(ours, [0.1, 0.01])
    for _ in range(2):
        adam.restart()
        plain = PlainAdam([0.1, 0.01])
        for scale in (1, 1e3, 1e-9, 0, 1):
            gradients = [scale * random_state.standard_normal(values.shape) for values in ours]
            plain.step(theirs, gradients)
            adam.step(gradients)
            for one, other in zip(ours, theirs):
                np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1.0, 49.0, 51.0, 1000.0])
def test_exponentials_of_any_size(size, dtype):
    """With and without the peak: no overflow, and the digits of the dtype."""
    logits = np.random.default_rng(0).uniform(-size, size, (50, 200)).astype(dtype)
    logits[0], logits[1] = -size, size
    ours = logits.copy()
    peaks, sums = _exponentiate(ours, size)
    rtol = 1e3 * np.finfo(dtype).eps
    np.testing.assert_allclose(peaks + np.log(sums), logsumexp(logits, axis=1), rtol=rtol)
    expected = softmax(logits.astype(np.float64), axis=1)
    np.testing.assert_allclose(ours / sums[:, np.newaxis], expected, rtol=rtol, atol=1e-30)


@pytest.mark.parametrize("n_spaces", [1, 2, 3])
@pytest.mark.parametrize("seed", range(3))
class TestGradients:
    def test_of_the_encoder(self, seed, n_spaces):
        """Central differences of the loss with the classifiers as they are."""
        search, batch = search_of(np.random.default_rng(seed), [4, 2, 5][:n_spaces])
        search.train(batch)
        encoders = [encoder.parameters for encoder in search.encoders]
        for directions, lengths, _ in encoders:  # as after some steps: |v| is not g
            directions *= 1.5
            lengths *= 0.7
        search.encode(batch)

        def loss():
            return plain_loss(batch, encoders, search.classifiers, search.parameters.gamma)

        found, gradients = search.loss_and_gradients(batch)
        assert found == pytest.approx(loss(), rel=1e-12)
        parameters = [values for encoder in encoders for values in encoder]
        assert len(gradients) == len(parameters)
        for values, gradient in zip(parameters, gradients):
            np.testing.assert_allclose(gradient, slope(loss, values), rtol=1e-6, atol=1e-8)

    def test_of_the_classifiers(self, seed, n_spaces):
        search, batch = search_of(np.random.default_rng(seed), [4, 2, 5][:n_spaces])
        gradients = search.gradients_of_classifiers(batch)
        for Z, weights, gradient in zip(batch, search.classifiers, gradients):
            expected = slope(partial(plain_cross_entropy, Z, weights, search.task), weights)
            np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-8)


def plain_turtle(spaces, n_clusters, *, n_steps, batch_size, gamma, inner_steps, rates, warm, seed):
    """A run of one start in float64: drawn in the same order, computed in other ways.

    Gradients are those of whole Jacobians. Gives coef and intercept for each space, the loss of
    each step, and the loss of all rows.
    """
    entropy = np.random.RandomState(seed).randint(2**31 - 1, size=4).tolist()
    random_state = np.random.default_rng(np.random.SeedSequence(entropy).spawn(1)[0])

    def draw(width):
        drawn = random_state.random((n_clusters, width + 1))
        return (2 * drawn - 1) / np.sqrt(width)

    def through_softmax(softmaxes, slopes, Z):
        """Gradient of the weights, of derivatives by each softmax, (K, d + 1)."""
        jacobians = np.einsum("nk,kl->nkl", softmaxes, np.eye(n_clusters))
        jacobians -= np.einsum("nk,nl->nkl", softmaxes, softmaxes)
        return np.einsum("nk,nkl,nd->ld", slopes, jacobians, Z)

    scales = [np.sqrt(X.var(axis=0).mean()) for X in spaces]
    centres = [X.mean(axis=0) for X in spaces]
    Zs = [
        np.column_stack([(X - centre) / scale, np.ones(len(X))])
        for X, centre, scale in zip(spaces, centres, scales)
    ]
    encoders = []
    for Z in Zs:
        drawn = draw(Z.shape[1] - 1)
        directions, bias = drawn[:, :-1].copy(), drawn[:, -1].copy()
        encoders.append((directions, np.sqrt((directions**2).sum(axis=1)), bias))
    classifiers = [draw(Z.shape[1] - 1) for Z in Zs]
    outer = PlainAdam([rates[0]] * 3 * len(Zs))
    inner_rates = [rates[1] * max(1, 384 / X.shape[1]) for X in spaces]
    inner = PlainAdam(inner_rates)

    def draw_batch():
        if batch_size >= len(Zs[0]):
            return Zs
        rows = random_state.choice(len(Zs[0]), batch_size, replace=False, shuffle=False)
        return [Z[rows] for Z in Zs]

    def train(batch):
        nonlocal classifiers, inner
        task = sum(plain_labels(batch, encoders)) / len(batch)
        if not warm:
            classifiers = [draw(Z.shape[1] - 1) for Z in Zs]
            inner = PlainAdam(inner_rates)
        for _ in range(inner_steps):
            gradients = []
            for Z, weights in zip(batch, classifiers):
                q = softmax(Z @ weights.T, axis=1)
                gradients.append(through_softmax(q, -task / q / len(Z), Z))
            inner.step(classifiers, gradients)

    curve = []
    for _ in range(n_steps):
        batch = draw_batch()
        train(batch)
        curve.append(plain_loss(batch, encoders, classifiers, gamma))
        softmaxes = plain_labels(batch, encoders)
        of_task = -sum(
            np.log(softmax(Z @ weights.T, axis=1)) for Z, weights in zip(batch, classifiers)
        ) / len(batch)
        gradients = []
        for Z, s, (directions, lengths, _) in zip(batch, softmaxes, encoders):
            slopes = (of_task + gamma * (np.log(s.mean(axis=0)) + 1)) / len(Z)
            of_weights = through_softmax(s, slopes, Z)
            of_directions, of_lengths = np.empty_like(directions), np.empty_like(lengths)
            for k, (v, g) in enumerate(zip(directions, lengths)):
                norm = np.linalg.norm(v)
                of_lengths[k] = of_weights[k, :-1] @ v / norm
                jacobian = g / norm * (np.eye(len(v)) - np.outer(v, v) / norm**2)
                of_directions[k] = of_weights[k, :-1] @ jacobian
            gradients += [of_directions, of_lengths, of_weights[:, -1]]
        outer.step([values for encoder in encoders for values in encoder], gradients)
    batch, losses = draw_batch(), []
    for _ in range(1 if warm else 10):
        train(batch)
        losses.append(plain_loss(Zs, encoders, classifiers, gamma))
    coef = [
        lengths[:, np.newaxis] * v / np.linalg.norm(v, axis=1, keepdims=True) / scale
        for (v, lengths, _), scale in zip(encoders, scales)
    ]
    intercept = [
        bias - weights @ centre for (*_, bias), weights, centre in zip(encoders, coef, centres)
    ]
    return coef, intercept, curve, np.mean(losses)


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("batch_size", [17, 1000])
@pytest.mark.parametrize("widths", [[5], [3, 2], [1, 2, 2]], ids=str)
def test_a_run_equals_a_plain_evaluation(X, widths, batch_size, warm):
    spaces = np.split(X, np.cumsum(widths)[:-1], axis=1)
    X, groups = side_by_side(*spaces)
    coef, intercept, curve, loss = plain_turtle(
        spaces, 4, n_steps=4, batch_size=batch_size, gamma=3.0, inner_steps=3, rates=(0.1, 5e-4),
        warm=warm, seed=7,
    )  # fmt: skip
    model = turtle(
        max_iter=4, batch_size=batch_size, gamma=3.0, inner_steps=3, outer_learning_rate=0.1,
        inner_learning_rate=5e-4, warm_start_inner=warm, random_state=7, feature_groups=groups,
    ).fit(X)  # fmt: skip
    np.testing.assert_allclose(model.loss_curve_, curve, rtol=1e-9)
    assert model.loss_ == pytest.approx(loss, rel=1e-9)
    for ours, theirs in zip(model.coef_ + model.intercept_, coef + intercept):
        np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-9)


class TestSpaces:
    @pytest.mark.parametrize(
        "groups",
        [
            [[0, 1], (2, 3, 4)],
            [np.array([True, True, False, False, False]), range(2, 5)],
            [slice(-3), np.array([-3, -2, -1])],
        ],
        ids=str,
    )
    def test_groups_in_any_form(self, X, groups):
        sliced = turtle(feature_groups=[slice(0, 2), slice(2, 5)]).fit(X)
        grouped = turtle(feature_groups=groups).fit(X)
        assert sliced.n_features_in_ == grouped.n_features_in_ == 5
        assert sliced.loss_ == grouped.loss_
        assert np.array_equal(sliced.labels_, grouped.labels_)
        for one, other in zip(sliced.coef_, grouped.coef_):
            assert np.array_equal(one, other)
        new = X[:50] + 1
        assert np.array_equal(sliced.predict_log_proba(new), grouped.predict_log_proba(new))
        assert sliced.score(new) == grouped.score(new)

    def test_columns_in_any_order_and_used_twice(self, X):
        one = turtle(feature_groups=[[4, 0, 2], [0, 1]]).fit(X)
        copied, groups = side_by_side(X[:, [4, 0, 2]], X[:, [0, 1]])
        other = turtle(feature_groups=groups).fit(copied)
        np.testing.assert_allclose(one.loss_curve_, other.loss_curve_, rtol=1e-12)
        np.testing.assert_allclose(one.loss_, other.loss_, rtol=1e-12)
        np.testing.assert_allclose(
            one.predict_log_proba(X), other.predict_log_proba(copied), rtol=1e-9
        )

    def test_one_group_is_one_space(self, X):
        """It is the same, but for the attributes being lists."""
        one, grouped = turtle().fit(X), turtle(feature_groups=[slice(None)]).fit(X)
        assert one.coef_.shape == (4, 5)
        assert one.intercept_.shape == (4,)
        assert len(grouped.coef_) == len(grouped.intercept_) == 1
        assert np.array_equal(one.coef_, grouped.coef_[0])
        assert one.loss_ == grouped.loss_

    def test_labels_are_the_mean_over_spaces(self, X):
        model = turtle(feature_groups=[slice(0, 2), slice(2, 5)]).fit(X)
        of_each = [
            softmax(part @ coef.T + intercept, axis=1)
            for part, coef, intercept in zip([X[:, :2], X[:, 2:]], model.coef_, model.intercept_)
        ]
        np.testing.assert_allclose(model.predict_proba(X), np.mean(of_each, axis=0), atol=1e-12)

    def test_column_transformers(self, X):
        """Spaces that come side by side."""
        transformer = make_column_transformer((StandardScaler(), [0, 1]), ("passthrough", [2, 4]))
        groups = [slice(0, 2), slice(2, 4)]
        model = make_pipeline(transformer, turtle(feature_groups=groups)).fit(X)
        assert np.array_equal(model.predict(X), model[-1].labels_)


class TestScale:
    def test_standardised_features_are_taken_as_they_are(self, X):
        X = StandardScaler().fit_transform(np.column_stack([X, np.full(len(X), 7.0)]))
        one = turtle(inner_learning_rate=1e-3).fit(X)
        other = turtle(inner_learning_rate=1e-3 * 384 / 6, scale_features=False).fit(X)
        np.testing.assert_allclose(one.loss_curve_, other.loss_curve_, rtol=1e-9)

    @pytest.mark.parametrize("later", [1e-170, 1.0, 1e200])
    @pytest.mark.parametrize("first", [0, 1e-170, 1.0])
    def test_features_of_any_size_count(self, first, later):
        """In whatever order their sizes come, and beside others that are far larger."""
        X = np.random.default_rng(0).standard_normal((5000, 2)) * [1, 1e-120]
        X[:3000] *= first
        X[3000:] *= later
        peak = np.abs(X).max()
        for rows in (X, X[::-1]):
            space = Space(rows)
            space.centre_and_scale()
            expected = peak * np.sqrt((X / peak).var(axis=0).mean())
            assert space.scale == pytest.approx(expected, rel=1e-12)

    def test_constant_columns_stay_exactly_0(self):
        X = np.column_stack([np.full(1000, 0.1), np.arange(1000)])
        space = Space(X)
        space.centre_and_scale()
        assert space.centre[0] == 0.1
        assert space.scale == pytest.approx(np.arange(1000).std(), rel=1e-12)

    @pytest.mark.parametrize(
        "dtype", [np.float16, np.float32, np.float64, np.int8, np.uint16, bool]
    )
    def test_of_every_dtype(self, dtype):
        X = np.random.default_rng(0).integers(0, 100, (5000, 3)).astype(dtype)
        space = Space(X)
        space.centre_and_scale()
        np.testing.assert_allclose(space.centre, X.astype(float).mean(axis=0), rtol=1e-7)
        expected = np.sqrt(X.astype(float).var(axis=0).mean())
        assert space.scale == pytest.approx(expected, rel=1e-12)
        out = np.ones((10, 4), dtype=np.float32)
        rows = np.arange(0, 1000, 100)
        space.read(rows, out)
        centred = (X[rows].astype(float) - space.centre) / space.scale
        np.testing.assert_allclose(out[:, :3], centred, rtol=1e-3 if dtype == np.float16 else 1e-5)
        assert (out[:, 3] == 1).all()


class TestFit:
    def test_attributes(self, X):
        model = turtle().fit(X)
        assert model.labels_.shape == (120,)
        assert model.loss_curve_.shape == (30,)
        assert model.n_iter_ == 30
        assert model.n_found_ == len(set(model.labels_)) == 4
        assert model.score(X) == pytest.approx(-model.loss_ / np.log(4), rel=1e-12)

    @pytest.mark.parametrize("parameters", [{}, {"dtype": "float32"}, {"scale_features": False}])
    def test_predictions_are_of_the_attributes(self, X, parameters):
        model = turtle(**parameters).fit(X)
        expected = softmax(X @ model.coef_.T + model.intercept_, axis=1)
        np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-9)

    @pytest.mark.parametrize("n_spaces", [1, 2])
    def test_logarithms_do_not_underflow(self, X, n_spaces):
        X, groups = side_by_side(*[X] * n_spaces)
        logarithms = turtle(feature_groups=groups).fit(X).predict_log_proba(1e6 * X)
        assert np.isfinite(logarithms).all()
        assert logarithms.min() < -1e5

    @pytest.mark.parametrize("n_rows", [2047, 2049, 5000])
    def test_the_score_of_the_fitted_rows_is_of_the_loss(self, n_rows):
        """In one block of rows, or several."""
        X = make_blobs(n_rows, centers=4, random_state=0)[0]
        model = turtle(batch_size=100).fit(X)
        assert model.score(X) == pytest.approx(-model.loss_ / np.log(4), rel=1e-12)

    @pytest.mark.parametrize("n_spaces", [1, 2])
    @pytest.mark.parametrize("n_rows", [500, 5000])
    def test_the_loss_is_that_of_all_rows(self, n_rows, n_spaces):
        """Of more than one block too: computed from the maps, of all rows at once."""
        Xs = [make_blobs(n_rows, 3, centers=4, random_state=space)[0] for space in range(n_spaces)]
        X, groups = side_by_side(*Xs)
        model = turtle(batch_size=100, gamma=3.0, feature_groups=groups).fit(X)
        softmaxes = [
            softmax(X @ coef.T + intercept, axis=1)
            for X, coef, intercept in zip(Xs, model.coef_, model.intercept_)
        ]
        task = sum(softmaxes) / n_spaces
        entropies = [-(s.mean(axis=0) @ np.log(s.mean(axis=0))) for s in softmaxes]
        losses = []
        for classifiers in model._fitted.trials:
            cross_entropies = [
                -(task * np.log(softmax(X @ coef.T + intercept, axis=1))).sum(axis=1).mean()
                for X, (coef, intercept) in zip(Xs, classifiers)
            ]
            losses.append(sum(cross_entropies) - 3.0 * sum(entropies))
        assert len(losses) == 10
        assert model.loss_ == pytest.approx(np.mean(losses), rel=1e-9)

    def test_numbers_of_any_type_are_their_value(self, X):
        given = {"gamma": 10.0, "tol": 1e-3, "outer_learning_rate": 0.01}
        counts = {"n_clusters": 4, "max_iter": 30, "inner_steps": 10, "batch_size": 100}
        plain = turtle(dtype="float32", **given, **counts).fit(X)
        given = {name: np.float64(value) for name, value in given.items()}
        counts = {name: np.uint8(count) for name, count in counts.items()}
        model = turtle(dtype="float32", verbose=1, **given, **counts).fit(X)
        assert np.array_equal(model.loss_curve_, plain.loss_curve_)

    @pytest.mark.parametrize("n_jobs", [1, 2, -1])
    def test_n_jobs_changes_nothing(self, X, n_jobs):
        one = turtle(n_init=3, batch_size=50).fit(X)
        other = turtle(n_init=3, batch_size=50, n_jobs=n_jobs).fit(X)
        assert np.array_equal(one.coef_, other.coef_)
        assert np.array_equal(one.labels_, other.labels_)

    def test_n_init_keeps_the_lowest_loss(self, X):
        """The first runs do not depend on how many follow."""
        losses = [turtle(n_init=n, max_iter=5).fit(X).loss_ for n in range(1, 8)]
        assert losses == sorted(losses, reverse=True)
        assert losses[-1] < losses[0]

    def test_it_ends_when_the_loss_no_longer_falls(self, X):
        model = turtle(max_iter=3000, tol=0.0125, inner_steps=1).fit(X)
        assert 1000 <= model.n_iter_ < 3000
        assert model.n_iter_ % 500 == 0
        means = model.loss_curve_.reshape(-1, 500).mean(axis=1)
        stalls = means[:-1] - means[1:] <= 0.0125 * np.log(4)
        assert stalls.tolist() == [False] * (len(stalls) - 1) + [True]

    def test_a_tol_of_0_makes_all_steps(self, X):
        assert turtle(max_iter=1100, tol=100, inner_steps=1).fit(X).n_iter_ == 1000
        assert turtle(max_iter=1100, tol=0, inner_steps=1).fit(X).n_iter_ == 1100

    @pytest.mark.parametrize("rounding", [-2e-16, 0.0, 2e-16])
    def test_one_cluster_needs_no_more_steps(self, X, monkeypatch, rounding):
        """Its loss is 0 from the start, up to a rounding error that may rise or fall."""
        losses = iter(np.linspace(rounding, -rounding, 1100))
        monkeypatch.setattr(Search, "step", lambda self, batch: next(losses))
        model = turtle(n_clusters=1, max_iter=1100, inner_steps=1)
        assert model.fit(X).n_iter_ == 1000
        losses = iter(np.linspace(rounding, -rounding, 1100))
        assert model.set_params(tol=0).fit(X).n_iter_ == 1100

    def test_verbose(self, X, capsys):
        turtle(max_iter=20, verbose=1).fit(X)
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 10
        assert lines[0].startswith("[turtle] 2 of 20 steps made, loss -")
        turtle(max_iter=3, verbose=1).fit(X)
        assert len(capsys.readouterr().out.splitlines()) == 3


class TestData:
    def test_one_cluster(self, X):
        model = turtle(n_clusters=1).fit(X)
        assert set(model.labels_) == {0}
        assert model.loss_ == 0
        assert model.score(X) == 0
        assert turtle(n_clusters=1).fit(X[:1]).n_found_ == 1

    def test_as_many_clusters_as_rows(self, X):
        """Rows that are far apart do not share a cluster, but for one that may be stuck."""
        rates = {"outer_learning_rate": 0.3, "inner_learning_rate": 0.01}
        assert turtle(n_clusters=5, max_iter=300, **rates).fit(X[:5]).n_found_ >= 4

    def test_rows_that_are_there_several_times_change_nothing(self, X):
        """Means over all rows are those of the distinct ones."""
        one, other = turtle().fit(X[:30]), turtle().fit(np.repeat(X[:30], 20, axis=0))
        np.testing.assert_allclose(one.coef_, other.coef_, rtol=1e-6)
        assert np.array_equal(np.repeat(one.labels_, 20), other.labels_)
        assert one.n_found_ > 1

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_a_share_of_0_gives_numbers(self, dtype):
        """A cluster that no row has any probability for adds nothing to the entropy."""
        random_state = np.random.default_rng(0)
        search, batch = search_of(random_state, [4], 2, dtype)
        search.train(batch)
        search.softmaxes[0] = [0, 0.25, 0.75]
        found, gradients = search.loss_and_gradients(batch)
        entropy = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75))
        expected = plain_cross_entropy(batch[0], search.classifiers[0], search.task) - 2 * entropy
        assert found == pytest.approx(expected, rel=1e-5)
        assert all(np.isfinite(gradient).all() for gradient in gradients)

    def test_what_is_too_large_is_told_and_loses_no_fit(self, X):
        """In float32, whose largest number is 3.4e38."""
        extreme = np.full((100, 5), 3e38, dtype=np.float32)
        extreme[0] = -3e38
        model = turtle(dtype="float32").fit(X)
        for rows, given in (
            (extreme, {}),
            (1e39 * X, {"scale_features": False}),
            (X, {"gamma": 1e39}),
        ):
            changed = clone(model).set_params(n_init=2, **given)
            with pytest.raises(ValueError, match="loss is no number of float32: features or"):
                changed.fit(rows)
        with pytest.raises(ValueError, match="too large"):
            model.fit(extreme)
        with pytest.raises(ValueError, match="n_samples=3 should be >= n_clusters=4"):
            model.fit(X[:3, :4])
        assert np.array_equal(model.predict(X), model.labels_)

    @pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "score"])
    def test_what_is_too_large_for_a_fit_is_told(self, X, method):
        X = X / 1000  # so that its weights are large
        huge = 1e308 * np.sign(X)
        twice, groups = side_by_side(X, X)
        of_two = turtle(feature_groups=groups).fit(twice)
        for rows, model in ((huge, turtle().fit(X)), (np.hstack([X, huge]), of_two)):
            with pytest.raises(ValueError, match="X has features too large for float64 and the"):
                getattr(model, method)(rows)

    def test_clusters_may_die(self, X):
        """The loss stays a number."""
        with pytest.warns(ConvergenceWarning, match="of 4 clusters have rows"):
            model = turtle(gamma=0.0, outer_learning_rate=10.0, max_iter=100, dtype="float32").fit(
                X
            )
        assert np.isfinite(model.loss_curve_).all()
        assert np.isfinite(model.loss_)
        assert np.isfinite(model.coef_).all()

    @pytest.mark.parametrize("batch_size", [50, 1000])
    @pytest.mark.parametrize("widths", [[5], [3, 2], [1, 2, 2]], ids=str)
    def test_float32_is_near_float64(self, X, widths, batch_size):
        _, groups = side_by_side(*np.split(X, np.cumsum(widths)[:-1], axis=1))
        one = turtle(batch_size=batch_size, feature_groups=groups).fit(X)
        other = turtle(batch_size=batch_size, feature_groups=groups, dtype="float32").fit(X)
        for ours, theirs in zip(one.coef_ + one.intercept_, other.coef_ + other.intercept_):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
        assert one.loss_ == pytest.approx(other.loss_, rel=1e-5)
        assert not np.array_equal(one.loss_curve_, other.loss_curve_)


class TestTogether:
    def test_in_a_pipeline_of_several_spaces(self, X):
        inner = turtle(feature_groups=[slice(0, 2), slice(2, 5)])
        model = make_pipeline(StandardScaler(), L2HClustering(inner)).fit(X)
        assert model[-1].children_.shape == (3, 2)
        assert np.array_equal(model.predict(X), model[-1].labels_)

    def test_a_search_over_the_number_of_clusters(self):
        """The normalised loss is lowest at the planted number."""
        X, y = make_blobs(300, n_features=50, centers=6, cluster_std=3.0, random_state=0)
        model = TURTLE(2, max_iter=100, outer_learning_rate=0.01, random_state=0)
        search = GridSearchCV(
            make_pipeline(StandardScaler(), L2HClustering(model)),
            {"l2hclustering__estimator__n_clusters": [2, 4, 6, 8]},
            cv=[(np.arange(300), np.arange(300))],
        ).fit(X)
        assert search.best_params_ == {"l2hclustering__estimator__n_clusters": 6}
        assert clustering_accuracy(y, search.predict(X)) == 1

    @pytest.mark.parametrize("seed", range(3))
    def test_held_out_rows_score_like_the_others(self, seed):
        """But not rows whose features have been shuffled: they belong to no cluster."""
        X = make_blobs(600, n_features=50, centers=6, cluster_std=3.0, random_state=seed)[0]
        model = TURTLE(6, max_iter=100, random_state=0).fit(X[:300])
        score = model.score(X[300:])
        assert score == pytest.approx(model.score(X[:300]), abs=0.1)
        assert model.score(np.random.default_rng(0).permuted(X[300:], axis=0)) < score - 0.4


def test_intents(real_data):
    """Features of unit length, as they come: most of 30 intents after a few steps."""
    data = real_data("clinc150_features.npz")
    rows = np.isin(data["y"], np.arange(30))
    X, y = data["X"][rows], data["y"][rows]
    model = TURTLE(30, max_iter=100, batch_size=500, random_state=0).fit(X)
    assert clustering_accuracy(y, model.labels_) > 0.6
    assert normalized_mutual_info_score(y, model.labels_) > 0.75


class TestBadInput:
    @pytest.mark.parametrize(
        ("parameters", "error", "message"),
        [
            ({"inner_steps": 0}, ValueError, "inner_steps must be at least 1, got 0"),
            ({"n_init": -1}, ValueError, "n_init must be at least 1, got -1"),
            ({"gamma": -1}, ValueError, "gamma must be finite and not negative, got -1"),
            ({"gamma": np.nan}, ValueError, "gamma must be finite and not negative, got nan"),
            ({"gamma": "auto"}, TypeError, "gamma must be a number, got 'auto'"),
            ({"tol": None}, TypeError, "tol must be a number, got None"),
            ({"tol": -1e-9}, ValueError, "tol must be finite and not negative, got -1e-09"),
            (
                {"outer_learning_rate": 0},
                ValueError,
                "outer_learning_rate must be finite and above 0, got 0",
            ),
            (
                {"inner_learning_rate": np.inf},
                ValueError,
                "inner_learning_rate must be finite and above 0, got inf",
            ),
            ({"warm_start_inner": 1}, TypeError, "warm_start_inner must be True or False, got 1"),
            ({"feature_groups": 3}, TypeError, "feature_groups must be a list of groups"),
            ({"feature_groups": "ab"}, TypeError, "feature_groups must be a list of groups"),
            ({"feature_groups": []}, ValueError, "feature_groups has no group"),
            ({"feature_groups": [[0], []]}, ValueError, r"feature_groups\[1\] has no columns"),
            ({"feature_groups": [slice(5, 9)]}, ValueError, r"feature_groups\[0\] has no columns"),
            ({"feature_groups": [0, 1]}, TypeError, r"feature_groups\[0\] must be a slice or a"),
            ({"feature_groups": [[0.5]]}, TypeError, r"feature_groups\[0\] must be a slice or a"),
            (
                {"feature_groups": [[0], [5]]},
                ValueError,
                r"feature_groups\[1\] does not fit 5 features",
            ),
            (
                {"feature_groups": [[True, False]]},
                ValueError,
                r"feature_groups\[0\] does not fit 5 features",
            ),
        ],
        ids=str,
    )
    def test_parameters(self, X, parameters, error, message):
        model = turtle(**parameters)
        with pytest.raises(error, match=message):
            model.fit(X)

    @pytest.mark.parametrize("groups", [None, [[0], [1]]])
    @pytest.mark.parametrize("kind", [tuple, list])
    @pytest.mark.parametrize(
        "change",
        [
            lambda X: [X],
            lambda X: [X, X],
            lambda X: [X[:, :2], X[:, 2:]],
            lambda X: [X, X[:, 0]],
            lambda X: [csr_matrix(X), csr_matrix(X)],
            lambda X: [X, pytest.importorskip("pandas").DataFrame(X)],
            lambda X: [pytest.importorskip("polars").DataFrame(X)],
        ],
    )
    def test_spaces_that_are_not_side_by_side(self, X, change, kind, groups):
        model, fitted, bad = turtle(feature_groups=groups), turtle().fit(X), kind(change(X))
        message = f"X is a {kind.__name__} of matrices, but TURTLE takes one: put their columns"
        with pytest.raises(ValueError, match=message):
            model.fit(bad)
        with pytest.raises(ValueError, match=message):
            fitted.predict(bad)

    def test_features_to_score(self, X):
        model = turtle().fit(X)
        for bad, message in (
            (X[:, 1:], "X has 4 features, but TURTLE is expecting 5"),
            (np.where(X[3, 2] == X, np.nan, X), "Input X contains NaN"),
        ):
            with pytest.raises(ValueError, match=message):
                model.score(bad)

    def test_an_unfitted_model_has_no_score(self, X):
        model = turtle()
        with pytest.raises(NotFittedError):
            model.score(X)
