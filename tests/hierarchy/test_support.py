"""Support of merges: shares of resampled trees, each the tree of its weights."""

import threading
import warnings
from itertools import product

import numpy as np
import pytest
from helpers.plain_affinity import plain_distances, plain_shares, plain_temperature
from scipy.cluster.hierarchy import linkage
from scipy.sparse import csr_matrix
from sklearn import config_context
from sklearn.exceptions import NotFittedError
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skl2h import L2HClustering, MergeTree, affinity_tree, bootstrap_support, l2h_tree
from skl2h.datasets import make_hierarchical_logits
from skl2h.hierarchy import support
from skl2h.logits.matrix import as_logits
from skl2h.merge.aggregations import AGGREGATIONS
from skl2h.merge.loop import merge_leaves
from skl2h.merge.resampled_rows import resampled_sums
from skl2h.merge.rows import leave_out, read_rows

METHODS = ["l2h", "affinity"]
CASES = ["planted", "noise", "empty leaves", "impossible leaves", "sparse", "float32"]


def case(name, seed=0, n_rows=120, n_leaves=9):
    rng = np.random.default_rng(seed)
    logits, _, _ = make_hierarchical_logits(n_rows, n_leaves, separation=2.0, random_state=seed)
    if name == "noise":
        return rng.standard_normal((n_rows, n_leaves))
    if name == "empty leaves":
        logits[:, ::3] -= 40
    if name in ("impossible leaves", "sparse"):
        impossible = rng.random(logits.shape) < 0.4
        impossible[np.arange(n_rows), logits.argmax(axis=1)] = False
        logits[impossible] = -np.inf
    if name == "sparse":
        possible = np.nonzero(np.isfinite(logits))
        return csr_matrix((logits[possible], possible), logits.shape)
    return logits.astype(np.float32) if name == "float32" else logits


def fitted(logits, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return L2HClustering("precomputed", **parameters).fit(logits)


def clades(tree):
    return [frozenset(tree.members(node).tolist()) for node in range(tree.n_leaves, tree.n_nodes)]


def drawn_weights(monkeypatch):
    """Weights of the resamples that are made from now on, in order."""
    drawn = []

    def watched(logits, weights, **keywords):
        drawn.append(weights.copy())
        return merge_leaves(logits, weights, **keywords)

    def watched_sums(logits, leaves, by_leaf, times, *others):
        drawn.extend(times)
        return resampled_sums(logits, leaves, by_leaf, times, *others)

    monkeypatch.setattr(support, "merge_leaves", watched)
    monkeypatch.setattr(support, "resampled_sums", watched_sums)
    return drawn


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("name", CASES)
def test_support_counts_the_trees_of_the_drawn_weights(monkeypatch, name, aggregation):
    """Clade by clade as sets of leaves, in trees built anew of all rows."""
    drawn = drawn_weights(monkeypatch)
    logits = case(name)
    model = fitted(logits, aggregation=aggregation)
    result = bootstrap_support(model, logits, n_resamples=8, random_state=0)
    assert len(drawn) == 8
    counts = np.zeros(result.n_leaves - 1)
    for weights in drawn:
        assert weights.sum() == logits.shape[0]
        assert np.array_equal(weights, np.floor(weights))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = l2h_tree(logits, sample_weight=weights, aggregation=aggregation)
        found = set(clades(tree))
        counts += [clade in found for clade in clades(result)]
    assert np.array_equal(result.support, counts / 8)
    assert result.with_support(None) == model.tree_


@pytest.mark.parametrize("weighed", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_affinity_support_counts_the_trees_of_the_drawn_weights(monkeypatch, name, weighed):
    """Beside a plain evaluation of each, at the temperature of all rows."""
    drawn = drawn_weights(monkeypatch)
    monkeypatch.setattr("skl2h.merge.resampled_rows.SUMS_BYTES", 3000)  # three at a time
    logits = case(name)
    weights = np.random.default_rng(0).integers(0, 3, 120) / 4 if weighed else np.ones(120)
    model = fitted(logits, method="affinity")
    result = bootstrap_support(
        model, logits, n_resamples=8, sample_weight=weights, random_state=0, n_jobs=2
    )
    assert len(drawn) == 8
    full = np.asarray(logits.toarray() if name == "sparse" else logits, dtype=float)
    if name == "sparse":
        full[full == 0] = -np.inf
    rows = full.tolist()
    temperature = plain_temperature(rows, weights.tolist())
    counts = np.zeros(8)
    for times in drawn:
        distances, _ = plain_distances(plain_shares(rows, times.tolist(), temperature))
        condensed = [distances[b, a] for a in range(9) for b in range(a + 1, 9)]
        found = set(clades(MergeTree.from_linkage(linkage(condensed, "average"))))
        counts += [clade in found for clade in clades(result)]
    assert np.array_equal(result.support, counts / 8)
    assert result.with_support(None) == model.tree_


@pytest.mark.parametrize("n_leaves", [1, 2, 3])
def test_few_leaves_have_no_temperature(monkeypatch, n_leaves):
    """So that the tree of a resample is the affinity tree of the drawn weights, as it stands."""
    drawn = drawn_weights(monkeypatch)
    logits = np.random.default_rng(0).standard_normal((20, n_leaves))
    result = bootstrap_support(fitted(logits, method="affinity"), logits, n_resamples=20)
    trees = [affinity_tree(logits, sample_weight=times) for times in drawn]
    assert len(trees) == 20
    expected = [np.mean([clade in clades(tree) for tree in trees]) for clade in clades(result)]
    assert result.support.tolist() == expected


def test_both_methods_draw_the_same_rows(monkeypatch):
    """The tree tells the method: the parameter may have been set since it was made."""
    drawn = drawn_weights(monkeypatch)
    logits = case("noise")
    for weights in (None, np.arange(120)):
        for method, other in (("l2h", "affinity"), ("affinity", "l2h")):
            model = fitted(logits, method=method)
            keywords = {"n_resamples": 3, "sample_weight": weights, "random_state": 0}
            expected = bootstrap_support(model, logits, **keywords)
            assert bootstrap_support(model.set_params(method=other), logits, **keywords) == expected
        of_l2h, of_affinity = np.array(drawn[:6]), np.array(drawn[6:])
        assert np.array_equal(of_l2h, of_affinity)
        drawn.clear()


def test_leaves_that_are_too_many_are_refused_before_anything_is_read(monkeypatch):
    logits = case("noise", 0, 60, 20)
    model = fitted(logits, method="affinity")
    monkeypatch.setattr("skl2h.hierarchy.build.free_memory", lambda: 5 * 8 * 400)
    assert bootstrap_support(model, logits, n_resamples=3, n_jobs=1).support[-1] == 1
    monkeypatch.setattr(support, "resampled_sums", None)
    with pytest.raises(
        ValueError, match=r"The likeness of 20 leaves takes .* of memory, and there"
    ):
        bootstrap_support(model, logits, n_resamples=3, n_jobs=2)


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("name", CASES)
def test_a_state_that_was_read_before_gives_the_same_tree(name, aggregation):
    """Bit by bit, for any weights; and the state that was copied stays as it was."""
    logits = as_logits(case(name))
    state = read_rows(logits)
    before = state.copy()
    rng = np.random.default_rng(0)
    n_rows = logits.shape[0]
    for weights in [None, rng.integers(0, 3, n_rows).astype(float), rng.random(n_rows)]:
        expected = merge_leaves(logits, weights, aggregation=aggregation)
        merges = merge_leaves(logits, weights, aggregation=aggregation, state=state.copy())
        for ours, theirs in zip(merges, expected):
            assert np.array_equal(ours, theirs)
    for ours, theirs in zip(state, before):
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_whole_weights_are_as_exact_as_any(aggregation):
    """Weights of 3 times 2**-60 are added as fractions, those of 3 as integers: one tree."""
    for seed in range(20):
        logits = np.round(np.random.default_rng(seed).standard_normal((60, 9)) * 2)
        weights = np.random.default_rng(seed).integers(0, 4, 60).astype(float)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = l2h_tree(logits, sample_weight=weights, aggregation=aggregation)
            other = l2h_tree(logits, sample_weight=weights * 2.0**-60, aggregation=aggregation)
        assert np.array_equal(tree.children, other.children)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(5))
def test_planted_groups_are_supported(seed, method):
    logits, _, planted = make_hierarchical_logits(2000, 16, separation=3.0, random_state=seed)
    model = fitted(logits, method=method)
    result = bootstrap_support(model, logits, n_resamples=50, random_state=seed)
    found = [clade in set(clades(planted)) for clade in clades(result)]
    assert all(found)
    assert result.support.min() > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_not_supported(seed):
    """A pair of 32 leaves is together by chance in one tree of 31; a larger group hardly ever."""
    logits = np.random.default_rng(seed).standard_normal((2000, 32))
    result = bootstrap_support(fitted(logits), logits, n_resamples=100, random_state=seed)
    assert result.support[:-1].mean() < 0.1
    assert result.support[-1] == 1


def test_a_leaf_that_wavers_is_told_from_those_that_do_not():
    """Leaf 2 is as near to 0 as to 3: {0, 1} and {3, 4} are in all trees, its groups in half."""
    shares = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        own = np.arange(2000) % 5
        near = np.zeros((5, 5))
        near[0, 1] = near[1, 0] = near[3, 4] = near[4, 3] = 5
        near[2, [0, 3]] = 2
        near[[0, 1, 3, 4], 2] = 1
        np.fill_diagonal(near, 8)
        logits = near[own] + rng.standard_normal((2000, 5))
        result = bootstrap_support(fitted(logits), logits, n_resamples=30, random_state=seed)
        by_clade = dict(zip(clades(result), result.support))
        shares += [by_clade.pop(frozenset({0, 1}), None), by_clade.pop(frozenset({3, 4}), None)]
    assert None not in shares
    assert min(shares) > 0.95


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(2))
def test_same_for_any_number_of_workers_and_blocks(seed, method):
    logits = case("noise", seed, 300, 20)
    model = fitted(logits, method=method)
    one = bootstrap_support(model, logits, n_resamples=12, random_state=seed)
    for n_jobs, memory in product([2, 3, -1], [1e-3, 1.0]):
        with config_context(working_memory=memory):
            other = bootstrap_support(
                model, logits, n_resamples=12, random_state=seed, n_jobs=n_jobs
            )
        assert other == one


@pytest.mark.parametrize("method", METHODS)
def test_seeds(method):
    logits = case("noise", 0, 300, 20)
    model = fitted(logits, method=method)

    def of(random_state, n_resamples=10):
        return bootstrap_support(
            model, logits, n_resamples=n_resamples, random_state=random_state
        ).support

    assert np.array_equal(of(0), of(0))
    assert np.array_equal(of(0), of(np.random.RandomState(0)))
    assert not np.array_equal(of(0), of(1))
    assert not np.array_equal(of(None), of(None))
    # The first resamples are those of a shorter run.
    assert (np.rint(of(0, 20) * 20) >= np.rint(of(0) * 10)).all()


@pytest.mark.parametrize("method", METHODS)
def test_processes_give_what_threads_give(method):
    import joblib

    logits = case("noise", 0, 300, 20)
    model = fitted(logits, method=method)
    one = bootstrap_support(model, logits, n_resamples=6, random_state=0)
    with joblib.parallel_backend("loky", n_jobs=2):
        assert bootstrap_support(model, logits, n_resamples=6, random_state=0) == one


@pytest.mark.parametrize("method", METHODS)
def test_unit_of_weights_and_rows_without_weight_do_not_matter(method):
    logits = case("noise", 0, 300, 20)
    model = fitted(logits, method=method)
    weights = np.random.default_rng(0).random(300)
    weights[::4] = 0

    def of(logits, weights):
        return bootstrap_support(
            model, logits, n_resamples=10, sample_weight=weights, random_state=0
        )

    assert of(logits, weights) == of(logits, weights * 2.0**40) == of(logits, weights * 2.0**-900)
    kept = weights > 0
    assert of(logits, weights) == of(logits[kept], weights[kept])
    assert of(logits, None) == of(logits, np.full(300, 7.0))


def test_rows_are_drawn_in_proportion_to_their_weights(monkeypatch):
    """Mean and variance of a multinomial, of as many draws as the weights are worth."""
    drawn = drawn_weights(monkeypatch)
    logits = case("noise", 0, 60, 4)
    weights = np.repeat([1.0, 4.0, 0.0], 20)
    bootstrap_support(
        fitted(logits), logits, n_resamples=2000, sample_weight=weights, random_state=0
    )
    n_draws = round(100**2 / (20 + 20 * 16))
    drawn = np.array(drawn)
    assert (drawn.sum(axis=1) == n_draws).all()
    p = weights / weights.sum()
    deviation = np.sqrt(n_draws * p * (1 - p))
    assert (abs(drawn.mean(axis=0) - n_draws * p) <= 5 * deviation / np.sqrt(2000)).all()
    assert np.allclose(drawn.std(axis=0), deviation, rtol=0.12)


@pytest.mark.parametrize("order", [None, "sorted as texts", "backwards"])
def test_names_of_leaves_do_not_matter(order):
    """Not even numbers in another order, as those of classes that are digits as texts."""
    logits = make_hierarchical_logits(400, 12, random_state=0)[0]
    names = [str(leaf) for leaf in range(12)]
    names = {None: names, "sorted as texts": sorted(names), "backwards": names[::-1]}[order]
    model = L2HClustering("precomputed").fit(logits)
    model.tree_ = model.tree_.with_names(names)
    support = bootstrap_support(model, logits, n_resamples=10, random_state=0).support
    assert support.mean() > 0.5
    model.tree_ = model.tree_.with_names([f"leaf {leaf}" for leaf in range(12)])
    expected = bootstrap_support(model, logits, n_resamples=10, random_state=0).support
    assert np.array_equal(support, expected)


@pytest.mark.parametrize("n_leaves", [1, 2])
def test_few_leaves(n_leaves):
    logits = np.random.default_rng(0).standard_normal((20, n_leaves))
    result = bootstrap_support(fitted(logits), logits, n_resamples=3, random_state=0)
    assert result.support.tolist() == [1.0] * (n_leaves - 1)


def test_fitted_models_and_other_rows():
    """Any inner model; rows that the tree was not built of are as good as those that it was."""
    rng = np.random.default_rng(0)
    centres = np.array([[0, 0], [0, 2], [20, 0], [20, 2]])
    X = np.concatenate([centre + rng.standard_normal((100, 2)) for centre in centres])
    model = L2HClustering(GaussianMixture(4, random_state=0)).fit(X)
    pipeline = make_pipeline(StandardScaler(), model).fit(X)
    for judged, rows, tree in (
        (model, X, model.tree_),
        (model, X[::2], model.tree_),
        (pipeline, X, pipeline[-1].tree_),
    ):
        result = bootstrap_support(judged, rows, n_resamples=20, random_state=0)
        assert result.support.tolist() == [1, 1, 1]
        assert result.with_support(None) == tree


def test_rows_of_no_resample_are_not_warned_of():
    """Stranded groups of a resample are its own matter."""
    logits = np.full((40, 4), -np.inf)
    logits[np.arange(40), np.arange(40) % 4] = 0.0
    result = bootstrap_support(fitted(logits), logits, n_resamples=5, random_state=0)
    assert result.support[-1] == 1


def test_workers_start_no_workers(monkeypatch):
    """As many threads as were asked for make the trees, and each makes its own whole."""
    threads = set()

    def watched(*arguments):
        threads.add(threading.get_ident())
        return leave_out(*arguments)

    monkeypatch.setattr("skl2h.merge.profiles.leave_out", watched)
    monkeypatch.setattr("skl2h.merge.rows_by_leaf.TASK_ENTRIES", 1)
    logits = case("noise", 0, 300, 20)
    bootstrap_support(fitted(logits), logits, n_resamples=8, n_jobs=1, random_state=0)
    assert threads == {threading.get_ident()}
    threads.clear()
    bootstrap_support(fitted(logits), logits, n_resamples=8, n_jobs=3, random_state=0)
    assert 1 <= len(threads - {threading.get_ident()}) <= 3


def test_an_interrupt_stops_all(monkeypatch):
    logits = case("noise")
    model = fitted(logits)
    expected = bootstrap_support(model, logits, n_resamples=5, random_state=0)
    calls = []

    def interrupted(*arguments, **keywords):
        calls.append(threading.get_ident())
        if len(calls) == 3:
            raise KeyboardInterrupt
        return merge_leaves(*arguments, **keywords)

    with monkeypatch.context() as patch:
        patch.setattr(support, "merge_leaves", interrupted)
        with pytest.raises(KeyboardInterrupt):
            bootstrap_support(model, logits, n_resamples=50, random_state=0)
    assert len(calls) == 3
    assert bootstrap_support(model, logits, n_resamples=5, random_state=0) == expected


LOGITS = np.eye(4) * 3


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_resamples": 0}, ValueError, "n_resamples must be at least 1, got 0"),
        ({"n_resamples": 1.5}, TypeError, "n_resamples must be an integer, got 1.5"),
        ({"sample_weight": np.zeros(4)}, ValueError, "0 for every row"),
        ({"sample_weight": [1, 1, 1, -1]}, ValueError, r"sample_weight\[3\] is negative"),
        ({"sample_weight": [1, 1]}, ValueError, r"shape \(4,\)"),
        ({"random_state": "a"}, ValueError, "random_state must be an integer .*, got 'a'"),
    ],
    ids=str,
)
def test_bad_arguments(arguments, error, message):
    model = fitted(LOGITS)
    with pytest.raises(error, match=message):
        bootstrap_support(model, LOGITS, **arguments)


def test_bad_models_and_rows():
    model = fitted(LOGITS)
    unfitted = L2HClustering("precomputed")
    changed = fitted(LOGITS).set_params(aggregation="median")
    with pytest.raises(NotFittedError):
        bootstrap_support(unfitted, LOGITS)
    with pytest.raises(TypeError, match="A fitted L2HClustering is needed, got MergeTree"):
        bootstrap_support(model.tree_, LOGITS)
    with pytest.raises(
        ValueError, match="aggregation must be 'sum_of_means', 'sum' or 'mean', got"
    ):
        bootstrap_support(changed, LOGITS)
    with pytest.raises(ValueError, match="Row 1 of the logits has NaN in column 2"):
        bootstrap_support(model, [[1, 2, 3, 4], [1, 2, np.nan, 4]])
    with pytest.raises(ValueError, match="3 features"):
        bootstrap_support(model, LOGITS[:, :3])


def test_support_of_a_tree():
    """It is part of the tree: copied, compared, kept by other names, and never changed."""
    tree = MergeTree([(0, 1), (2, 3)], support=[0.5, 1])
    assert tree.support.dtype == np.float64
    assert tree.with_names("abc").support.tolist() == [0.5, 1.0]
    assert tree != MergeTree([(0, 1), (2, 3)])
    assert tree != tree.with_support([0.4, 1])
    assert tree == tree.with_support(None).with_support([0.5, 1.0])
    with pytest.raises(ValueError, match="read-only"):
        tree.support[0] = 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.5], r"shape \(2,\)"),
        ([0.5, 1.1], r"support\[1\] is 1.1, not a share"),
        ([-0.1, 1], r"support\[0\] is -0.1, not a share"),
        ([np.nan, 1], r"support\[0\] is nan, not a share"),
        (["a", "b"], "real numbers"),
    ],
    ids=str,
)
def test_bad_support(values, message):
    with pytest.raises(ValueError, match=message):
        MergeTree([(0, 1), (2, 3)], support=values)
