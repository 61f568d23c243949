"""The affinity tree of logits, wherever they are, and of a confusion matrix."""

import tracemalloc
import warnings
from itertools import pairwise

import numpy as np
import pytest
from helpers.cases import clear_logits, random_case, sparse_case
from helpers.plain_affinity import follows, plain_affinity
from scipy.sparse import csr_matrix
from sklearn import config_context

from skl2h import affinities, affinity_tree, confusion_tree, l2h_tree
from skl2h.datasets import make_hierarchical_logits
from skl2h.exceptions import StrandedGroupWarning
from skl2h.merge.affinity_distances import distances_of
from skl2h.metrics import superclass_purity


def quietly(function, *arguments, **keywords):
    """What a function gives, without a warning that logits look like probabilities."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments, **keywords)


def same_tree(tree, expected, likeness):
    """Heights to nine digits, leaves and counts; merges of what is closest by a likeness."""
    size = expected.scores.max(initial=0.0)
    np.testing.assert_allclose(tree.scores, expected.scores, rtol=1e-9, atol=1e-9 * size)
    np.testing.assert_allclose(tree.counts, expected.counts, rtol=1e-12)
    assert tree.counts.dtype == expected.counts.dtype
    assert tree.names == expected.names
    distances = {}
    if tree.n_leaves > 1:
        earlier, later = np.triu_indices(tree.n_leaves, 1)
        of_pairs = distances_of(likeness.copy()).tolist()
        distances = dict(zip(zip(later.tolist(), earlier.tolist()), of_pairs))
    return follows(tree.children, tree.scores, distances)


def same_groups(tree, expected):
    """The same leaves together at every level, whatever the leaves' order."""
    levels = range(1, tree.n_leaves + 1)
    return np.array_equal(tree.cut(levels), expected.cut(levels))


def in_files(folder, logits, rng):
    """Files of some of the rows each."""
    bounds = np.sort(rng.choice(np.arange(1, max(len(logits), 2)), min(2, len(logits) - 1), False))
    paths = []
    for i, rows in enumerate(np.split(logits, bounds)):
        paths.append(folder / f"{len(logits)}-{i}.npy")
        np.save(paths[-1], rows)
    return paths


def test_files_give_the_tree_of_the_array(tmp_path, monkeypatch):
    """In shards of a few rows, with weights, every dtype and empty leaves."""
    monkeypatch.setattr("skl2h.merge.distributed.npy_files.SHARD_ENTRIES", 200)
    for seed in range(25):
        logits, weights, _, memory, n_jobs = random_case(seed)
        paths = in_files(tmp_path, logits, np.random.default_rng(seed))
        expected = quietly(affinity_tree, logits, sample_weight=weights)
        with config_context(working_memory=memory):
            tree = quietly(affinity_tree, paths, sample_weight=weights, n_jobs=n_jobs)
        likeness = quietly(affinities, logits, sample_weight=weights)
        assert same_tree(tree, expected, likeness), f"seed {seed}"
        found = quietly(affinities, paths, sample_weight=weights)
        np.testing.assert_allclose(found, likeness, rtol=1e-9, atol=1e-12)


def test_chunks_of_dask_give_the_tree_of_the_array():
    """In chunks of rows and of columns, kept or not, with weights here or there."""
    dask = pytest.importorskip("dask")
    da = pytest.importorskip("dask.array")
    for seed in range(30):
        logits, weights, _, _, _ = random_case(seed)
        rng = np.random.default_rng(seed)
        lengths = [int(rng.integers(1, size + 1)) for size in logits.shape]
        chunks = da.from_array(logits, chunks=lengths)
        given = weights
        if weights is not None and seed % 2:
            given = da.from_array(weights, chunks=3)
        with dask.config.set(scheduler="threads", num_workers=2):
            tree = quietly(
                affinity_tree, chunks, sample_weight=given, persist=bool(rng.integers(2))
            )
            found = quietly(affinities, chunks, sample_weight=given)
        likeness = quietly(affinities, logits, sample_weight=weights)
        expected = quietly(affinity_tree, logits, sample_weight=weights)
        assert same_tree(tree, expected, likeness), f"seed {seed}"
        np.testing.assert_allclose(found, likeness, rtol=1e-9, atol=1e-12)


def in_format(full, stored, rows, seed, number):
    """Rows of a chunk, in one of the formats that it may have."""
    if seed % 2 and number % 2:
        return full[rows]
    return stored[rows].tocoo() if seed % 3 == 1 else stored[rows]


def test_sparse_chunks_of_dask():
    """And dense ones among them; numbers of rows may be unknown, and chunks empty."""
    dask = pytest.importorskip("dask")
    da = pytest.importorskip("dask.array")
    for seed in range(12):
        stored, full = sparse_case(seed)
        stored, rng = stored.tocsr(), np.random.default_rng(seed)
        full = full.astype(stored.dtype) if stored.dtype.kind == "f" else full
        bounds = [0, *sorted(rng.integers(0, len(full) + 1, 3).tolist()), len(full)]
        unknown = seed % 3 == 0
        weights = None if unknown or seed % 2 else rng.integers(1, 4, len(full))
        parts = [
            da.from_delayed(
                dask.delayed(in_format(full, stored, slice(a, b), seed, i), traverse=False),
                (np.nan if unknown else b - a, full.shape[1]),
                stored.dtype,
            )
            for i, (a, b) in enumerate(pairwise(bounds))
        ]
        chunks = da.concatenate(parts, allow_unknown_chunksizes=True)
        with dask.config.set(scheduler="synchronous"):
            options = {"sample_weight": weights, "persist": bool(seed & 4)}
            tree = quietly(affinity_tree, chunks, **options)
            found = quietly(affinities, chunks, **options)
        expected = quietly(affinity_tree, stored, sample_weight=weights)
        likeness = quietly(affinities, stored, sample_weight=weights)
        assert same_tree(tree, expected, likeness), f"seed {seed}"
        np.testing.assert_allclose(found, likeness, rtol=1e-9, atol=1e-12)


@pytest.fixture(scope="module", params=["unweighted", "weighted"])
def uneven(request):
    """Logits whose first half is far less sure, weights, and the likeness, plainly."""
    rng = np.random.default_rng(0)
    logits = 3 * rng.standard_normal((3001, 5))
    logits[:1500] *= 0.2
    weights = None
    if request.param == "weighted":
        weights = np.where(np.arange(3001) < 2400, 3.0, 0.5) * rng.integers(0, 3, 3001)
    _, likeness = plain_affinity(logits.tolist(), weights)
    return logits, weights, likeness


class TestRowsThatTellTheTemperature:
    """2,000 of more rows, spread evenly."""

    def check(self, uneven, given, weights=None, **options):
        weights = uneven[1] if weights is None else weights
        likeness = affinities(given, sample_weight=weights, **options)
        np.testing.assert_allclose(likeness, uneven[2], rtol=1e-8)

    def test_of_an_array(self, uneven):
        self.check(uneven, uneven[0])
        self.check(uneven, csr_matrix(uneven[0]))

    def test_of_files(self, uneven, tmp_path, monkeypatch):
        """Of several shards each."""
        monkeypatch.setattr("skl2h.merge.distributed.npy_files.SHARD_ENTRIES", 2000)
        self.check(uneven, in_files(tmp_path, uneven[0], np.random.default_rng(0)))

    @pytest.mark.parametrize("persist", [True, False], ids=["kept", "not kept"])
    def test_of_chunks_of_dask(self, uneven, persist):
        """Of known lengths, and of lengths that are counted."""
        dask = pytest.importorskip("dask")
        da = pytest.importorskip("dask.array")
        logits, weights, _ = uneven
        chunks = da.from_array(logits, chunks=(700, -1))
        with dask.config.set(scheduler="synchronous"):
            self.check(uneven, chunks, persist=persist)
            if weights is None:
                unknown = chunks[chunks[:, 0] > -np.inf]
                assert np.isnan(unknown.shape[0])
                self.check(uneven, unknown, persist=persist)
            else:
                self.check(uneven, chunks, da.from_array(weights, chunks=1000), persist=persist)


def test_bad_chunks_are_named():
    dask = pytest.importorskip("dask")
    da = pytest.importorskip("dask.array")
    logits = clear_logits(n_rows=20, n_leaves=5)

    def in_chunks(*given):
        parts = [
            da.from_delayed(dask.delayed(part, traverse=False), (20, 5), float) for part in given
        ]
        return da.concatenate(parts)

    for chunks, message in (
        (in_chunks(logits, logits[:, :4]), "Chunk 1 has 4 columns, not 5"),
        (in_chunks(logits, logits.astype(str)), "Chunk 1 is of <U.*, not of real numbers"),
        (in_chunks(logits[:0], logits[:0]), "no rows: all of their chunks are empty"),
    ):
        with dask.config.set(scheduler="synchronous"), pytest.raises(ValueError, match=message):
            affinity_tree(chunks)


def test_chunks_are_computed_once(monkeypatch):
    """For the sample as well, if they are kept; else once more, and where lengths are unknown."""
    da = pytest.importorskip("dask.array")
    logits, computed = clear_logits(), []

    def count(block):
        if len(block):
            computed.append(len(block))
        return block

    chunks = da.from_array(logits, chunks=(100, -1)).map_blocks(count, meta=logits[:0])
    tree = affinity_tree(chunks)
    assert sum(computed) == len(logits)
    assert same_groups(tree, affinity_tree(logits))
    computed.clear()
    affinity_tree(chunks, persist=False)
    assert sum(computed) == 2 * len(logits)
    computed.clear()
    assert same_groups(affinity_tree(chunks[chunks[:, 0] > -np.inf]), tree)
    assert sum(computed) == len(logits)


def test_data_frame_of_dask_names_the_leaves():
    try:
        import dask.dataframe as frames
    except ImportError:
        pytest.skip("data frames need more than dask[array]")
    pandas = pytest.importorskip("pandas")
    logits = clear_logits(n_leaves=5)
    table = pandas.DataFrame(logits, columns=list("edcba"))
    tree = affinity_tree(frames.from_pandas(table, npartitions=3))
    assert tree.names == affinity_tree(table).names == tuple("edcba")
    assert same_groups(tree, affinity_tree(logits))


def test_bad_rows_of_chunks_are_named(tmp_path):
    da = pytest.importorskip("dask.array")
    logits = clear_logits(n_rows=50)
    logits[33, 4] = np.nan
    with pytest.raises(ValueError, match=r"Row 33 of the logits has NaN.* row 13 of chunk 1"):
        affinity_tree(da.from_array(logits, chunks=(20, -1)))
    paths = in_files(tmp_path, logits, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"Row 33 of the logits has NaN.* of .*\.npy"):
        affinity_tree(paths)
    with pytest.raises(ValueError, match="Row 33 of the logits has NaN in column 4"):
        affinity_tree(logits)


def test_a_number_added_to_a_row_changes_nothing():
    for seed in range(5):
        logits = clear_logits(seed)
        shift = np.random.default_rng(seed).standard_normal((len(logits), 1)) * 50
        tree = affinity_tree(logits)
        moved = affinity_tree(logits + shift)
        np.testing.assert_allclose(moved.scores, tree.scores, rtol=1e-7)
        assert same_groups(moved, tree), f"seed {seed}"


def test_order_of_rows_does_not_matter():
    """Fewer than the sample, of which all are in it."""
    for seed in range(5):
        logits = clear_logits(seed)
        order = np.random.default_rng(seed).permutation(len(logits))
        tree = affinity_tree(logits)
        assert same_tree(affinity_tree(logits[order]), tree, affinities(logits))
        assert same_groups(affinity_tree(logits[order]), tree), f"seed {seed}"


def test_order_of_columns_renames_the_leaves():
    for seed in range(5):
        logits = clear_logits(seed)
        order = np.random.default_rng(seed).permutation(logits.shape[1])
        likeness = affinities(logits)
        np.testing.assert_allclose(
            affinities(logits[:, order]), likeness[np.ix_(order, order)], rtol=1e-9, atol=1e-12
        )
        tree, renamed = affinity_tree(logits), affinity_tree(logits[:, order])
        np.testing.assert_allclose(renamed.scores, tree.scores, rtol=1e-9)
        for level in range(1, tree.n_leaves + 1):
            together = np.equal.outer(tree.cut(level), tree.cut(level))
            now = np.equal.outer(renamed.cut(level), renamed.cut(level))
            assert np.array_equal(now, together[np.ix_(order, order)]), f"seed {seed}"


def test_a_factor_changes_nothing():
    for seed in range(5):
        logits = clear_logits(seed)
        tree = affinity_tree(logits)
        for factor in (0.01, 3.0, 200.0):
            scaled = affinity_tree(factor * logits)
            np.testing.assert_allclose(scaled.scores, tree.scores, rtol=1e-7)
            assert same_groups(scaled, tree), f"seed {seed}"


def test_weights_are_repetition():
    for seed in range(5):
        logits = clear_logits(seed)
        weights = np.random.default_rng(seed).integers(0, 4, len(logits))
        tree = affinity_tree(logits, sample_weight=weights)
        repeated = affinity_tree(np.repeat(logits, weights, axis=0))
        np.testing.assert_allclose(tree.counts, repeated.counts)
        np.testing.assert_allclose(tree.scores, repeated.scores, rtol=1e-8)
        assert same_groups(tree, repeated), f"seed {seed}"


def test_heights_rise_and_cuts_are_nested():
    for seed in range(20):
        logits, weights, _, _, _ = random_case(seed)
        tree = quietly(affinity_tree, logits, sample_weight=weights)
        assert (np.diff(tree.scores) >= 0).all(), f"seed {seed}"
        cuts = tree.cut(range(tree.n_leaves, 0, -1)).T
        for fine, coarse in pairwise(cuts):
            assert (np.equal.outer(fine, fine) <= np.equal.outer(coarse, coarse)).all()


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_memory_is_that_of_the_leaves(n_jobs):
    """Four arrays of leaves by leaves, and 64 MiB; of rows, less than a copy of them."""
    logits = make_hierarchical_logits(20_000, 200, random_state=0)[0]
    tracemalloc.start()
    affinity_tree(logits, n_jobs=n_jobs)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - 4 * 200**2 * 8 < min(2**26, logits.nbytes)


def test_counts_are_those_of_l2h():
    for seed in range(20):
        logits, weights, _, _, _ = random_case(seed)
        tree = quietly(affinity_tree, logits, sample_weight=weights)
        other = quietly(l2h_tree, logits, sample_weight=weights)
        assert np.array_equal(tree.counts, other.counts)
        assert tree.counts.dtype == other.counts.dtype


def test_probabilities_are_logits_of_their_logarithms():
    logits = clear_logits()
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    tree = affinity_tree(p, input="probabilities")
    assert same_groups(tree, affinity_tree(logits))
    np.testing.assert_allclose(affinities(p, input="probabilities"), affinities(np.log(p)))
    with pytest.warns(UserWarning, match="looks like probabilities"):
        affinity_tree(p)


@pytest.mark.parametrize("n_leaves", [1, 2, 3])
def test_few_leaves(n_leaves):
    logits = np.random.default_rng(0).standard_normal((20, n_leaves))
    tree = affinity_tree(logits)
    assert tree.n_leaves == n_leaves
    assert tree.counts.sum() == 20
    likeness = affinities(logits)
    assert likeness.shape == (n_leaves, n_leaves)
    assert confusion_tree(np.ones((n_leaves, n_leaves))).n_leaves == n_leaves


def test_likeness_is_symmetric():
    likeness = affinities(clear_logits())
    assert np.array_equal(likeness, likeness.T)
    assert (np.diag(likeness) == 0).all()
    assert (likeness >= 0).all()


@pytest.mark.parametrize(("separation", "noise"), [(2.0, 0.25), (2.0, 1.2), (3.0, 0.5), (5.0, 0.8)])
def test_planted_trees_are_found_where_l2h_finds_them(separation, noise):
    n_found = 0
    for seed in range(12):
        n_leaves, spread = [8, 16, 24][seed % 3], {"separation": separation, "noise": noise}
        logits, _, planted = make_hierarchical_logits(3000, n_leaves, **spread, random_state=seed)
        expected = groups_of(planted)
        if groups_of(l2h_tree(logits)) == expected:
            n_found += 1
            assert groups_of(affinity_tree(logits)) == expected, f"seed {seed}"
    assert n_found > 5


def groups_of(tree):
    """Leaves of each merge."""
    nodes = range(tree.n_leaves, tree.n_nodes)
    return {frozenset(tree.members(node).tolist()) for node in nodes}


def test_lines_tell_how_far_it_is(capsys):
    affinity_tree(clear_logits(), verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["[affinity]"] * 3
    assert lines[-1] == "[affinity] 13 merges made"
    affinity_tree(clear_logits())
    assert capsys.readouterr().out == ""


def test_the_smallest_number_is_as_impossible_as_minus_inf():
    """Some libraries mask with it: stored in a sparse matrix, too, and at any temperature."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(200, 10))
    masked = rng.random(logits.shape) < 0.2
    expected = affinities(np.where(masked, -np.inf, logits))
    logits[masked] = np.finfo(float).min
    for given in (logits, csr_matrix(logits)):
        np.testing.assert_allclose(affinities(given), expected, rtol=1e-9, atol=1e-12)


def test_too_many_leaves_for_memory(monkeypatch):
    """Before anything is computed, and with a way out."""
    monkeypatch.setattr("skl2h.hierarchy.build.free_memory", lambda: 10**9)
    wide = csr_matrix((np.ones(2), ([0, 1], [0, 5])), (2, 100_000))
    message = r"100,000 leaves takes 320 GB of memory, and there are 1 GB\. Of logits, l2h_tree"
    for function in (affinity_tree, affinities, confusion_tree):
        given = wide if function is not confusion_tree else csr_matrix((100_000, 100_000))
        with pytest.raises(ValueError, match=message):
            function(given)


class TestConfusionTree:
    matrix = np.array([[50, 9, 1, 0], [8, 51, 1, 2], [0, 1, 40, 20], [1, 0, 15, 44]])

    def test_is_the_tree_of_logits_whose_rows_go_where_it_says(self):
        """With three leaves the temperature is 1: rows of counts tell the shares themselves."""
        shares = np.array([[0, 0.7, 0.3], [0.2, 0, 0.8], [0.5, 0.5, 0]])
        logits = np.log(np.where(np.eye(3, dtype=bool), 9.0, shares))
        from_logits, tree = affinity_tree(logits), confusion_tree(7 * shares)
        np.testing.assert_allclose(tree.scores, from_logits.scores, rtol=1e-12)
        assert np.array_equal(tree.children, from_logits.children)

    def test_diagonal_and_size_of_lines_do_not_matter(self):
        tree = confusion_tree(self.matrix)
        assert tree.cut(2).tolist() == [0, 0, 1, 1]
        other = self.matrix * np.array([[1.0], [1e300], [1e-300], [3]])
        np.fill_diagonal(other, np.nan)
        scaled = confusion_tree(other)
        assert np.array_equal(scaled.children, tree.children)
        np.testing.assert_allclose(scaled.scores, tree.scores, rtol=1e-12)
        for given in (csr_matrix(self.matrix), self.matrix.tolist(), self.matrix.astype(np.uint8)):
            assert confusion_tree(given) == tree

    def test_classes_without_rows(self):
        matrix = self.matrix.copy()
        matrix[1] = 0
        assert confusion_tree(matrix).cut(2).tolist() == [0, 0, 1, 1]

    def test_classes_that_nothing_is_known_of_are_named(self):
        with pytest.warns(StrandedGroupWarning, match="from leaves 0 .*, 1 .*, 4 .*has no meaning"):
            nothing = confusion_tree(7 * np.eye(5))
        assert nothing.scores.tolist() == [0, 0, 0, 0]
        matrix = np.zeros((5, 5))
        matrix[:4, :4] = self.matrix
        with pytest.warns(StrandedGroupWarning, match=r"from leaf 4 \('e'\): .* puts it has no"):
            tree = confusion_tree(matrix, names="abcde")
        assert tree.cut(3).tolist() == [0, 0, 1, 1, 2]

    def test_sums_are_no_class(self):
        pandas = pytest.importorskip("pandas")
        y = pandas.Series([*"aabbcc", *"abcabc"], name="true")
        predicted = pandas.Series([*"abbacc", *"accaba"], name="predicted")
        table = pandas.crosstab(y, predicted)
        assert confusion_tree(table).names == ("a", "b", "c")
        for other in (table, table / 7):
            margins = other.assign(All=other.sum(axis=1))
            margins.loc["All"] = margins.sum()
            with pytest.raises(ValueError, match="are the sums of the others, not a class"):
                confusion_tree(margins)
        assert confusion_tree(np.ones((2, 2))).n_leaves == 2

    def test_data_frame_names_the_classes(self):
        pandas = pytest.importorskip("pandas")
        names = ["cat", "dog", "car", "truck"]
        table = pandas.DataFrame(self.matrix, index=names, columns=names)
        expected = confusion_tree(self.matrix, names=names)
        assert confusion_tree(table) == expected
        assert confusion_tree(table.iloc[[2, 0, 3, 1]]) == expected
        assert confusion_tree(table, names={"cat": "tiger"}).names[0] == "tiger"
        with pytest.raises(ValueError, match="index of matrix must name all 4 leaves, but lacks"):
            confusion_tree(table.rename(index={"cat": "tiger"}))

    def test_given_is_not_changed(self):
        matrix = self.matrix.astype(float)
        before = matrix.copy()
        confusion_tree(matrix)
        assert np.array_equal(matrix, before)

    @pytest.mark.parametrize(
        ("matrix", "message"),
        [
            (np.ones((2, 3)), r"must be square.* got the shape \(2, 3\)"),
            (np.ones(4), r"must be square.* got the shape \(4,\)"),
            (np.ones((0, 0)), r"must be square.* got the shape \(0, 0\)"),
            ([[1, -1], [0, 1]], r"not negative outside its diagonal, but matrix\[0, 1\] is -1"),
            ([[1, 2], [np.nan, 1]], r"finite .* but matrix\[1, 0\] is nan"),
            ([[1, np.inf], [0, 1]], r"finite .* but matrix\[0, 1\] is inf"),
            ([["a", "b"], ["c", "d"]], "matrix must be real numbers"),
            ([[1, 2], [3]], "matrix must be real numbers"),
            ("no", "matrix must be real numbers"),
        ],
        ids=str,
    )
    def test_bad_matrix(self, matrix, message):
        with pytest.raises(ValueError, match=message):
            confusion_tree(matrix)

    @pytest.mark.parametrize(
        ("names", "error", "message"),
        [
            (["a"], ValueError, "1 names were given for 4 classes"),
            ({"a"}, TypeError, "names must be in the order"),
            (["a", None, "b", "c"], ValueError, r"names\[1\] is None"),
            ({"a": "b"}, ValueError, "names renames 'a'"),
        ],
        ids=str,
    )
    def test_bad_names(self, names, error, message):
        with pytest.raises(error, match=message):
            confusion_tree(self.matrix, names=names)


class TestRealData:
    def test_clinc150(self, real_data):
        data = real_data("clinc150_logits.npz")
        tree = affinity_tree(data["logits"], n_jobs=2)
        assert superclass_purity(tree, data["domain_of"], adjusted=True) >= 0.46

    def test_imagenet_votes(self, real_data):
        """Triplets of WordNet, rescaled so that random is 0; three kinds, and the birds."""
        data = real_data("imagenet_votes.npz")
        votes = csr_matrix((data["data"], data["indices"], data["indptr"]), data["shape"])
        tree = affinity_tree(votes, input="probabilities")
        assert triplets(tree, data["wordnet_path"]) >= 0.60
        assert superclass_purity(tree, data["kingdom"], adjusted=True) >= 0.75


def triplets(tree, paths, n_triplets=100_000):
    """Share of triples whose closest pair in WordNet is so in the tree, less 1/3, over 2/3."""
    rng = np.random.default_rng(0)
    triples = rng.integers(0, tree.n_leaves, (n_triplets, 3))
    triples = triples[(np.diff(np.sort(triples, axis=1), axis=1) > 0).all(axis=1)]
    pairs = [triples[:, pair] for pair in ([0, 1], [0, 2], [1, 2])]
    depths = []
    for pair in pairs:
        first, second = paths[pair[:, 0]], paths[pair[:, 1]]
        same = (first == second) & (first != "")
        depths.append(np.logical_and.accumulate(same, axis=1).sum(axis=1))
    depths = np.stack(depths, axis=1)
    ordered = np.sort(depths, axis=1)
    clear = ordered[:, 2] > ordered[:, 1]
    joined = first_merges(tree)
    merges = np.stack([joined[pair[:, 0], pair[:, 1]] for pair in pairs], axis=1)[clear]
    share = (merges.argmin(axis=1) == depths[clear].argmax(axis=1)).mean()
    return (share - 1 / 3) / (2 / 3)


def first_merges(tree):
    """The merge that joins each pair of leaves."""
    joined = np.zeros((tree.n_leaves, tree.n_leaves), dtype=np.intp)
    for t, (a, b) in enumerate(tree.children):
        sides = np.ix_(tree.members(a), tree.members(b))
        joined[sides] = joined.T[sides] = t
    return joined
