"""Evidence of merges is that of the plain evaluation, for all kinds of rows."""

import math
import sys
import warnings

import numpy as np
import pytest
from helpers.cases import random_case, sparse_case
from helpers.plain import plain_evidence
from helpers.plain_affinity import plain_affinity_evidence, plain_temperature
from scipy.sparse import csr_matrix
from sklearn import config_context
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skl2h import L2HClustering, MergeTree, merge_evidence, surprises
from skl2h.datasets import make_hierarchical_logits
from skl2h.merge.aggregations import AGGREGATIONS

N_SEEDS = 120
CHUNK = 20


def fitted(logits, weights=None, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = L2HClustering("precomputed", **parameters)
        return model.fit(logits, sample_weight=weights)


def check_against_plain(evidence, logits, weights, n_rows, seed):
    merges = evidence.tree.children.tolist()
    expected = plain_evidence(logits, merges, weights)
    for at, ((selected, partner), (means, share, adds)) in enumerate(zip(merges, expected)):
        where = f"seed {seed}, merge {at}"
        assert evidence.nodes[at] == evidence.tree.n_leaves + at
        assert (evidence.selected[at], evidence.partners[at]) == (selected, partner)
        others = {node: mean for node, mean in means.items() if node != partner}
        best = max(others.values(), default=0.0)
        close = [node for node, mean in others.items() if mean >= best * (1 - 2e-9) and best > 0]
        assert evidence.runners_up[at] == (min(close) if close else -1), where
        assert evidence.partner_means[at] == pytest.approx(means[partner], rel=1e-9), where
        assert evidence.runner_up_means[at] == pytest.approx(best, rel=1e-9), where
        largest = max(best, means[partner])
        margin = (means[partner] - best) / largest if largest else 0.0
        assert evidence.margins[at] == pytest.approx(margin, abs=1e-8), where
        assert evidence.shares[at] == pytest.approx(share, rel=1e-9, nan_ok=True), where
        kind = "stranded" if not largest else "soft" if math.isnan(share) else "rows"
        assert evidence.kinds[at] == kind, where
        # The rows that add most, whatever the order of those that add the same.
        rows = evidence.rows[at].tolist()
        assert len(rows) == len(set(rows)) == min(len(adds), n_rows), where
        found = [adds[row] for row in rows]
        most = sorted(adds.values(), reverse=True)[: len(found)]
        assert found == pytest.approx(most, rel=1e-5), where


@pytest.mark.parametrize("start", range(0, N_SEEDS, CHUNK))
def test_evidence_equals_plain_evaluation(start):
    """With ties, empty and impossible leaves, weights, every dtype, block size and workers."""
    for seed in range(start, start + CHUNK):
        logits, weights, aggregation, memory, n_jobs = random_case(seed)
        model = fitted(logits, weights, aggregation=aggregation, n_jobs=n_jobs)
        with config_context(working_memory=memory):
            evidence = merge_evidence(model, logits, sample_weight=weights, n_rows=4)
        check_against_plain(evidence, logits, weights, 4, seed)
        assert (evidence.margins >= -1e-8).all()  # the partner is the best, but for ties


def check_affinity(evidence, logits, weights, n_rows, where):
    """Beside a plain evaluation, at its own temperature."""
    rows = np.asarray(logits, dtype=float)
    weights = [1.0] * len(rows) if weights is None else list(map(float, weights))
    # In a unit that does not underflow.
    scale = max(weights) if 0 < max(weights) < 1 else 1.0
    weights = [weight / scale for weight in weights]
    temperature = plain_temperature(rows.tolist(), weights)
    children = evidence.tree.children.tolist()
    expected = plain_affinity_evidence(rows, children, weights, temperature)
    for at, (mean, others, sent, lifts, share, has_rows, adds) in enumerate(expected):
        assert (evidence.selected[at], evidence.partners[at]) == tuple(children[at])
        assert evidence.partner_means[at] == pytest.approx(mean, rel=1e-6, abs=1e-6), where
        np.testing.assert_allclose(evidence.sent[at], sent, rtol=1e-6, err_msg=where)
        np.testing.assert_allclose(evidence.lifts[at], lifts, rtol=1e-6, err_msg=where)
        least = min(others.values(), default=math.nan)
        assert evidence.runner_up_means[at] == pytest.approx(least, 1e-6, 1e-6, nan_ok=True), where
        if others:
            runner_up = evidence.runners_up[at]
            assert others[runner_up] == pytest.approx(least, 1e-6, 1e-6), where
            larger = max(mean, least)
            margin = (least - mean) / larger if larger > 1e-9 else 0.0
            assert evidence.margins[at] == pytest.approx(margin, abs=1e-5), where
        else:
            assert (evidence.runners_up[at], evidence.margins[at]) == (-1, 1)
        share = math.nan if share is None else share
        assert evidence.shares[at] == pytest.approx(share, rel=1e-9, nan_ok=True), where
        kind = "rows" if all(has_rows) else "soft"
        assert evidence.kinds[at] == (kind if any(sent) else "stranded"), where
        rows = evidence.rows[at].tolist()
        assert len(rows) == len(set(rows)) == min(len(adds), n_rows), where
        most = sorted(adds.values(), reverse=True)[: len(rows)]
        assert [adds[row] for row in rows] == pytest.approx(most, rel=1e-5), where


@pytest.mark.parametrize("start", range(0, N_SEEDS // 4, CHUNK))
def test_evidence_of_affinity_trees_equals_plain_evaluation(start):
    """With ties, empty and impossible leaves, weights, every dtype, block size and workers."""
    for seed in range(start, start + CHUNK):
        logits, weights, _, memory, n_jobs = random_case(seed)
        model = fitted(logits, weights, method="affinity", n_jobs=n_jobs)
        with config_context(working_memory=memory), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            evidence = merge_evidence(model, logits, sample_weight=weights, n_rows=4)
        check_affinity(evidence, logits, weights, 4, f"seed {seed}")
        np.testing.assert_allclose(evidence.partner_means, model.distances_, rtol=1e-9, atol=1e-9)
        assert (evidence.margins >= -1e-8).all()  # what is merged is closest


@pytest.mark.parametrize("seed", range(10))
def test_evidence_of_affinity_trees_of_sparse_rows(seed):
    stored, full = sparse_case(seed)
    weights = None if seed % 2 else np.random.default_rng(seed).integers(0, 3, len(full))
    model = fitted(stored, weights, method="affinity")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evidence = merge_evidence(model, stored, sample_weight=weights, n_rows=3)
    check_affinity(evidence, full, weights, 3, f"seed {seed}")


@pytest.mark.parametrize("seed", range(20))
def test_evidence_of_rows_that_the_tree_was_not_built_of(seed):
    """Merges are those of the tree; other rows may speak against them."""
    rng = np.random.default_rng(seed)
    model = fitted(rng.standard_normal((30, 12)) * 3)
    logits, weights = rng.standard_normal((25, 12)) * 3, rng.random(25)
    evidence = merge_evidence(model, logits, sample_weight=weights)
    check_against_plain(evidence, logits, weights, 10, seed)
    assert evidence.margins.min() < 0


@pytest.mark.parametrize("seed", range(20))
def test_sparse_rows(seed):
    rng = np.random.default_rng(seed)
    logits = rng.standard_normal((40, 15)) * 3
    impossible = rng.random(logits.shape) < 0.6
    impossible[:, ::4] = rng.random((40, 4)) < 0.98  # leaves with few rows, or none
    impossible[np.arange(40), 1 + np.arange(40) % 3] = False
    logits[:, ::4] -= 10
    logits[impossible] = -np.inf
    possible = np.nonzero(~impossible)
    sparse = csr_matrix((logits[possible], possible), logits.shape)
    evidence = merge_evidence(fitted(sparse), sparse, n_rows=3)
    check_against_plain(evidence, logits, None, 3, seed)
    assert (evidence.kinds == "soft").any()


OPTIONS = [{"aggregation": name} for name in AGGREGATIONS] + [{"method": "affinity"}]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_one_node_is_one_entry_of_all(options):
    logits = np.random.default_rng(0).standard_normal((200, 20)) * 3
    logits[:, ::5] -= 20
    model = fitted(logits, **options)
    every = merge_evidence(model, logits)
    for at, node in enumerate(range(20, 39)):
        one, same = merge_evidence(model, logits, node), every.take(at)
        assert len(one) == 1
        assert str(one) == str(same) == every.lines()[at]
        for name in ("nodes", "selected", "partners", "runners_up", "shares", "kinds"):
            np.testing.assert_array_equal(getattr(one, name), getattr(same, name))
        for name in ("partner_means", "runner_up_means", "margins", "sent", "lifts"):
            if getattr(every, name) is not None:
                np.testing.assert_allclose(getattr(one, name), getattr(same, name), rtol=1e-9)
        assert one.rows[0].tolist() == same.rows[0].tolist()


@pytest.mark.parametrize("method", ["l2h", "affinity"])
def test_equal_rows_are_named_in_their_order(method):
    """Whatever the number of workers and the size of blocks."""
    logits = np.repeat(np.random.default_rng(0).standard_normal((6, 9)) * 3, 20, axis=0)
    expected = None
    for n_jobs, memory in [(1, 1.0), (2, 1.0), (1, 1e-4), (2, 1e-6)]:
        with config_context(working_memory=memory):
            model = fitted(logits, method=method, n_jobs=n_jobs)
            rows = merge_evidence(model, logits, n_rows=30).rows
        assert all((np.diff(part[:20]) == 1).all() for part in rows if len(part))
        expected = expected or [part.tolist() for part in rows]
        assert [part.tolist() for part in rows] == expected


def test_unit_of_weights_scales_the_means_alone():
    logits = np.random.default_rng(0).standard_normal((60, 8))
    weights = np.random.default_rng(1).random(60)
    model = fitted(logits, weights)
    one = merge_evidence(model, logits, sample_weight=weights)
    tiny = merge_evidence(model, logits, sample_weight=weights * 2.0**-900)
    assert str(tiny) == str(one)
    np.testing.assert_array_equal(tiny.partner_means * 2.0**900, one.partner_means)


def test_lines_of_an_affinity_tree():
    """Leaf 0 sends most to 1, 1 as much to 0 as to 2; with three leaves there is no temperature."""
    p = [[0.6, 0.3, 0.1], [0.2, 0.6, 0.2], [0.1, 0.3, 0.6], [0.2, 0.2, 0.6]]
    evidence = merge_evidence(fitted(np.log(p), method="affinity"), np.log(p), n_rows=2)
    (a, b), other = evidence.tree.children[0], evidence.runners_up[0]
    assert sorted([a, b, other]) == [0, 1, 2]
    R = np.array([[0, 0.75, 0.25], [0.5, 0, 0.5], [0.375, 0.625, 0]])
    np.testing.assert_allclose(evidence.sent[0], [R[a, b], R[b, a]])
    np.testing.assert_allclose(evidence.lifts[0], evidence.sent[0] / R.mean(axis=0)[[b, a]])
    first, last = evidence.lines()
    assert first == (
        f"node 3: {a} -- {b}; the first sends {R[a, b]:.0%} to the second, "
        f"{evidence.lifts[0, 0]:.1f} times as much as leaves do on average, and gets "
        f"{R[b, a]:.0%} back, margin {evidence.margins[0]:.2f} over {other}; such as rows "
        f"{evidence.rows[0][0]}, {evidence.rows[0][1]}"
    )
    assert "margin" not in last
    assert str(surprises(evidence.tree, [0, 1, 0]).lines()[0]).endswith(f"node 3: {a} -- {b}")


def test_what_sends_nothing_is_told():
    """Leaf 3 has no rows, and nothing goes from one pair of leaves to the other."""
    logits = np.full((4, 4), -np.inf)
    logits[[0, 1, 2], [0, 1, 2]] = 1.0
    logits[[0, 1], [1, 0]] = 0.0
    logits[2, 3] = 0.0
    logits[3, :2] = 2.0, 0.0
    model = fitted(logits, method="affinity")
    model.set_params(method="l2h")  # the tree tells how it was made
    evidence = merge_evidence(model, logits)
    assert evidence.tree.children.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert evidence.kinds.tolist() == ["rows", "soft", "stranded"]
    lines = evidence.lines()
    assert lines[0].startswith(
        "node 4: 0 -- 1; the first sends 100% to the second, 4.0 times as much as leaves do on "
        "average, and gets 100% back, margin "
    )
    assert "the first sends 100% to the second, 4.0 times as much as leaves do on" in lines[1]
    assert "and gets nothing back, margin" in lines[1]
    assert lines[2] == "node 6: 0, 1 -- 2, 3; neither sends anything to the other"
    assert [rows.tolist() for rows in evidence.rows] == [[0, 1, 3], [2], []]
    assert evidence.shares.tolist() == [1, 1, 0]
    backwards = logits[:, [0, 1, 3, 2]]
    line = merge_evidence(fitted(backwards, method="affinity"), backwards).lines()[1]
    assert "the second sends 100% to the first, 4.0 times as much as leaves do on average" in line
    assert "and gets nothing back" in line


def test_evidence_of_too_many_leaves_is_refused(monkeypatch):
    model = fitted(2 * np.eye(5), method="affinity")
    monkeypatch.setattr("skl2h.hierarchy.build.free_memory", lambda: 999)
    with pytest.raises(ValueError, match="5 leaves takes 1 kB of memory, and there are 999 bytes"):
        merge_evidence(model, 2 * np.eye(5))


def test_lines():
    """Row 2 is torn between leaves 0 and 2, and more for 0."""
    p = [[0.6, 0.3, 0.05, 0.05], [0.7, 0.2, 0.05, 0.05], [0.3, 0.4, 0.25, 0.05],
         [0.05, 0.05, 0.6, 0.3], [0.05, 0.1, 0.25, 0.6], [0.05, 0.6, 0.3, 0.05]]  # fmt: skip
    logits = np.log(p)
    assert merge_evidence(fitted(logits), logits, n_rows=1).lines() == [
        "node 4: 1 -> 2; 50% of its rows, margin 0.33 over 0; such as row 5",
        "node 5: 3 -> 1, 2; 100% of its rows, nothing for any other; such as row 4",
        "node 6: 0 -> 1, 2, 3; 100% of its rows, nothing for any other; such as row 0",
    ]


def test_soft_and_stranded_groups_are_told():
    soft = np.array([[5.0, 1, 3, 0], [0, 5, 1, 0], [6, 1, 4, 0]])
    lines = merge_evidence(fitted(soft), soft).lines()
    assert "node 4: 2 -> 0; no rows of its own, margin" in lines[0]
    assert lines[0].endswith("such as rows 2, 0")
    alone = np.where(np.eye(3) > 0, 0.0, -np.inf)
    evidence = merge_evidence(fitted(alone), alone)
    assert evidence.kinds.tolist() == ["stranded"] * 2
    assert evidence.margins.tolist() == [0, 0]
    assert all(
        line.endswith("no row has a way out, so it went to the group formed earliest")
        for line in evidence.lines()
    )
    assert [len(rows) for rows in evidence.rows] == [0, 0]


@pytest.mark.parametrize("method", ["l2h", "affinity"])
def test_table(method):
    pandas = pytest.importorskip("pandas")
    logits, _, _ = make_hierarchical_logits(300, 8, random_state=0)
    evidence = merge_evidence(fitted(logits, method=method), logits)
    table = evidence.to_pandas()
    assert table.index.tolist() == list(range(8, 15))
    assert table.index.name == "node"
    columns = {
        "selected": "selected", "partner": "partners", "partner_mean": "partner_means",
        "runner_up_mean": "runner_up_means", "margin": "margins", "share": "shares",
        "kind": "kinds",
    }  # fmt: skip
    for column, name in columns.items():
        np.testing.assert_array_equal(table[column], getattr(evidence, name))
    exchange = ["sent", "sent_back", "lift", "lift_back"]
    assert [name for name in exchange if name in table] == exchange * (method == "affinity")
    if method == "affinity":
        expected = np.hstack([evidence.sent, evidence.lifts])
        np.testing.assert_array_equal(table[exchange], expected)
    missing = table["runner_up"].isna().to_numpy()
    assert missing.tolist() == (evidence.runners_up < 0).tolist()
    assert missing[-1]
    assert table["runner_up"].dtype == pandas.Int64Dtype()
    assert table["rows"].tolist() == [rows.tolist() for rows in evidence.rows]
    assert repr(evidence) == "Evidence(n_entries=7)"
    assert evidence._repr_html_() == table._repr_html_()
    assert table["selected_leaves"].iloc[0] == evidence.tree.names[evidence.selected[0]]


def test_table_needs_pandas(monkeypatch):
    evidence = merge_evidence(fitted(2 * np.eye(3)), 2 * np.eye(3))
    found = surprises(MergeTree([(0, 1), (2, 3)]), [0, 1, 1])
    monkeypatch.setitem(sys.modules, "pandas", None)
    for listing in (evidence, found):
        with pytest.raises(ImportError, match=r"to_pandas needs pandas: .*skl2h\[pandas\]"):
            listing.to_pandas()
        assert listing._repr_html_() is None


def test_fitted_models():
    X = np.random.default_rng(0).normal(size=(200, 2))
    model = L2HClustering(KMeans(6, n_init=1, random_state=0)).fit(X)
    evidence = merge_evidence(model, X)
    assert len(evidence) == 5
    pipeline = make_pipeline(FunctionTransformer(), model).fit(X)
    assert str(merge_evidence(pipeline, X)) == str(evidence)
    for selected, rows in zip(evidence.selected, evidence.rows):
        assert np.isin(model.leaf_labels_[rows], model.tree_.members(selected)).all()


def test_one_and_two_leaves():
    one = merge_evidence(fitted(np.ones((4, 1))), np.ones((4, 1)))
    assert len(one) == 0
    assert str(one) == ""
    two = merge_evidence(fitted(2 * np.eye(2)), 2 * np.eye(2), n_rows=0)
    assert two.margins.tolist() == two.shares.tolist() == [1.0]
    assert two.rows[0].tolist() == []
    assert len(merge_evidence(fitted(np.ones((4, 1)), method="affinity"), np.ones((4, 1)))) == 0
    model = fitted(2 * np.eye(2), method="affinity")
    two = merge_evidence(model, 2 * np.eye(2), n_rows=0)
    assert two.margins.tolist() == two.shares.tolist() == [1.0]
    assert two.sent.tolist() == [[1.0, 1.0]]
    assert two.rows[0].tolist() == []


LOGITS = np.eye(4) * 3


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"node": 3}, ValueError, "node 3 is no merge: they are 4 to 6"),
        ({"node": 7}, ValueError, "node 7 is no merge: they are 4 to 6"),
        ({"node": 4.0}, TypeError, r"node must be an integer or None, got 4\.0"),
        ({"n_rows": -1}, ValueError, "n_rows must be at least 0, got -1"),
        ({"n_rows": None}, TypeError, "n_rows must be an integer, got None"),
        ({"sample_weight": [1, 1, -1, 1]}, ValueError, r"sample_weight\[2\] is negative"),
    ],
    ids=str,
)
def test_bad_arguments(arguments, error, message):
    model = fitted(LOGITS)
    with pytest.raises(error, match=message):
        merge_evidence(model, LOGITS, **arguments)


def test_bad_models():
    with pytest.raises(NotFittedError):
        merge_evidence(L2HClustering("precomputed"), LOGITS)
    with pytest.raises(TypeError, match="A fitted L2HClustering is needed, got MergeTree"):
        merge_evidence(MergeTree([(0, 1)]), LOGITS)
    alone = fitted(np.ones((2, 1)))
    with pytest.raises(ValueError, match="a tree of one leaf has none"):
        merge_evidence(alone, np.ones((2, 1)), 0)
