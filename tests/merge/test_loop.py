"""The tree is that of the plain evaluation, and obeys the laws of the algorithm."""

import math
import threading
import time
import tracemalloc
import warnings
from functools import cache
from importlib import import_module

import numpy as np
import pytest
from helpers.cases import random_case, sparse_case
from helpers.plain import plain_merges
from joblib import Parallel, delayed, parallel_backend
from scipy.sparse import coo_matrix, csr_matrix
from sklearn import config_context

from skl2h import L2HClustering, affinity_tree, l2h_tree
from skl2h.datasets import make_hierarchical_logits
from skl2h.logits.matrix import Logits
from skl2h.merge import dense_rows, rows
from skl2h.merge.aggregations import AGGREGATIONS
from skl2h.merge.loop import merge_leaves, replay_merges
from skl2h.merge.profiles import AHEAD

pytestmark = pytest.mark.usefixtures("kernels")

N_SEEDS = 280
CHUNK = 70
SUMS = ["sum_of_means", "sum"]


@pytest.mark.parametrize("start", range(0, N_SEEDS, CHUNK))
def test_tree_equals_plain_evaluation(start):
    """Merge by merge, with ties, empty leaves, -inf, weights, every dtype and block size."""
    for seed in range(start, start + CHUNK):
        logits, weights, aggregation, memory, n_jobs = random_case(seed)
        children, scores, stranded = plain_merges(logits, weights, aggregation)
        with config_context(working_memory=memory), warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            tree = l2h_tree(logits, sample_weight=weights, aggregation=aggregation, n_jobs=n_jobs)
        assert tree.children.tolist() == [list(pair) for pair in children], f"seed {seed}"
        np.testing.assert_allclose(tree.scores, scores, rtol=1e-9, atol=1e-12, err_msg=str(seed))
        assert bool(seen) == bool(stranded), f"seed {seed}"


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("confidence", [20, 40, 400, 2000])
def test_confident_models_keep_their_order(confidence, aggregation):
    """Where every softmax rounds to 1, doubts of 1e-9 to 0 still choose, as in plain."""
    rng = np.random.default_rng(confidence)
    for _ in range(10):
        logits = rng.standard_normal((60, 8)) * 3
        logits[np.arange(60), np.arange(60) % 8] += confidence
        weights = np.full(60, 0.1)
        tree = l2h_tree(logits, sample_weight=weights, aggregation=aggregation)
        children, _, _ = plain_merges(logits, weights, aggregation)
        assert tree.children.tolist() == [list(pair) for pair in children]


@pytest.mark.parametrize("n_jobs", [None, 2, 3, -1])
@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_blocks_and_workers_change_nothing(n_jobs, aggregation):
    """Any number of rows in a block, any number of workers: one tree."""
    rng = np.random.default_rng(0)
    n_rows, n_leaves = 300, 12
    logits, weights = rng.standard_normal((n_rows, n_leaves)) * 3, rng.random(n_rows)
    expected = l2h_tree(logits, sample_weight=weights, aggregation=aggregation)
    for block in [1, 2, 3, 7, 50, 299, 300, 1000]:
        with config_context(working_memory=block * 24 * n_leaves / 2**20):
            assert len(Logits(logits).blocks()) == math.ceil(n_rows / block)
            tree = l2h_tree(logits, sample_weight=weights, aggregation=aggregation, n_jobs=n_jobs)
        assert np.array_equal(tree.children, expected.children)
        np.testing.assert_allclose(tree.scores, expected.scores, rtol=1e-12)


@pytest.mark.parametrize("backend", ["threading", "loky"])
@pytest.mark.parametrize("kind", [np.asarray, csr_matrix])
def test_many_workers_on_one_group(monkeypatch, kind, backend):
    """A group's rows that are read one at a time by several workers give the same tree."""
    logits = kind(np.random.default_rng(0).standard_normal((300, 12)) * 3)
    expected = l2h_tree(logits)
    monkeypatch.setattr("skl2h.merge.rows_by_leaf.TASK_ENTRIES", 1)
    with parallel_backend(backend), config_context(working_memory=1e-6):
        tree = l2h_tree(logits, n_jobs=2)
    assert np.array_equal(tree.children, expected.children)
    np.testing.assert_allclose(tree.scores, expected.scores, rtol=1e-13)


@pytest.fixture
def threads(monkeypatch, kernels):
    """Set of the threads that read rows."""
    found = set()

    def watch(function):
        def watched(*arguments):
            found.add(threading.get_ident())
            return function(*arguments)

        return watched

    readers = import_module(f"skl2h.merge.{'dense' if kernels == 'numpy' else 'compiled'}_rows")
    monkeypatch.setattr(readers, "read_block", watch(readers.read_block))
    monkeypatch.setattr("skl2h.merge.profiles.leave_out", watch(rows.leave_out))
    return found


def test_few_rows_start_no_workers(threads):
    l2h_tree(np.random.default_rng(0).standard_normal((500, 20)), n_jobs=4)
    assert threads == {threading.get_ident()}


def test_a_tree_in_a_worker_starts_no_workers(monkeypatch, threads):
    """As in a grid search with n_jobs=2: two trees at a time, each in its worker's thread."""
    monkeypatch.setattr("skl2h.merge.rows_by_leaf.TASK_ENTRIES", 1)
    logits = np.random.default_rng(0).standard_normal((500, 20))
    with config_context(working_memory=1e-6):  # a task for every eighth row
        l2h_tree(logits, n_jobs=4)
        assert len(threads) > 2
        threads.clear()
        with parallel_backend("threading", n_jobs=2):
            Parallel()(delayed(l2h_tree)(logits) for _ in range(8))
        assert 1 <= len(threads) <= 2


@pytest.mark.parametrize("who", ["this thread", "another"])
def test_a_fault_in_any_thread_stops_all(monkeypatch, who):
    main, calls = threading.get_ident(), []

    def leave_out(*arguments):
        rows.leave_out(*arguments)
        calls.append(threading.get_ident())
        if (calls[-1] == main) == (who == "this thread"):
            raise MemoryError("no room")
        time.sleep(0.005)  # so that each thread gets a task

    monkeypatch.setattr("skl2h.merge.profiles.leave_out", leave_out)
    monkeypatch.setattr("skl2h.merge.rows_by_leaf.TASK_ENTRIES", 1)
    logits = np.random.default_rng(0).standard_normal((500, 20))
    before = threading.active_count()
    with pytest.raises(MemoryError, match="no room"):
        l2h_tree(logits, n_jobs=2)
    assert threading.active_count() <= before
    assert len(calls) < 500


@pytest.mark.filterwarnings("ignore:In float64, no row gives any probability:UserWarning")
@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("merge.dense_rows.FAR", 1),  # entries are read one by one
        ("merge.dense_rows.FAR", 10**9),  # rows are read whole
        ("merge.dense_rows.SAFE", -1.0),  # the peak is subtracted before the exponential
        ("merge.dense_rows.LOOSE_ERROR", 0.0),  # every sum is added up afresh
        ("merge.dense_rows.LOOSE_ERROR", 1e-13),  # a profile has all its digits
        ("merge.dense_rows.LOOSE_ERROR", 1e-1),  # it has few, where these are enough
        ("merge.dense_rows.MAX_ERROR", 0.0),  # sums that may be equal are all added up afresh
        ("merge.profiles.AHEAD", 0.0),  # a group is read alone
        ("merge.profiles.AHEAD", 1e9),  # all groups that have grown are read together
        ("merge.rows_by_leaf.TASK_ENTRIES", 1),  # rows are read one at a time
    ],
)
def test_ways_of_reading_change_nothing(monkeypatch, name, value, aggregation):
    """What is read ahead, together, whole or one by one is a matter of speed alone."""
    monkeypatch.setattr(f"skl2h.{name}", value)
    for seed in range(12):
        logits, children, scores = adversarial_merges(seed, aggregation)
        tree = l2h_tree(logits, aggregation=aggregation)
        assert tree.children.tolist() == [list(pair) for pair in children], f"seed {seed}"
        np.testing.assert_allclose(tree.scores, scores, rtol=1e-9, err_msg=str(seed))


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_small_tables_and_reads_change_nothing(monkeypatch, aggregation):
    """Soft profiles one leaf at a time, and grown groups one row at a time."""
    logits = np.random.default_rng(0).standard_normal((90, 20)) * 3
    logits[:, ::3] -= 15
    expected = l2h_tree(logits, aggregation=aggregation)
    assert (expected.counts == 0).sum() == 7
    monkeypatch.setattr("skl2h.merge.profiles.SOFT_ENTRIES", 1)
    monkeypatch.setattr("skl2h.merge.dense_rows.READ_BYTES", 1)
    assert l2h_tree(logits, aggregation=aggregation) == expected


def peak_bytes(function, *arguments):
    tracemalloc.start()
    function(*arguments)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_logits_are_never_copied():
    """In whatever layout they are."""
    logits = make_hierarchical_logits(16_000, 400, random_state=0)[0].astype(np.float32)
    layouts = {
        "C": logits,
        "F": np.asfortranarray(logits),
        "reversed": logits[::-1],
        "strided": logits[:, ::2],
    }
    l2h_tree(logits[:100])
    for name, layout in layouts.items():
        assert peak_bytes(l2h_tree, layout) < layout.nbytes, name


@pytest.mark.parametrize("n_hubs", [1, 4])
def test_memory_does_not_grow_with_the_square_of_the_leaves(n_hubs):
    """Leaves of one row each, of which all join one of the few that are in every row."""
    n_leaves = 4000
    leaves = np.arange(n_leaves)
    hub = leaves % n_hubs
    columns = np.stack([leaves, hub, (hub + 1) % max(n_hubs, 2)], axis=1)
    values = np.tile([2.0, 1.0, -3.0], (n_leaves, 1))
    columns[:n_hubs, 1], values[:n_hubs, 1] = (hub[:n_hubs] + 2) % max(n_hubs, 3), -40
    values[:n_hubs, 0] = 9
    rows = np.repeat(leaves, 3)
    logits = csr_matrix((values.ravel(), (rows, columns.ravel())), (n_leaves, n_leaves))
    assert peak_bytes(l2h_tree, logits) < n_leaves**2


def test_ties_do_not_depend_on_blocks():
    """Leaves that differ by the order of additions alone are merged in the order of leaves."""
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((40, 3)) * 3
    logits = np.concatenate([np.roll(rows, shift, axis=1) for shift in range(3)])
    for _ in range(20):
        shuffled = logits[rng.permutation(len(logits))]
        with config_context(working_memory=rng.integers(1, 99) * 24 * 3 / 2**20):
            assert l2h_tree(shuffled).children[0, 0] == 0


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("seed", range(5))
class TestLaws:
    """Section by section, what the definition promises."""

    @staticmethod
    def logits(seed, n_rows=120, n_leaves=11):
        # Multiples of 1/64: adding whole numbers is exact.
        return np.round(np.random.default_rng(seed).standard_normal((n_rows, n_leaves)) * 200) / 64

    def test_adding_a_constant_to_a_row_changes_nothing(self, seed, aggregation):
        logits = self.logits(seed)
        shift = np.random.default_rng(seed).integers(-1000, 1000, (len(logits), 1))
        expected = l2h_tree(logits, aggregation=aggregation)
        tree = l2h_tree(logits + shift, aggregation=aggregation)
        assert np.array_equal(tree.children, expected.children)
        np.testing.assert_allclose(tree.scores, expected.scores, rtol=1e-13)

    def test_permuting_rows_changes_nothing(self, seed, aggregation):
        logits = self.logits(seed)
        expected = l2h_tree(logits, aggregation=aggregation)
        shuffled = np.random.default_rng(seed).permutation(logits)
        tree = l2h_tree(shuffled, aggregation=aggregation)
        assert np.array_equal(tree.children, expected.children)
        assert np.array_equal(tree.counts, expected.counts)

    def test_permuting_columns_permutes_the_leaves(self, seed, aggregation):
        rng = np.random.default_rng(seed)
        logits = rng.standard_normal((120, 11)) * 3
        order = rng.permutation(11)
        expected = l2h_tree(logits, aggregation=aggregation).children
        children = l2h_tree(logits[:, order], aggregation=aggregation).children
        node = np.concatenate([order, np.arange(11, 21)])
        assert np.array_equal(node[children], expected)

    def test_whole_weights_equal_repeated_rows(self, seed, aggregation):
        logits = self.logits(seed)
        weights = np.random.default_rng(seed).integers(0, 4, len(logits))
        weighted = l2h_tree(logits, sample_weight=weights, aggregation=aggregation)
        repeated = l2h_tree(np.repeat(logits, weights, axis=0), aggregation=aggregation)
        assert np.array_equal(weighted.children, repeated.children)
        assert np.array_equal(weighted.counts, repeated.counts)
        np.testing.assert_allclose(weighted.scores, repeated.scores)

    def test_scaling_all_weights_changes_no_merge(self, seed, aggregation):
        logits = self.logits(seed)
        weights = np.random.default_rng(seed).random(len(logits))
        one = l2h_tree(logits, sample_weight=weights, aggregation=aggregation)
        two = l2h_tree(logits, sample_weight=weights * 1e-7, aggregation=aggregation)
        assert np.array_equal(one.children, two.children)

    def test_scores_never_decrease(self, seed, aggregation):
        scores = l2h_tree(self.logits(seed), aggregation=aggregation).scores
        assert (np.diff(scores) >= -1e-9 * scores[1:]).all()


@pytest.mark.parametrize("aggregation", SUMS)
@pytest.mark.parametrize("seed", range(5))
class TestLawsOfSums:
    """A merged group scores at least twice what was selected."""

    def test_few_reads(self, seed, aggregation):
        logits = TestLaws.logits(seed, n_rows=400, n_leaves=40)
        merges = merge_leaves(Logits(logits), aggregation=aggregation)
        ratio = sum_of_scores(logits, aggregation) / merges.scores[0]
        assert merges.n_reads <= 1 + math.log(ratio, 1 + 1 / AHEAD) < 39


def sum_of_scores(logits, aggregation):
    top = np.exp(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).max(axis=1)
    counts = np.bincount(logits.argmax(axis=1))
    sums = np.bincount(logits.argmax(axis=1), weights=top)
    return sums.sum() if aggregation == "sum" else (sums / counts).sum()


class TestHoles:
    """What the paper's listing leaves open."""

    def test_leaf_without_rows_goes_first_to_the_rows_that_find_it_plausible(self):
        logits = [[5, 0, 1], [0, 5, 2], [5, 0, 1]]  # leaf 2: exp(-3) of one row beats 2 exp(-4)
        tree = l2h_tree(logits)
        assert tree.children[0].tolist() == [2, 1]
        assert tree.scores[0] == 0
        assert tree.counts.tolist() == [2, 1, 0]

    def test_leaf_of_zero_weight_counts_as_without_rows(self):
        logits = [[5, 0, 1], [0, 5, 2], [0, 0, 1]]
        tree = l2h_tree(logits, sample_weight=[1, 1, 0])
        assert tree.children[0].tolist() == [2, 1]
        assert tree.counts.tolist() == [1, 1, 0]

    @pytest.mark.parametrize("aggregation", AGGREGATIONS)
    def test_impossible_leaf_joins_the_earliest_group_and_is_named(self, aggregation):
        logits = np.array([[3, 0, 1], [0, 3, 1.0], [1, 0, 3]])
        logits = np.insert(logits, 1, -np.inf, axis=1)
        with pytest.warns(UserWarning, match=r"way out of node 1 \('1'\): joined to the group"):
            tree = l2h_tree(logits, aggregation=aggregation)
        assert tree.children[0].tolist() == [1, 0]

    def test_group_whose_rows_are_certain_joins_the_earliest_group(self):
        logits = [[0, -np.inf, -np.inf], [-np.inf, 0, -1], [-np.inf, -1, 0]]
        with pytest.warns(UserWarning, match=r"way out of node 0 \('0'\): joined to the group"):
            tree = l2h_tree([*logits, [-np.inf, -0.5, 0]])
        assert tree.children.tolist() == [[2, 1], [0, 3]]

    def test_rows_without_a_way_out_count_nothing(self):
        """They are sure of their leaf, and do not tell where it goes."""
        certain = [-np.inf, 0, -np.inf]
        logits = np.array([[9, 0, 1], [2, 3, 1], [0, 1, 9], *[certain] * 5])
        for weight in (0.01, 1, 100):
            for aggregation in AGGREGATIONS:
                weights = np.array([1, 1, 1] + [weight] * 5)
                options = {"sample_weight": weights, "aggregation": aggregation}
                tree = l2h_tree(logits, **options)
                children, scores, _ = plain_merges(logits, weights, aggregation)
                assert tree.children.tolist() == [list(pair) for pair in children]
                assert weight > 0.01 or tree.children[0].tolist() == [1, 0]
                np.testing.assert_allclose(tree.scores, scores, rtol=1e-9)

    def test_all_weights_zero(self):
        with pytest.warns(UserWarning, match="joined to the group that was formed earliest"):
            tree = l2h_tree(2 * np.eye(3), sample_weight=np.zeros(3))
        assert tree.children.tolist() == [[0, 1], [2, 3]]

    def test_one_leaf(self):
        tree = l2h_tree([[1.0], [2.0]])
        assert tree.children.shape == (0, 2)
        assert tree.cut(1).tolist() == [0]
        assert tree.counts.tolist() == [2]

    def test_equal_leaves_merge_in_the_order_they_were_formed(self):
        tree = l2h_tree(2 * np.eye(6))
        assert tree.children.tolist() == plain_lists(2 * np.eye(6))

    @pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, bool])
    def test_integers_are_not_truncated(self, dtype):
        logits = np.random.default_rng(0).integers(0, 2, (50, 6)).astype(dtype)
        assert l2h_tree(logits) == l2h_tree(logits.astype(float))

    def test_float16_is_computed_in_more(self):
        logits = (np.random.default_rng(0).standard_normal((500, 6)) * 50).astype(np.float16)
        assert l2h_tree(logits) == l2h_tree(logits.astype(np.float64))

    def test_runner_up_survives_underflow(self):
        """exp(-1000) is 0, but which leaf is next is still in the logits."""
        logits = [[2000, 1000, 999], [1000, 2000, 1001], [1000, 0, 2000]]
        assert l2h_tree(logits).children.tolist() == plain_lists(logits)
        assert l2h_tree(logits).children[0].tolist() == [0, 1]


def plain_lists(logits):
    return [list(pair) for pair in plain_merges(logits)[0]]


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("largest", [1e307, 1e-150, 1e-307])
def test_weights_of_any_size(largest, aggregation):
    """Sums neither overflow nor vanish, and scores are in the unit of the weights."""
    logits = np.random.default_rng(0).standard_normal((16, 5))
    expected = l2h_tree(logits, sample_weight=np.arange(1, 17) / 16, aggregation=aggregation)
    weights = np.arange(1, 17) / 16 * largest
    tree = l2h_tree(logits, sample_weight=weights, aggregation=aggregation)
    assert np.array_equal(tree.children, expected.children)
    np.testing.assert_allclose(tree.counts, expected.counts * largest)
    unit = largest if aggregation == "sum" else 1
    np.testing.assert_allclose(tree.scores, expected.scores * unit)


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_weights_of_all_sizes_at_once(aggregation):
    logits = [[3, 0, 1], [0, 3, 1], [1, 0, 3], [0, 1, 3]]
    for weights in ([1e200, 1e-200, 1e200, 1e200], [1, 1e-300, 1e-20, 1e100]):
        tree = l2h_tree(logits, sample_weight=weights, aggregation=aggregation)
        children, _, _ = plain_merges(logits, weights, aggregation)
        assert tree.children.tolist() == [list(pair) for pair in children]
        assert (tree.counts > 0).all()


def test_warnings_point_at_the_caller():
    logits = [[0, -np.inf], [0, -np.inf]]
    model = L2HClustering("precomputed")
    for call in (l2h_tree, model.fit, model.fit_predict):
        with pytest.warns(UserWarning, match="no row gives any probability") as caught:
            call(logits)
        assert [warning.filename for warning in caught] == [__file__]


def test_equal_weights_are_equal_however_they_add_up():
    """0.7 + 0.1 is not 0.8 in float64, and the sums are compared without rounding."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        logits = rng.standard_normal((24, 6)) + 40 * np.eye(6)[np.arange(24) % 6]
        weights = rng.choice([0.1, 0.2, 0.3, 0.6, 0.7], 24)
        tree = l2h_tree(logits, sample_weight=weights, aggregation="sum")
        children, _, _ = plain_merges(logits, weights, "sum")
        assert tree.children.tolist() == [list(pair) for pair in children]


@pytest.mark.parametrize("unit", [1e300, 1, 1e-150, 1e-300])
def test_the_unit_of_the_weights_does_not_matter_to_the_surest(unit):
    """Doubts of e^-460 and less, times weights, still choose."""
    logits = [[500, 0, -9, -9], [0, 480, -9, -9], [-9, -9, 470, 0], [-9, -9, 0, 460]]
    tree = l2h_tree(logits, sample_weight=np.full(4, unit / 4))
    assert tree.children.tolist() == plain_lists(np.array(logits, dtype=float))


def test_extreme_logits_under_strict_floating_point():
    """What under- or overflows is meant to: no warning, and no error where those are errors."""
    logits = [[1e308, -1e308, 0], [-1e308, 1e308, 5], [0, 900, 1e4], [-1000, 0, 1e-3]]
    expected = l2h_tree(logits)
    with np.errstate(all="raise"):
        assert l2h_tree(logits) == expected
        L2HClustering("precomputed").fit(logits).predict_proba(logits, level=2)
    assert expected.children.tolist() == plain_lists(np.clip(logits, -1e300, 1e300))


@pytest.mark.parametrize("make", [np.array, np.asfortranarray, csr_matrix])
@pytest.mark.parametrize("function", [l2h_tree, affinity_tree])
def test_logits_are_not_changed(function, make):
    """Whether they may be written to or not."""
    values = np.random.default_rng(0).standard_normal((50, 6))
    logits = make(values)
    stored = logits.data if make is csr_matrix else logits
    before = stored.copy()
    expected = function(logits, sample_weight=np.arange(50))
    assert np.array_equal(stored, before)
    stored.setflags(write=False)
    assert function(logits, sample_weight=np.arange(50)) == expected


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_memory_maps_are_read_as_they_are(tmp_path, order, dtype):
    logits = np.random.default_rng(0).standard_normal((90, 5)).astype(dtype, order=order)
    np.save(tmp_path / "logits.npy", logits)
    mapped = np.load(tmp_path / "logits.npy", mmap_mode="r")
    assert l2h_tree(mapped, n_jobs=2) == l2h_tree(logits)


def test_column_names_name_the_leaves():
    pd = pytest.importorskip("pandas")
    tree = l2h_tree(pd.DataFrame(2 * np.eye(3), columns=["cat", "dog", "car"]))
    assert tree.names == ("cat", "dog", "car")


BAD_LOGITS = {
    "nan": ([[1, 2], [np.nan, 2], [np.nan, 1]], "Row 1 of the logits has NaN in column 0"),
    "inf": ([[1, 2], [1, np.inf]], "Row 1 of the logits has inf in column 1"),
    "only -inf": ([[1, 2], [-np.inf, -np.inf]], "Row 1 of the logits has nothing but -inf"),
    "one dimension": ([1.0, 2.0], "Expected 2D array, got 1D array"),
    "three dimensions": (np.zeros((2, 2, 2)), "Found array with dim 3|dim 3"),
    "no rows": (np.zeros((0, 3)), "Found array with 0 sample"),
    "no leaves": (np.zeros((3, 0)), "Found array with 0 feature"),
    "text": ([["a", "b"]], "real numbers, got dtype <U1: convert with astype"),
    "complex": (
        np.zeros((2, 2), dtype=complex),
        "real numbers, got dtype complex128: take the real part",
    ),
}


@pytest.mark.parametrize("name", BAD_LOGITS)
def test_bad_logits(name):
    logits, message = BAD_LOGITS[name]
    with pytest.raises(ValueError, match=message):
        l2h_tree(logits)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_first_bad_row_is_named_whatever_the_blocks(n_jobs):
    logits = np.zeros((500, 3))
    logits[[123, 400, 499], 1] = np.nan
    with (
        config_context(working_memory=1e-3),
        pytest.raises(ValueError, match="Row 123 of the logits has NaN in column 1"),
    ):
        l2h_tree(logits, n_jobs=n_jobs)


BAD_WEIGHTS = {
    "negative": ([1, 2, -1], r"sample_weight\[2\] is negative: -1"),
    "short": ([1, 2], r"sample_weight must have the shape \(3,\)"),
    "nan": ([1, np.nan, 1], r"sample_weight\[1\] is nan, not a finite number"),
    "infinite": ([1, np.inf, 1], r"sample_weight\[1\] is inf, not a finite number"),
    "too large": ([1e308] * 3, "sum of sample_weight is too large for float64"),
}


@pytest.mark.parametrize("name", BAD_WEIGHTS)
def test_bad_weights(name):
    weights, message = BAD_WEIGHTS[name]
    with pytest.raises(ValueError, match=message):
        l2h_tree(np.eye(3), sample_weight=weights)


def test_bad_aggregation():
    with pytest.raises(ValueError, match=r"aggregation must be .*, got 'median'"):
        l2h_tree(np.eye(3), aggregation="median")


def adversarial_case(seed):
    """Gaps of 1e-3 to 1e4, confidences within 1e-15 of 1, near ties, and leaves that dominate."""
    rng = np.random.default_rng(seed)
    n_leaves, n_rows = rng.integers(3, 25), rng.integers(20, 60)
    gap = 10.0 ** rng.uniform(-3, 4)
    logits = rng.standard_normal((n_rows, n_leaves)) * gap
    kind = seed % 4
    if kind == 0:  # a few leaves hold nearly all of what is left outside of any other
        logits[:, rng.permutation(n_leaves)[:3]] += gap * 10
    elif kind == 1:  # sure of its leaf to the last bit
        logits = rng.standard_normal((n_rows, n_leaves))
        logits[np.arange(n_rows), rng.integers(0, n_leaves, n_rows)] += rng.uniform(30, 40)
    elif kind == 2:  # nested gaps: what joins is always far larger than what stays outside
        order = rng.permutation(n_leaves)
        logits = -np.abs(np.arange(n_leaves)[order] - rng.integers(0, n_leaves, (n_rows, 1)))
        logits = logits * rng.uniform(1, 40) + 1e-3 * rng.standard_normal((n_rows, n_leaves))
    else:  # leaves that differ by less than the tolerance
        base = rng.standard_normal((n_rows, 1 + n_leaves // 3)) * 3
        logits = base[:, rng.integers(0, base.shape[1], n_leaves)]
        logits = logits + 1e-12 * rng.standard_normal(logits.shape)
    return logits


@cache
def adversarial_merges(seed, aggregation):
    """Logits, and the merges and scores of the plain evaluation."""
    logits = adversarial_case(seed)
    children, scores, _ = plain_merges(logits, None, aggregation)
    return logits, children, scores


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.filterwarnings("ignore:In float64, no row gives any probability:UserWarning")
def test_shortcuts_lose_no_digits(aggregation):
    """What is subtracted from a row's sum is added up afresh where digits would be lost."""
    for seed in range(60):
        logits, children, scores = adversarial_merges(seed, aggregation)
        tree = l2h_tree(logits, aggregation=aggregation)
        assert tree.children.tolist() == [list(pair) for pair in children], f"seed {seed}"
        np.testing.assert_allclose(tree.scores, scores, rtol=1e-9, err_msg=str(seed))


@pytest.mark.parametrize("limit", [1e-4, 1e-1])
def test_sums_are_made_with_more_digits_where_few_do_not_tell(monkeypatch, limit):
    """What joins is far more than what stays outside, and that is the same for all."""
    original, calls = dense_rows.add_afresh, []

    def add_afresh(*arguments):
        calls.append(arguments)
        original(*arguments)

    monkeypatch.setattr(dense_rows, "add_afresh", add_afresh)
    monkeypatch.setattr(dense_rows, "LOOSE_ERROR", limit)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        logits = 1e-11 * rng.standard_normal((60, 12))
        rows = np.arange(60)
        logits[rows, rows % 12] += 40 + rng.random(60)
        logits[rows, rows % 12 ^ 1] += 20
        assert l2h_tree(logits).children.tolist() == plain_lists(logits), seed
    assert calls


def test_profiles_that_are_to_be_exact_are(monkeypatch):
    """However much of an error may build up where it does not matter."""
    logits = make_hierarchical_logits(500, 30, separation=2.0, random_state=0)[0]
    children = l2h_tree(logits).children
    masses = []
    for limit in (1e-1, 1e-11):
        monkeypatch.setattr(dense_rows, "LOOSE_ERROR", limit)
        steps = replay_merges(Logits(logits), children)
        masses.append([profiles.of(slot, exact=True)[1] for _, profiles, slot, _ in steps])
    for loose, strict in zip(*masses):
        np.testing.assert_allclose(loose, strict, rtol=1e-10)


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.filterwarnings("ignore:In float64, no row gives any probability:UserWarning")
def test_sparse_rows_are_dense_rows_with_impossible_leaves(aggregation):
    """What is not stored is -inf; what is stored may be 0."""
    for seed in range(25):
        stored, dense = sparse_case(seed)
        rng = np.random.default_rng(seed)
        weights = None if seed % 2 else rng.integers(0, 3, len(dense))
        memory, n_jobs = rng.choice([1e-9, 1e-3, 1.0]), [None, 2][seed % 2]
        expected = l2h_tree(dense, sample_weight=weights, aggregation=aggregation)
        for sparse in (stored.tocsr(), stored.tocsc()):
            with config_context(working_memory=memory):
                tree = l2h_tree(
                    sparse, sample_weight=weights, aggregation=aggregation, n_jobs=n_jobs
                )
            assert np.array_equal(tree.children, expected.children), seed
            assert np.array_equal(tree.counts, expected.counts)
            np.testing.assert_allclose(tree.scores, expected.scores, rtol=1e-9, atol=1e-12)


def test_bad_sparse_rows():
    for values, message in (
        ([1, np.nan, 2], "Row 1 of the logits has NaN in column 1"),
        ([1, np.inf, 2], "Row 1 of the logits has inf in column 1"),
        ([1, -np.inf, 2], "Row 1 of the logits has nothing but -inf"),
    ):
        with pytest.raises(ValueError, match=message):
            l2h_tree(coo_matrix((np.array(values), ([0, 1, 2], [0, 1, 1])), (3, 2)).tocsr())
    with pytest.raises(ValueError, match="Row 1 of the logits has nothing but -inf"):
        l2h_tree(coo_matrix((np.ones(2), ([0, 2], [0, 1])), (3, 2)).tocsr())
