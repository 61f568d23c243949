"""A task is sent only the path of a memory map, and its file may be cut off."""

import os
import pickle
import sys

import numpy as np
import pytest

from skl2h import L2HClustering, l2h_tree, suggest_levels
from skl2h.logits.matrix import Logits, as_logits
from skl2h.logits.memory_maps import place_of, rows_at

LOGITS = np.random.default_rng(0).standard_normal((2000, 6)).astype(np.float32)
ROWS = [slice(0, 2000), slice(3, 40), slice(1999, 2000), slice(7, 7)]


@pytest.fixture(params=["C", "F"])
def mapped(tmp_path, request):
    np.save(tmp_path / "logits.npy", np.asarray(LOGITS, order=request.param))
    return np.load(tmp_path / "logits.npy", mmap_mode="r")


@pytest.mark.parametrize("rows", ROWS, ids=str)
def test_rows_are_found_again(mapped, rows):
    """Slices, and slices of slices, have no record of their own offset."""
    view = np.asarray(mapped[1:])[: rows.stop][rows]
    assert np.array_equal(rows_at(*place_of(mapped[rows])), LOGITS[rows])
    assert np.array_equal(rows_at(*place_of(view)), LOGITS[1:][: rows.stop][rows])


@pytest.mark.parametrize("rows", ROWS[1:], ids=str)
def test_logits_are_pickled_as_a_path(mapped, rows):
    logits = as_logits(mapped, "logits", 2.0)[rows]
    pickled = pickle.dumps(logits)
    assert len(pickled) < 1000
    again = pickle.loads(pickled)
    assert np.array_equal(again.values(), LOGITS[rows] / 2.0)


def test_what_is_not_on_disk_is_sent_itself(tmp_path):
    np.save(tmp_path / "logits.npy", LOGITS)
    changed = np.load(tmp_path / "logits.npy", mmap_mode="c")
    changed[0, 0] = 99
    for scores in (changed, LOGITS, LOGITS[:, 1:], LOGITS[::2]):
        assert place_of(scores) is None
        assert np.array_equal(pickle.loads(pickle.dumps(Logits(scores))).scores, scores)
    whole = np.load(tmp_path / "logits.npy", mmap_mode="r")
    for view in (whole[:, 1:], whole[::2], whole[::-1], whole.view(np.int32), whole[:, ::2]):
        assert place_of(np.asarray(view)) is None


MAPS = {
    "file": lambda array: array,
    "rows of it": lambda array: array[100:4000:3],
    "frame": lambda array: pytest.importorskip("pandas").DataFrame(array, copy=False),
}
READERS = {
    "l2h_tree": lambda model, X: l2h_tree(X),
    "fit": lambda model, X: L2HClustering("precomputed").fit(X),
    "predict": lambda model, X: model.predict(X),
    "suggest_levels": lambda model, X: suggest_levels(model.tree_, X),
}


@pytest.mark.skipif(sys.platform == "win32", reason="it does not cut off what is mapped")
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", MAPS)
def test_a_file_that_is_cut_off_while_it_is_mapped(tmp_path, kind, reader):
    """Reading the missing part would end the process. The path is shown on one line."""
    path = tmp_path / "turned \u202e.npy"
    np.save(path, np.random.default_rng(0).normal(size=(4000, 10)))
    X = MAPS[kind](np.load(path, mmap_mode="r"))
    model = L2HClustering("precomputed").fit(X)
    os.truncate(path, 100_000)
    message = r"turned \\u202e.npy' was cut off after .*: it has 100,000 bytes.* needs 320,128"
    with pytest.raises(ValueError, match=message):
        READERS[reader](model, X)


def test_a_file_that_is_replaced_or_removed_stays_mapped(tmp_path):
    path = tmp_path / "logits.npy"
    np.save(path, np.random.default_rng(0).normal(size=(400, 10)))
    X = np.load(path, mmap_mode="r")
    expected = l2h_tree(X)
    np.save(tmp_path / "other.npy", np.zeros((2, 10)))
    try:
        os.replace(tmp_path / "other.npy", path)
    except PermissionError:
        pytest.skip("what is mapped cannot be replaced here")
    assert l2h_tree(X) == expected
    path.unlink()
    assert l2h_tree(X) == expected
