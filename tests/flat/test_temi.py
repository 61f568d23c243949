"""TEMI computes what its equations say, and is a clusterer like any other."""

from fractions import Fraction
from functools import partial
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.flat_models import temi
from helpers.plain_descent import PlainAdam
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import normalized_mutual_info_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skl2h import L2HClustering
from skl2h.flat import neighbors, temi_heads
from skl2h.flat.feature_spaces import Space
from skl2h.flat.neighbors import cosine_neighbors
from skl2h.flat.temi_heads import Head, learn, schedule
from skl2h.flat.temi_networks import SHORTEST, Network
from skl2h.metrics import clustering_accuracy, dendrogram_purity, make_tree_scorer

# Short searches do not always use all clusters.
pytestmark = pytest.mark.filterwarnings("ignore:Only .* of .* clusters have rows")

# Plain evaluations: of real numbers, or of complex ones, for `slopes_of`.


def plain_softmax(logits):
    powers = np.exp(logits - logits.real.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def plain_logits(Z, parameters):
    """Logits of rows that end in a 1, from layers, directions and lengths."""
    *layers, directions, lengths = parameters
    values = Z[:, :-1]
    for number, weights in enumerate(layers):
        if number > 0:
            inner = np.sqrt(2 / np.pi) * (values + 0.044715 * values**3)
            values = 0.5 * values * (1 + np.tanh(inner))
        values = np.einsum("nd,hd->nh", values, weights[:, :-1]) + weights[:, -1]
    logits = np.empty((len(values), len(lengths)), values.dtype)
    for n, row in enumerate(values):
        norm = np.sqrt(np.sum(row**2))
        unit = row / (norm if norm.real > SHORTEST else SHORTEST)
        for k, (v, g) in enumerate(zip(directions, lengths)):
            logits[n, k] = np.sum(g * v / np.sqrt(np.sum(v**2)) * unit)
    return logits


def plain_loss(parameters, Z, teachings, pair_weights, prior, beta, temperature):
    """Mean over the pairs, and over the same turned round, of a student's loss."""
    students = plain_softmax(plain_logits(Z, parameters) / temperature)
    n_pairs, total = len(Z) // 2, 0.0
    for pair, weight in enumerate(pair_weights):
        for one, other in ((pair, n_pairs + pair), (n_pairs + pair, pair)):
            joint = sum(
                (s * t) ** beta / p for s, t, p in zip(students[one], teachings[other], prior)
            )
            total = total - weight * np.log(joint) / 2
    return total / n_pairs


def slopes_of(function, parameters, step=1e-100):
    """Gradients by central differences in the imaginary direction, where nothing cancels."""
    values = [array.astype(complex) for array in parameters]
    gradients = [np.empty(array.shape) for array in parameters]
    for array, gradient in zip(values, gradients):
        for place in np.ndindex(array.shape):
            array[place] += step * 1j
            gradient[place] = function(values).imag / step
            array[place] = array[place].real
    return gradients


LAYERS = [(5,), (4, 3), (4, 3, 2)]


def random_parameters(random_state, sizes, n_clusters, *, biases=1.0):
    """As after some steps: no bias is 0, no direction or length 1."""
    parameters = [
        random_state.standard_normal((n_outputs, n_inputs + 1))
        for n_inputs, n_outputs in pairwise(sizes)
    ]
    for weights in parameters:
        weights[:, -1] *= biases
    lengths = random_state.uniform(0.5, 2, n_clusters)
    return [*parameters, random_state.standard_normal((n_clusters, sizes[-1])), lengths]


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("layers", LAYERS, ids=str)
@pytest.mark.parametrize("seed", range(3))
class TestGradients:
    def rows(self, random_state, short):
        """Rows of which, without biases, some have outputs that are not made unit length."""
        Z = np.ones((8, 4))
        Z[:, :-1] = random_state.standard_normal((8, 3))
        if short:
            Z[::2, :-1] *= 1e-5
        return Z

    def test_of_a_network(self, seed, layers, short):
        """Of any function of the logits."""
        random_state = np.random.default_rng(seed)
        Z = self.rows(random_state, short)
        parameters = random_parameters(random_state, (3, *layers), 4, biases=not short)
        slopes = random_state.standard_normal((8, 4))
        network = Network(parameters)
        logits, trace = network.trace(Z)
        np.testing.assert_allclose(logits, plain_logits(Z, parameters), rtol=1e-12, atol=1e-14)
        assert np.array_equal(network.logits(Z), logits)
        lengths = np.linalg.norm(logits, axis=1)
        assert short == (lengths.min() < 0.1 * lengths.max())
        gradients = network.gradients(slopes.copy(), trace)
        expected = slopes_of(lambda values: np.sum(slopes * plain_logits(Z, values)), parameters)
        assert len(gradients) == len(parameters)
        for ours, theirs in zip(gradients, expected):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12 * np.abs(theirs).max())

    def test_of_a_head(self, seed, layers, short):
        """Weights, prior and teacher are taken as they are."""
        random_state = np.random.default_rng(seed)
        Z = self.rows(random_state, short)
        head = Head((3, *layers), 4, random_state, np.float64)
        head.student = Network(random_parameters(random_state, (3, *layers), 4, biases=not short))
        head.prior = random_state.dirichlet(np.ones(4))
        labels = random_state.dirichlet(np.ones(4), size=8)
        pair_weights = random_state.random(4)
        loss, gradients = head.loss_and_gradients(
            Z,
            np.log(np.roll(labels, 4, axis=0)),
            np.tile(pair_weights, 2),
            SimpleNamespace(beta=0.7, temperature=0.3),
        )
        plain = partial(
            plain_loss, Z=Z, teachings=labels, pair_weights=pair_weights, prior=head.prior,
            beta=0.7, temperature=0.3,
        )  # fmt: skip
        assert loss == pytest.approx(plain(head.student.parameters), rel=1e-12)
        for ours, theirs in zip(gradients, slopes_of(plain, head.student.parameters)):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12 * np.abs(theirs).max())


def plain_neighbors(X, n_neighbors):
    """Other rows of the largest cosine, the nearest first; that with a row of zeros is 0."""
    found = np.empty((len(X), n_neighbors), int)
    norms = np.sqrt((X**2).sum(axis=1))
    for n, row in enumerate(X):
        cosines = X @ row / np.where(norms * norms[n] > 0, norms * norms[n], 1)
        order = np.argsort(-cosines, kind="stable")
        found[n] = order[order != n][:n_neighbors]
    return found


def plain_temi(X, given):
    """A search in float64: drawn in the same order, computed in other ways.

    Gives the parameters of each teacher, and the losses of each step.
    """
    K, n_steps = given["n_clusters"], given["max_iter"]
    n_pairs = min(given["batch_size"], len(X))
    entropy = np.random.RandomState(given["random_state"]).randint(2**31 - 1, size=4).tolist()
    random_state = np.random.default_rng(entropy)
    students = []
    for _ in range(given["n_heads"]):
        sizes, parameters = [X.shape[1], *given["hidden_layer_sizes"]], []
        for n_inputs, n_outputs in pairwise(sizes):
            drawn = random_state.standard_normal((n_outputs, n_inputs)).clip(-2, 2)
            weights = drawn / np.sqrt(n_inputs)
            parameters.append(np.column_stack([weights, np.zeros(n_outputs)]))
        parameters += [random_state.standard_normal((K, sizes[-1])), np.ones(K)]
        students.append(parameters)
    teachers = [[values.copy() for values in parameters] for parameters in students]
    adams = [PlainAdam([]) for _ in students]
    priors = [np.full(K, 1 / K) for _ in students]

    if given["scale_features"]:
        X = (X - X.mean(axis=0)) / np.sqrt(X.var(axis=0).mean())
    n_neighbors = min(given["n_neighbors"], len(X) // (2 * K))
    found = plain_neighbors(X, n_neighbors)
    of_rows = np.random.default_rng(random_state.integers(2**63))
    batches = [
        of_rows.choice(len(X), n_pairs, replace=False, shuffle=False) for _ in range(n_steps)
    ]
    curves = []
    for step, rows in enumerate(batches):
        others = [
            found[row, i] for row, i in zip(rows, random_state.integers(n_neighbors, size=n_pairs))
        ]
        Z = np.column_stack([X[[*rows, *others]], np.ones(2 * n_pairs)])
        teachings = [
            plain_softmax(plain_logits(Z, parameters) / given["temperature"])
            for parameters in teachers
        ]
        pair_weights = np.mean([(t[:n_pairs] * t[n_pairs:]).sum(axis=1) for t in teachings], axis=0)
        share = step / n_steps
        least = min(given["teacher_momentum"], 1 - temi_heads.MEMORIES / n_steps)
        momentum = least + (1 - least) * (1 - np.cos(np.pi * share)) / 2
        rate, n_warm = given["learning_rate"] * n_pairs / 256, given["warmup"] * n_steps
        if step < n_warm:
            rate *= (step + 1) / (n_warm + 1)
        else:
            rate *= (1 + np.cos(np.pi * (step - n_warm) / (n_steps - n_warm))) / 2
        curves.append([])
        for number, (student, t) in enumerate(zip(students, teachings)):
            kept = given["prior_momentum"]
            priors[number] = kept * priors[number] + (1 - kept) * t.mean(axis=0)
            loss = partial(
                plain_loss, Z=Z, teachings=t, pair_weights=pair_weights, prior=priors[number],
                beta=given["beta"], temperature=given["temperature"],
            )  # fmt: skip
            curves[-1].append(loss(student))
            gradients = slopes_of(loss, student)
            for values in [*(weights[:, :-1] for weights in student[:-2]), *student[-2:]]:
                values -= rate * given["weight_decay"] * values
            adams[number].learning_rates = [rate] * len(student)
            adams[number].step(student, gradients)
            for ours, theirs in zip(teachers[number], student):
                ours[...] = momentum * ours + (1 - momentum) * theirs

    rows = sorted({row for batch in batches for row in batch})
    drawn = random_state.integers(n_neighbors, size=len(rows))
    others = [found[row, i] for row, i in zip(rows, drawn)]
    labels = []
    for parameters in teachers:
        Z = np.column_stack([X[[*rows, *others]], np.ones(2 * len(rows))])
        labels.append(plain_softmax(plain_logits(Z, parameters) / given["temperature"]))
    losses = np.zeros(len(teachers))
    for number, t in enumerate(labels):
        prior = t.mean(axis=0)
        for i in range(len(rows)):
            weight = np.mean([(other[i] * other[len(rows) + i]).sum() for other in labels])
            shared = ((t[i] * t[len(rows) + i]) ** given["beta"] / prior).sum()
            losses[number] -= weight * np.log(shared) / len(rows)
    return teachers, np.array(curves), losses


@pytest.mark.parametrize(
    ("layers", "others"),
    [
        ((3,), {"batch_size": 7, "warmup": 0.5}),
        ((3,), {"batch_size": 7, "warmup": 0.0, "prior_momentum": 0.0, "random_state": 3}),
        ((4, 3), {"batch_size": 5, "weight_decay": 30.0, "scale_features": False}),
        ((3, 3, 2), {"batch_size": 1000, "warmup": 1.0, "beta": 1.0, "n_heads": 1}),
    ],
    ids=str,
)  # fmt: skip
def test_a_search_equals_a_plain_evaluation(X, monkeypatch, layers, others):
    monkeypatch.setattr(
        temi_heads, "MEMORIES", 1
    )  # so that the momentum is not that of short searches
    rows = X[:24]
    model = temi(
        n_clusters=3, hidden_layer_sizes=layers, max_iter=6, n_neighbors=3, learning_rate=5.0,
        weight_decay=3.0, teacher_momentum=0.4, temperature=0.3, n_heads=2,
    ).set_params(**others).fit(rows)  # fmt: skip
    teachers, curves, losses = plain_temi(rows, model.get_params())
    best = losses.argmin()
    np.testing.assert_allclose(model.loss_curve_, curves[:, best], rtol=1e-9)
    assert model.loss_ == pytest.approx(losses[best], rel=1e-9)
    *first, directions, lengths = teachers[best]
    unscaled = rows
    if model.scale_features:
        unscaled = (rows - rows.mean(axis=0)) / np.sqrt(rows.var(axis=0).mean())
    logits = plain_logits(np.column_stack([unscaled, np.ones(24)]), teachers[best]) / 0.3
    np.testing.assert_allclose(model.predict_proba(rows), plain_softmax(logits), rtol=1e-6)
    assert np.array_equal(model.labels_, logits.argmax(axis=1))
    for coef, intercept, weights in list(zip(model.coefs_, model.intercepts_, first))[1:]:
        np.testing.assert_allclose(coef, weights[:, :-1], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(intercept, weights[:, -1], rtol=1e-6, atol=1e-9)
    centers = (
        lengths[:, np.newaxis] * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    )
    np.testing.assert_allclose(model.cluster_centers_, centers / 0.3, rtol=1e-6)


class TestSchedule:
    @pytest.mark.parametrize("warmup", [0, 0.1, 0.5, 1])
    @pytest.mark.parametrize("n_steps", [1, 2, 7, 200])
    def test_of_learning_rates(self, n_steps, warmup):
        """They rise to what the batch asks for, and then fall by half a cosine, almost to 0."""
        model = temi(max_iter=n_steps, warmup=warmup, learning_rate=0.2)
        rates = np.array([schedule(model, step, 64)[0] for step in range(n_steps)])
        rising = np.arange(n_steps) < warmup * n_steps
        peak = 0.2 * 64 / 256
        assert (rates > 0).all()
        assert (rates[rising] < peak).all()
        np.testing.assert_allclose(np.diff(rates[rising], 2), 0, atol=1e-12)  # by equal steps
        assert (np.diff(rates[rising], prepend=0) > 0).all()
        falling = rates[~rising]
        assert (np.diff(falling) < 0).all()
        if warmup == 0:
            assert falling[0] == peak
        if warmup < 1 and n_steps == 200:
            assert falling[0] == pytest.approx(peak, rel=1e-3)
            assert falling[len(falling) // 2] == pytest.approx(peak / 2, rel=0.03)
            assert falling[-1] < 1e-3 * peak
        assert rising.all() == (warmup == 1 or (n_steps == 1 and warmup > 0))

    @pytest.mark.parametrize(
        ("n_steps", "momentum", "first"),
        [
            (1, 0.996, 0), (50, 0.996, 0), (100, 0.996, 0.5), (100, 0.3, 0.3), (100, 1, 0.5),
            (100, 0, 0), (1000, 0.94, 0.94), (1000, 1, 0.95), (100_000, 0.996, 0.996),
        ],
    )  # fmt: skip
    def test_of_the_momentum(self, n_steps, momentum, first):
        """It rises from where 50 steps or more are remembered at the most, to 1."""
        model = temi(max_iter=n_steps, teacher_momentum=momentum)
        steps = np.linspace(0, n_steps - 1, min(n_steps, 100)).astype(int)
        found = np.array([schedule(model, step, 64)[1] for step in steps])
        assert found[0] == pytest.approx(first, abs=1e-12)
        expected = first + (1 - first) * np.sin(np.pi / 2 * steps / n_steps) ** 2
        np.testing.assert_allclose(found, expected, atol=1e-12)
        assert (found < 1).all()

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("name", ["warmup", "teacher_momentum", "prior_momentum"])
    @pytest.mark.parametrize("share", [0, 1])
    def test_shares_of_all_and_nothing(self, X, name, share, dtype):
        """No division by 0, and something is learned."""
        model = temi(dtype=dtype, max_iter=60, **{name: share}).fit(X)
        assert np.isfinite(model.loss_curve_).all()
        assert model.loss_ < model.loss_curve_[0]

    def test_one_step(self, X):
        for warmup in (0, 1):
            model = temi(max_iter=1, warmup=warmup).fit(X)
            assert model.loss_curve_.shape == (1,)
            assert model.n_iter_ == 1


def random_space(random_state, n_rows, dtype=np.float64, *, centre=True):
    space = Space((5 + random_state.standard_normal((n_rows, 3))).astype(dtype))
    if centre:
        space.centre_and_scale()
    return space


class TestNeighbors:
    @pytest.mark.parametrize("n_neighbors", [1, 4, 22])
    @pytest.mark.parametrize("blocks", [(3, 4), (100, 1), (1, 100), (100, 100)], ids=str)
    @pytest.mark.parametrize("centre", [True, False])
    def test_equal_a_sort_of_all_cosines(self, monkeypatch, centre, blocks, n_neighbors):
        """However many rows are compared at once, and whichever are asked for."""
        monkeypatch.setattr(neighbors, "QUERY_ROWS", blocks[0])
        monkeypatch.setattr(neighbors, "INDEX_ROWS", blocks[1])
        space = random_space(np.random.default_rng(0), 23, centre=centre)
        expected = plain_neighbors((space.matrix - space.centre) / space.scale, n_neighbors)
        for rows in (np.arange(23), np.array([2, 3, 7, 22]), np.array([11])):
            found = cosine_neighbors(space, rows, n_neighbors)
            assert found.dtype == np.int32
            assert np.array_equal(found, expected[rows])

    @pytest.mark.parametrize("blocks", [(3, 4), (100, 100)], ids=str)
    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
    def test_of_rows_that_are_there_several_times(self, monkeypatch, dtype, blocks):
        """A row is no neighbour of itself, and its doubles are."""
        monkeypatch.setattr(neighbors, "QUERY_ROWS", blocks[0])
        monkeypatch.setattr(neighbors, "INDEX_ROWS", blocks[1])
        random_state = np.random.default_rng(0)
        distinct = (100 * random_state.standard_normal((5, 3))).astype(dtype)
        number = random_state.permutation(np.repeat(np.arange(5), 4))
        space = Space(distinct[number])
        space.centre_and_scale()
        found = cosine_neighbors(space, np.arange(20), 6)
        assert (found != np.arange(20)[:, np.newaxis]).all()
        assert all(len(set(others)) == 6 for others in found)
        assert (number[found[:, :3]] == number[:, np.newaxis]).all()
        assert (number[found[:, 3:]] != number[:, np.newaxis]).all()

    def test_of_equal_rows(self):
        space = Space(np.full((9, 2), 0.1))
        space.centre_and_scale()
        found = cosine_neighbors(space, np.arange(9), 8)
        assert [sorted({*others, n}) for n, others in enumerate(found)] == [list(range(9))] * 9

    @pytest.mark.parametrize("blocks", [(3, 4), (100, 100)], ids=str)
    def test_of_rows_of_zeros(self, monkeypatch, blocks):
        """They are at right angles to others, nearer than what points away, and near each other."""
        monkeypatch.setattr(neighbors, "QUERY_ROWS", blocks[0])
        monkeypatch.setattr(neighbors, "INDEX_ROWS", blocks[1])
        rows = np.random.default_rng(0).standard_normal((20, 3))
        rows[[2, 9, 17]] = 0
        found = cosine_neighbors(Space(rows), np.arange(20), 18)
        norms = np.linalg.norm(rows, axis=1)
        units = rows / np.where(norms > 0, norms, 1)[:, np.newaxis]
        expected = plain_neighbors(rows, 18)
        for n in np.flatnonzero(norms):
            ours, theirs = units[found[n]] @ units[n], units[expected[n]] @ units[n]
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)
        assert [set(found[n][:2]) for n in (2, 9, 17)] == [{9, 17}, {2, 17}, {2, 9}]

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_lengths_do_not_matter(self, dtype):
        """Not even those whose squares are too large or too small for the dtype."""
        random_state = np.random.default_rng(0)
        rows = random_state.standard_normal((30, 3)).astype(dtype)
        found = cosine_neighbors(Space(rows), np.arange(30), 5)
        longer = rows * (10 ** random_state.uniform(-30, 30, (30, 1))).astype(dtype)
        assert np.array_equal(cosine_neighbors(Space(longer), np.arange(30), 5), found)

    @pytest.mark.parametrize(
        ("n_rows", "n_clusters", "asked", "most"),
        [
            (120, 4, 50, 15),
            (120, 4, 7, 7),
            (7, 4, 50, 1),
            (2, 2, 50, 1),
            (2, 1, 50, 1),
            (9, 1, 9, 4),
        ],
    )
    def test_no_more_than_half_of_a_cluster(self, monkeypatch, X, n_rows, n_clusters, asked, most):
        seen = []

        def spy(space, rows, n_neighbors):
            seen.append((len(rows), n_neighbors))
            return cosine_neighbors(space, rows, n_neighbors)

        monkeypatch.setattr(neighbors, "cosine_neighbors", spy)
        temi(n_clusters=n_clusters, n_neighbors=asked, max_iter=1).fit(X[:n_rows])
        assert seen == [(n_rows, most)]

    def test_of_drawn_rows_only(self, monkeypatch, X):
        """Neighbours that no batch needs are not looked for."""
        seen = []

        def spy(space, rows, n_neighbors):
            seen.extend(rows)
            return cosine_neighbors(space, rows, n_neighbors)

        monkeypatch.setattr(neighbors, "cosine_neighbors", spy)
        temi(max_iter=3, batch_size=10).fit(X)
        assert 10 <= len(seen) <= 30
        assert seen == sorted(set(seen))


class TestScale:
    def test_standardised_features_are_taken_as_they_are(self, X):
        X = StandardScaler().fit_transform(np.column_stack([X, np.full(len(X), 7.0)]))
        one, other = temi().fit(X), temi(scale_features=False).fit(X)
        np.testing.assert_allclose(one.loss_curve_, other.loss_curve_, rtol=1e-9)

    def test_the_origin_matters_where_it_is_taken_as_it_is(self, X):
        """Cosines are those from it."""
        one, other = (temi(scale_features=False).fit(rows) for rows in (X, X + 100))
        assert not np.allclose(one.loss_curve_, other.loss_curve_, rtol=1e-2)


class TestFit:
    def test_attributes(self, X):
        model = temi(hidden_layer_sizes=[8, 6], max_iter=40).fit(X)
        assert model.labels_.shape == (120,)
        assert model.labels_.dtype == np.intp
        assert [coef.shape for coef in model.coefs_] == [(8, 5), (6, 8)]
        assert [intercept.shape for intercept in model.intercepts_] == [(8,), (6,)]
        assert model.cluster_centers_.shape == (4, 6)
        assert model.loss_curve_.shape == (40,)
        assert model.n_iter_ == 40
        assert model.n_neighbors_ == 120 // 8
        assert model.n_features_in_ == 5
        assert model.n_found_ == len(set(model.labels_)) > 1
        assert -np.log(4) <= model.loss_ < 0
        for values in (*model.coefs_, *model.intercepts_, model.cluster_centers_):
            assert values.dtype == np.float64

    @pytest.mark.parametrize("layers", LAYERS, ids=str)
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_predictions_are_of_the_attributes(self, X, dtype, layers):
        """Layers with a GELU between two, unit length, and centres over the temperature."""
        model = temi(dtype=dtype, hidden_layer_sizes=layers, learning_rate=0.5).fit(X)
        values = X
        for number, (coef, intercept) in enumerate(zip(model.coefs_, model.intercepts_)):
            if number > 0:
                inner = np.sqrt(2 / np.pi) * (values + 0.044715 * values**3)
                values = 0.5 * values * (1 + np.tanh(inner))
            values = values @ coef.T + intercept
        units = values / np.maximum(np.sqrt((values**2).sum(axis=1, keepdims=True)), SHORTEST)
        expected = plain_softmax(units @ model.cluster_centers_.T)
        np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-9)

    def test_logarithms_do_not_underflow(self, X):
        """Where probabilities do: they are the logits but for a number for each row."""
        model = temi(temperature=1e-4, dtype="float32").fit(X)
        logarithms, proba = model.predict_log_proba(X), model.predict_proba(X)
        assert np.isfinite(logarithms).all()
        assert logarithms.min() < -800
        assert proba.min() == 0
        hidden = X @ model.coefs_[0].T + model.intercepts_[0]
        logits = hidden / np.linalg.norm(hidden, axis=1, keepdims=True) @ model.cluster_centers_.T
        best = model.labels_[:, np.newaxis]
        away = logarithms - np.take_along_axis(logarithms, best, axis=1)
        expected = logits - np.take_along_axis(logits, best, axis=1)
        np.testing.assert_allclose(away, expected, rtol=1e-9, atol=1e-9)

    @pytest.mark.parametrize("kind", [np.float64, np.float32, Fraction])
    def test_numbers_of_any_type_are_their_value(self, X, kind):
        """They do not change the dtype of the search either."""
        names = ["beta", "temperature", "learning_rate", "warmup", "weight_decay"]
        names += ["teacher_momentum", "prior_momentum"]
        values = [0.5, 0.25, 0.0625, 0.25, 0.125, 0.125, 0.75]  # which all types have
        given = dict(zip(names, values))
        plain = temi(dtype="float32", max_iter=60, n_heads=1, **given).fit(X)
        for name, value in zip(names, values):
            model = clone(plain).set_params(**{name: kind(value)}).fit(X)
            assert np.array_equal(model.loss_curve_, plain.loss_curve_), name
            assert np.array_equal(model.predict_proba(X), plain.predict_proba(X)), name

    def test_counts_of_narrow_types_are_their_value(self):
        X = make_blobs(300, n_features=3, random_state=0)[0]
        counts = {"n_clusters": 130, "n_neighbors": 5, "n_heads": 1, "max_iter": 30}
        counts["batch_size"] = 200
        plain = temi(**counts).fit(X)
        model = temi(**{name: np.uint8(count) for name, count in counts.items()}, verbose=1).fit(X)
        assert np.array_equal(model.loss_curve_, plain.loss_curve_)
        assert np.array_equal(model.labels_, plain.labels_)

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_sizes_of_narrow_types_are_their_value(self, X, dtype):
        plain = temi(hidden_layer_sizes=(255, 16), max_iter=3, dtype=dtype).fit(X)
        sizes = np.array([255, 16], np.uint8)
        model = temi(hidden_layer_sizes=sizes, max_iter=3, dtype=dtype).fit(X)
        assert np.array_equal(model.loss_curve_, plain.loss_curve_)
        one = temi(n_clusters=1, n_neighbors=np.int8(127), max_iter=2)
        assert one.fit(np.vstack([X, X, X])).n_neighbors_ == 127

    def test_verbose(self, X, capsys):
        temi(max_iter=20).fit(X)
        assert capsys.readouterr().out == ""
        temi(max_iter=20, verbose=1).fit(X)
        first, *lines = capsys.readouterr().out.splitlines()
        assert first == "[temi] neighbours found of 120 rows"
        assert len(lines) == 10
        assert lines[0].startswith("[temi] 2 of 20 steps made, loss -")
        temi(max_iter=3, verbose=1).fit(X)
        assert len(capsys.readouterr().out.splitlines()) == 4


class TestData:
    def test_one_cluster(self, X):
        model = temi(n_clusters=1).fit(X)
        assert set(model.labels_) == {0}
        assert model.loss_ == 0
        assert (model.predict_proba(X) == 1).all()
        assert temi(n_clusters=1).fit(X[:2]).n_found_ == 1

    @pytest.mark.parametrize("n_rows", [2, 3, 5])
    def test_as_many_clusters_as_rows(self, X, n_rows):
        model = temi(n_clusters=n_rows).fit(X[:n_rows])
        assert np.isfinite(model.loss_curve_).all()
        np.testing.assert_allclose(model.predict_proba(X[:n_rows]).sum(axis=1), 1, rtol=1e-12)

    def test_rows_that_are_there_several_times_share_a_cluster(self, X):
        model = temi().fit(np.repeat(X[:30], 20, axis=0))
        labels = model.labels_.reshape(30, 20)
        assert (labels == labels[:, :1]).all()
        assert model.n_found_ > 1

    def test_constant_columns(self, X):
        """Beside others they are in no one's way."""
        y = make_blobs(120, n_features=5, centers=4, random_state=0)[1]
        X = np.column_stack([np.full(120, 0.1), X, np.full(120, -1e6)])
        model = temi(max_iter=100).fit(X)
        assert clustering_accuracy(y, model.labels_) == 1
        assert np.array_equal(model.predict(X), model.labels_)

    def test_what_is_too_large_is_told_and_loses_no_fit(self, X):
        """In float32, whose largest number is 3.4e38."""
        model = temi(dtype="float32").fit(X)
        for rows, given in (
            (1e39 * X, {"scale_features": False}),
            (1e25 * X, {"scale_features": False}),
            (1e25 * X, {"scale_features": False, "hidden_layer_sizes": (4, 3)}),
            (X, {"learning_rate": 1e39}),
            (X, {"learning_rate": 1e300, "max_iter": 1}),
        ):
            changed = clone(model).set_params(**given)
            with pytest.raises(ValueError, match="loss is no number of float32: features or"):
                changed.fit(rows)
        extreme = np.full((100, 5), 3e38, dtype=np.float32)
        extreme[0] = -3e38
        for rows, name in ((extreme, "float32"), (1e308 * np.sign(X), "float64")):
            with pytest.raises(ValueError, match=f"X has features too large for {name}: divide"):
                model.fit(rows)
        with pytest.raises(ValueError, match="n_samples=3 should be >= n_clusters=4"):
            model.fit(X[:3, :4])
        assert model.n_features_in_ == 5
        assert np.array_equal(model.predict(X), model.labels_)

    @pytest.mark.parametrize("layers", LAYERS, ids=str)
    @pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba"])
    def test_what_is_too_large_for_a_fit_is_told(self, X, method, layers):
        model = temi(hidden_layer_sizes=layers).fit(X)
        for factor in (1e160, 1e200, 1e307):
            far = factor * np.sign(X)
            with pytest.raises(ValueError, match="X has features too large for float64 and the"):
                getattr(model, method)(far)

    def test_rows_far_away_have_a_direction(self, X):
        """As long as the squares of the outputs are numbers."""
        model = temi().fit(X)
        far = model.predict_log_proba(1e100 * X)
        np.testing.assert_allclose(far, model.predict_log_proba(1e50 * X), rtol=1e-9)

    def test_clusters_may_die(self, X):
        """The loss stays a number."""
        model = temi(n_clusters=9, learning_rate=10.0, max_iter=50, dtype="float32")
        with pytest.warns(ConvergenceWarning, match="of 9 clusters have rows"):
            model.fit(X)
        assert np.isfinite(model.loss_curve_).all()
        assert all(np.isfinite(coef).all() for coef in model.coefs_)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_a_share_of_0_gives_numbers(self, dtype):
        """Of a cluster that no row has any probability for."""
        random_state = np.random.default_rng(0)
        trained = Head((3, 4), 3, random_state, dtype)
        trained.teacher.directions[:] = np.eye(3, 4)
        trained.teacher.layers[0][:] = 0
        trained.teacher.layers[0][:2, :2] = np.eye(2)  # nothing points to the last cluster
        Z = np.ones((8, 4), dtype)
        Z[:, :-1] = np.abs(random_state.standard_normal((8, 3)))
        parameters = SimpleNamespace(
            beta=0.6, temperature=1e-4, weight_decay=0.0, prior_momentum=0.0
        )
        with np.errstate(over="ignore"):
            [loss] = learn([trained], Z, parameters, 0.1, 0.5)
        assert trained.prior[2] == 0
        assert np.isfinite(loss)
        assert all(np.isfinite(values).all() for values in trained.student.parameters)

    @pytest.mark.parametrize("batch_size", [50, 1000])
    def test_float32_is_near_float64(self, X, batch_size):
        one = temi(batch_size=batch_size).fit(X)
        other = temi(batch_size=batch_size, dtype="float32").fit(X)
        np.testing.assert_allclose(one.loss_curve_, other.loss_curve_, rtol=1e-3)
        assert not np.array_equal(one.loss_curve_, other.loss_curve_)
        assert np.array_equal(one.labels_, other.labels_)


class TestQuality:
    @pytest.mark.parametrize("seed", range(3))
    def test_blobs(self, seed):
        X, y = make_blobs(300, n_features=10, centers=5, random_state=seed)
        model = temi(
            n_clusters=5, max_iter=200, hidden_layer_sizes=(16,), learning_rate=0.02,
            dtype="float32", random_state=seed,
        ).fit(X)  # fmt: skip
        assert clustering_accuracy(y, model.labels_) == 1

    @pytest.mark.parametrize("seed", range(2))
    def test_digits(self, seed):
        """More than centres find."""
        X, y = load_digits(return_X_y=True)
        model = temi(
            n_clusters=10, max_iter=200, hidden_layer_sizes=(64,), learning_rate=0.01,
            dtype="float32", random_state=seed,
        ).fit(X)  # fmt: skip
        of_centers = KMeans(10, n_init=3, random_state=seed).fit_predict(X)
        found = clustering_accuracy(y, model.labels_)
        assert found > clustering_accuracy(y, of_centers) + 0.03
        assert found > 0.82

    def test_rings(self):
        """Two on a ball, one above the other: no centres tell them apart, neighbours do."""
        random_state = np.random.default_rng(0)
        angles, y = random_state.uniform(0, 2 * np.pi, 200), np.arange(200) % 2
        X = np.column_stack([np.cos(angles), np.sin(angles), y - 0.5])
        X += 0.05 * random_state.standard_normal((200, 3))
        model = temi(
            n_clusters=2, n_neighbors=10, n_heads=6, hidden_layer_sizes=(32, 16), max_iter=200,
            learning_rate=0.02, dtype="float32",
        ).fit(X)  # fmt: skip
        of_centers = KMeans(2, n_init=3, random_state=0).fit_predict(X)
        assert clustering_accuracy(y, of_centers) < 0.6
        assert clustering_accuracy(y, model.labels_) == 1

    def test_intents(self, real_data):
        """Features of unit length, as they come: most of 15 intents after a few steps."""
        data = real_data("clinc150_features.npz")
        rows = np.isin(data["y"], np.arange(15))
        X, y = data["X"][rows], data["y"][rows]
        model = temi(
            n_clusters=15, max_iter=150, hidden_layer_sizes=(64,), learning_rate=0.01,
            dtype="float32",
        ).fit(X)  # fmt: skip
        assert clustering_accuracy(y, model.labels_) > 0.7
        assert normalized_mutual_info_score(y, model.labels_) > 0.85


class TestTogether:
    def test_in_a_pipeline(self, X):
        model = make_pipeline(StandardScaler(), L2HClustering(temi())).fit(X)
        assert model[-1].children_.shape == (3, 2)
        assert np.array_equal(model.predict(X), model[-1].labels_)

    def test_a_search_over_the_number_of_clusters(self):
        """Too few clusters leave classes together."""
        X, y = make_blobs(200, n_features=10, centers=6, random_state=0)
        inner = temi(max_iter=100, hidden_layer_sizes=(32,), learning_rate=0.02, random_state=3)
        search = GridSearchCV(
            make_pipeline(StandardScaler(), L2HClustering(inner)),
            {"l2hclustering__estimator__n_clusters": [4, 6]},
            scoring=make_tree_scorer(dendrogram_purity),
            cv=2,
        ).fit(X, y)
        assert search.best_params_ == {"l2hclustering__estimator__n_clusters": 6}


class TestBadInput:
    @pytest.mark.parametrize(
        ("parameters", "error", "message"),
        [
            *(
                case
                for name in ("n_neighbors", "n_heads")
                for case in (
                    ({name: 0}, ValueError, f"{name} must be at least 1, got 0"),
                    ({name: -3}, ValueError, f"{name} must be at least 1, got -3"),
                    ({name: 2.0}, TypeError, f"{name} must be an integer, got 2.0"),
                    ({name: True}, TypeError, f"{name} must be an integer, got True"),
                    ({name: None}, TypeError, f"{name} must be an integer, got None"),
                )
            ),
            *(
                case
                for name in ("beta", "temperature", "learning_rate")
                for case in (
                    ({name: 0}, ValueError, f"{name} must be finite and above 0, got 0"),
                    ({name: -1}, ValueError, f"{name} must be finite and above 0, got -1"),
                    ({name: np.inf}, ValueError, f"{name} must be finite and above 0, got inf"),
                    ({name: np.nan}, ValueError, f"{name} must be finite and above 0, got nan"),
                    ({name: "auto"}, TypeError, f"{name} must be a number, got 'auto'"),
                )
            ),
            *(
                case
                for name in ("warmup", "teacher_momentum", "prior_momentum")
                for case in (
                    ({name: 1.01}, ValueError, f"{name} must not be above 1, got 1.01"),
                    ({name: -0.1}, ValueError, f"{name} must be finite and not negative, got -0.1"),
                    (
                        {name: np.nan},
                        ValueError,
                        f"{name} must be finite and not negative, got nan",
                    ),
                    ({name: None}, TypeError, f"{name} must be a number, got None"),
                    ({name: True}, TypeError, f"{name} must be a number, got True"),
                )
            ),
            (
                {"weight_decay": -1},
                ValueError,
                "weight_decay must be finite and not negative, got -1",
            ),
            ({"beta": 1.2}, ValueError, "beta must not be above 1, got 1.2"),
            ({"weight_decay": "no"}, TypeError, "weight_decay must be a number, got 'no'"),
            (
                {"hidden_layer_sizes": 64},
                TypeError,
                "hidden_layer_sizes must be a list of integers, got 64",
            ),
            (
                {"hidden_layer_sizes": ()},
                ValueError,
                "hidden_layer_sizes must have at least one size",
            ),
            (
                {"hidden_layer_sizes": None},
                TypeError,
                "hidden_layer_sizes must be a list of integers, got None",
            ),
            (
                {"hidden_layer_sizes": (8, 0)},
                ValueError,
                r"hidden_layer_sizes\[1\] must be at least 1, got 0",
            ),
            (
                {"hidden_layer_sizes": (8.0, 4)},
                TypeError,
                r"hidden_layer_sizes\[0\] must be an integer, got 8.0",
            ),
            (
                {"hidden_layer_sizes": "64"},
                TypeError,
                "hidden_layer_sizes must be a list of integers, got '64'",
            ),
        ],
        ids=str,
    )
    def test_parameters(self, X, parameters, error, message):
        model = temi(**parameters)
        with pytest.raises(error, match=message):
            model.fit(X)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda X: X[:1], "Found array with 1 sample"),
            (lambda X: [X, X], "Found array with dim 3"),
        ],
    )
    def test_features(self, X, change, message):
        model, bad = temi(), change(X)
        with pytest.raises(ValueError, match=message):
            model.fit(bad)
