"""Progress of a fit: reports, printed lines, scikit-learn's callbacks; and interruptions."""

import json
import pickle
from functools import partial
from importlib.util import find_spec

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris, make_blobs
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skl2h import L2HClustering, l2h_tree
from skl2h.logits.matrix import Logits
from skl2h.merge import source
from skl2h.merge.loop import merge_leaves

HAS_CALLBACKS = find_spec("sklearn.callback") is not None
needs_callbacks = pytest.mark.skipif(
    not HAS_CALLBACKS, reason="this version of scikit-learn has no callbacks"
)


@pytest.fixture(scope="module")
def X():
    return make_blobs(200, centers=6, random_state=0)[0]


def random_logits(n_leaves, n=400):
    return np.random.default_rng(n_leaves).standard_normal((n, n_leaves))


@pytest.mark.parametrize("n_leaves", [1, 2, 3, 20, 100, 101, 102, 103, 250])
class TestReports:
    def test_they_rise_from_nothing_to_the_end(self, n_leaves):
        reports = []
        logits = Logits(random_logits(n_leaves))
        merges = merge_leaves(logits, on_merge=lambda *report: reports.append(report))
        made, n_merges, n_reads = zip(*reports)
        assert len(reports) == min(n_leaves, 101)
        assert (made[0], made[-1]) == (0, n_leaves - 1)
        assert (np.diff(made) > 0).all()
        assert set(n_merges) == {n_leaves - 1}
        assert (n_reads[0], n_reads[-1]) == (1, merges.n_reads)
        assert (np.diff(n_reads) >= 0).all()

    def test_a_line_is_printed_at_every_tenth(self, n_leaves, capsys):
        logits = random_logits(n_leaves)
        l2h_tree(logits, verbose=1)
        lines = capsys.readouterr().out.splitlines()
        n_reads = merge_leaves(Logits(logits)).n_reads
        assert lines[0] == f"[l2h] 0 of {n_leaves - 1} merges made, each row read 1.0 times"
        assert lines[-1] == (
            f"[l2h] {n_leaves - 1} of {n_leaves - 1} merges made, each row read {n_reads:.1f} times"
        )
        assert len(lines) == min(n_leaves, 11)
        made = [int(line.split()[1]) for line in lines]
        tenths = [10 * t // max(n_leaves - 1, 1) for t in made]
        assert tenths == sorted(set(tenths))

    def test_they_change_nothing(self, n_leaves):
        logits = random_logits(n_leaves)
        model = L2HClustering("precomputed", verbose=1).fit(logits)
        assert model.tree_ == l2h_tree(logits)


class Interrupt:
    """A hook that is interrupted when it is called for the n-th time."""

    def __init__(self, n):
        self.n_left = n

    def __call__(self, *_, **__):
        self.n_left -= 1
        if self.n_left == 0:
            raise KeyboardInterrupt


def state(model):
    """All that a model holds, but the callbacks that it was given."""
    return pickle.dumps({key: vars(model)[key] for key in vars(model) if key != "_skl_callbacks"})


@pytest.mark.parametrize("n", [1, 3, 6])  # before the merges, among them, after the last
class TestInterruptedMerging:
    @pytest.fixture(autouse=True)
    def _interrupted(self, n, monkeypatch):
        def merge(*args, on_merge=None, **keywords):
            return merge_leaves(*args, on_merge=Interrupt(n), **keywords)

        self.interrupt = partial(monkeypatch.setattr, source, "merge_leaves", merge)

    @pytest.mark.parametrize("inner", [KMeans(6, random_state=0, n_init=1), "precomputed"])
    def test_a_refit_leaves_the_last_fit(self, inner):
        rng = np.random.default_rng(0)
        model = L2HClustering(inner).fit(rng.standard_normal((100, 6)))
        before = state(model)
        self.interrupt()
        X = rng.standard_normal((50, 6))
        with pytest.raises(KeyboardInterrupt):
            model.fit(X)
        assert state(model) == before

    def test_a_first_fit_leaves_nothing(self, X):
        model = L2HClustering(KMeans(6, random_state=0, n_init=1))
        before = state(model)
        self.interrupt()
        with pytest.raises(KeyboardInterrupt):
            model.fit(X)
        assert state(model) == before


class Recorder:
    """A callback that writes what it is told to a file, from whatever process."""

    max_propagation_depth = None

    def __init__(self, path):
        self.path = path

    def setup(self, estimator, context):
        self.write("setup", context)

    def on_fit_task_begin(self, estimator, context):
        self.write("begin", context)

    def on_fit_task_end(self, estimator, context):
        self.write("end", context)

    def teardown(self, estimator, context):
        self.write("teardown", context)

    def write(self, hook, context):
        task = f"{context.estimator_name} {context.task_name}"
        n_tasks, path = context.max_subtasks, []
        while context is not None:
            path.insert(0, context.task_id)
            context = context.parent
        with open(self.path, "a") as file:
            file.write(json.dumps([hook, path, task, n_tasks]) + "\n")

    def read(self):
        """Hook, path, task and number of tasks of all calls."""
        with open(self.path) as file:
            return [(hook, tuple(path), *rest) for hook, path, *rest in map(json.loads, file)]


def check_record(record):
    """Every task that begins ends once, after its own tasks; returns the merge tasks."""
    begun = [path for hook, path, *_ in record if hook == "begin"]
    ended = [path for hook, path, *_ in record if hook == "end"]
    assert sorted(begun) == sorted(ended) == sorted(set(begun))
    for path in begun:
        if path[:-1]:
            assert begun.index(path[:-1]) < begun.index(path)
            assert ended.index(path) < ended.index(path[:-1])
    hooks = [hook for hook, *_ in record]
    assert (hooks[0], hooks.count("setup")) == ("setup", 1)
    assert (hooks[-1], hooks.count("teardown")) == ("teardown", 1)
    merging = [
        (path, n_tasks)
        for hook, path, task, n_tasks in record
        if (hook, task) == ("end", "L2HClustering merge")
    ]
    for path, n_tasks in merging:
        steps = [one for one in ended if one[:-1] == path]
        assert steps == [(*path, step) for step in range(n_tasks)]
    return merging


@needs_callbacks
class TestCallbacks:
    @pytest.fixture
    def recorder(self, tmp_path):
        return Recorder(tmp_path / "record.txt")

    @pytest.mark.parametrize("n_leaves", [1, 2, 20, 101, 250])
    def test_steps_of_the_merges(self, recorder, n_leaves):
        model = L2HClustering("precomputed").set_callbacks(recorder)
        model.fit(random_logits(n_leaves))
        assert check_record(recorder.read()) == [((0, 0), min(n_leaves, 101))]

    @pytest.mark.parametrize("n_leaves", [1, 2, 20])
    def test_an_affinity_tree_is_a_reading_and_one_step(self, recorder, n_leaves):
        model = L2HClustering("precomputed", method="affinity").set_callbacks(recorder)
        model.fit(random_logits(n_leaves))
        assert check_record(recorder.read()) == [((0, 0), min(n_leaves, 2))]

    def test_an_inner_model_without_callbacks_is_one_step(self, recorder, X):
        model = L2HClustering(KMeans(6, random_state=0, n_init=1)).set_callbacks(recorder)
        model.fit_predict(X)
        assert check_record(recorder.read()) == [((0, 1), 6)]

    @pytest.mark.parametrize("depth", [0, 1, None])
    def test_an_inner_model_tells_of_its_own_tasks(self, recorder, depth):
        recorder.max_propagation_depth = depth
        model = L2HClustering(make_pipeline(LogisticRegression(max_iter=1000)))
        model.set_callbacks(recorder).fit(*load_iris(return_X_y=True))
        record = recorder.read()
        assert check_record(record) == [((0, 1), 3)]
        told = {task.split()[0] for _, _, task, _ in record}
        below = {0: set(), 1: {"Pipeline"}, None: {"Pipeline", "LogisticRegression"}}
        assert told == {"L2HClustering"} | below[depth]
        assert not hasattr(model.estimator_, "_skl_callbacks")

    def test_a_frozen_model_is_left_alone(self, recorder):
        X, y = load_iris(return_X_y=True)
        inner = LogisticRegression(max_iter=1000).set_callbacks(recorder).fit(X, y)
        before, coef = dict(vars(inner)), inner.coef_.copy()
        recorder.path = recorder.path.with_name("second.txt")
        model = L2HClustering(FrozenEstimator(inner)).set_callbacks(recorder).fit(X)
        assert check_record(recorder.read()) == [((0, 1), 3)]
        recorder.path = recorder.path.with_name("record.txt")
        assert model.estimator_.estimator is inner
        assert vars(inner).keys() == before.keys()
        assert all(vars(inner)[name] is value for name, value in before.items())
        assert np.array_equal(inner.coef_, coef)

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_within_a_search(self, recorder, X, n_jobs):
        model = L2HClustering(KMeans(6, random_state=0, n_init=1))
        search = GridSearchCV(model, {"temperature": [1, 2]}, cv=2, n_jobs=n_jobs)
        search.set_callbacks(recorder).fit(X)
        fits = [(0, 0, fit, 1) for fit in range(4)] + [(0, 1, 1)]
        assert sorted(check_record(recorder.read())) == [(path, 6) for path in fits]
        assert not hasattr(search.best_estimator_, "_skl_callbacks")

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_progress_bar(self, X, n_jobs, capsys):
        pytest.importorskip("rich")
        from sklearn.callback import ProgressBar

        model = L2HClustering(KMeans(6, random_state=0, n_init=1))
        model.set_callbacks(ProgressBar()).fit(X)
        lines = capsys.readouterr().out.splitlines()
        assert [line.split("#")[0].split("━")[0].strip() for line in lines] == [
            "L2HClustering - fit",
            "L2HClustering - merge",
        ]
        assert all("100%" in line for line in lines)
        search = GridSearchCV(model.set_callbacks(), {"temperature": [1, 2]}, cv=2, n_jobs=n_jobs)
        search.set_callbacks(ProgressBar()).fit(X)
        lines = capsys.readouterr().out.splitlines()
        assert sum("L2HClustering - merge" in line for line in lines) == 5
        assert all("100%" in line for line in lines)

    def test_the_estimator_is_ready_at_the_end(self, recorder, X):
        class AtTheEnd(Recorder):
            def on_fit_task_end(self, estimator, context, *, X, fitted_estimator):
                if fitted_estimator is not None:
                    self.labels = fitted_estimator.predict(X)

        callback = AtTheEnd(recorder.path)
        model = L2HClustering(KMeans(6, random_state=0, n_init=1)).set_callbacks(callback).fit(X)
        assert np.array_equal(callback.labels, model.labels_)

    def test_saved_and_cloned_models_keep_their_callbacks(self, recorder, X):
        model = L2HClustering(KMeans(6, random_state=0, n_init=1)).set_callbacks(recorder).fit(X)
        copy = pickle.loads(pickle.dumps(model))
        assert copy.tree_ == model.tree_
        for other in (copy, clone(model)):
            recorder.path.unlink()
            other.fit(X)
            assert check_record(recorder.read()) == [((0, 1), 6)]

    @pytest.mark.parametrize("method", ["l2h", "affinity"])
    @pytest.mark.parametrize("first", [True, False])
    def test_an_interrupted_fit_is_the_last_fit_or_a_whole_one(self, X, first, method):
        """Interrupted in any hook: only the last one comes when the fit is done."""

        class Interrupter(Recorder):
            def __init__(self, n):
                self.on_fit_task_begin = self.on_fit_task_end = Interrupt(n)

            setup = teardown = lambda *_, **__: None

        model = L2HClustering(KMeans(4, random_state=0, n_init=1), method=method)
        # Begin and end of the fit, of the inner fit, of the merging and of its steps.
        n_hooks = 2 * (3 + {"l2h": 4, "affinity": 2}[method])
        for n in range(1, n_hooks + 2):
            model = clone(model) if first else model.set_callbacks().fit(X)
            model.set_callbacks(Interrupter(n))
            before = state(model)
            if n > n_hooks:
                model.fit(X[:100])
            else:
                with pytest.raises(KeyboardInterrupt):
                    model.fit(X[:100])
            if n < n_hooks:
                assert state(model) == before
            else:
                fresh = clone(model).set_callbacks().fit(X[:100])
                assert vars(model).keys() == {*vars(fresh), "_skl_callbacks"}
                assert model.tree_ == fresh.tree_


def test_silent_by_default(X, capsys):
    """With and without callbacks in scikit-learn, which alone decide whether we have them."""
    model = L2HClustering(KMeans(6, random_state=0, n_init=1)).fit(X)
    assert capsys.readouterr() == ("", "")
    added = [name for name in dir(model) if "callback" in name and not hasattr(BaseEstimator, name)]
    assert added == (["_init_callback_context", "set_callbacks"] if HAS_CALLBACKS else [])
