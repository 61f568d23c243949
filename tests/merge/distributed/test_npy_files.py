"""Several files of logits are one matrix, whoever reads them."""

import os
import re
from itertools import pairwise

import numpy as np
import pytest
from helpers.cases import random_case
from joblib import parallel_backend

from skl2h import L2HClustering, l2h_tree
from skl2h.__main__ import main
from skl2h.export import export_text
from skl2h.merge.aggregations import AGGREGATIONS
from skl2h.merge.distributed import npy_files

LOGITS = np.random.default_rng(0).standard_normal((50, 6)) * 3


def save(folder, array, n_files=3, order="C"):
    """Write rows to files, some longer than others."""
    bounds = np.linspace(0, len(array), n_files + 1).astype(int)
    paths = []
    for number, (start, stop) in enumerate(pairwise(bounds)):
        paths.append(folder / f"part-{number}.npy")
        np.save(paths[-1], np.asarray(array[start:stop], order=order))
    return paths


@pytest.mark.parametrize("entries", [1, 40, 2**24])
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.filterwarnings("ignore:In float64, no row gives any probability:UserWarning")
def test_files_are_one_matrix(tmp_path, monkeypatch, n_jobs, entries):
    """With ties, empty leaves, -inf, weights, every dtype, and files in pieces."""
    monkeypatch.setattr("skl2h.merge.distributed.npy_files.SHARD_ENTRIES", entries)
    first = entries % 7 + 7 * n_jobs  # other cases for each length of pieces
    for seed in range(first, first + 7):
        logits, weights, aggregation, _, _ = random_case(seed)
        options = {"sample_weight": weights, "aggregation": aggregation}
        paths = save(tmp_path, logits, min(3, len(logits)), "CF"[seed % 2])
        tree = l2h_tree(paths, n_jobs=n_jobs, **options)
        expected = l2h_tree(logits, **options)
        assert np.array_equal(tree.children, expected.children), seed
        np.testing.assert_allclose(tree.scores, expected.scores, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(tree.counts, expected.counts, rtol=1e-12)


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_any_backend_of_joblib(tmp_path, monkeypatch, backend, aggregation):
    """Workers that share no memory make the state of the rows again in each pass."""
    monkeypatch.setattr("skl2h.merge.distributed.npy_files.SHARD_ENTRIES", 40)
    logits = LOGITS.copy()
    logits[:, 4:] -= 90  # leaves without rows
    paths = save(tmp_path, logits)
    for weights in (None, np.random.default_rng(1).random(len(logits))):
        options = {"sample_weight": weights, "aggregation": aggregation}
        with parallel_backend(backend):
            assert npy_files.open_shards(paths).keep == (backend == "threading")
            tree = l2h_tree([*map(str, paths)], n_jobs=2, **options)
        expected = l2h_tree(logits, **options)
        assert np.array_equal(tree.children, expected.children)
        np.testing.assert_allclose(tree.scores, expected.scores, rtol=1e-12)


def write_bad(path, value):
    array = LOGITS[:9].copy()
    array[4, 2] = value
    np.save(path, array)


def write_archive(path):
    with path.open("wb") as file:
        np.savez(file, LOGITS)


def cut_off(path, array=None):
    """Take the second half of a file away, as a copy that ends too early lacks it."""
    if array is not None:
        np.save(path, array)
    os.truncate(path, path.stat().st_size // 2)


BAD = {
    "nan": (lambda path: write_bad(path, np.nan), ValueError,
            "Row 54 of the logits has NaN in column 2.* It is row 4 of .*bad.npy"),
    "width": (lambda path: np.save(path, LOGITS[:, :5]), ValueError,
              "bad.npy has 5 columns, and .*part-0.npy 6"),
    "empty": (lambda path: np.save(path, LOGITS[:0]), ValueError, "bad.npy has no rows"),
    "flat": (lambda path: np.save(path, LOGITS[0]), ValueError,
             r"bad.npy has an array of float64 and shape \(6,\)"),
    "text": (lambda path: np.save(path, np.array([["a"] * 6])), ValueError, "bad.npy has .*<U1"),
    "no array": (lambda path: path.write_text("nothing"), ValueError,
                 "bad.npy cannot be read: it holds Python objects, or is no file of arrays"),
    "objects": (lambda path: np.save(path, LOGITS.astype(object), allow_pickle=True), ValueError,
                "bad.npy cannot be read: it holds Python objects"),
    "truncated": (lambda path: path.write_bytes(b"\x93NUMPY"), ValueError,
                  "bad.npy cannot be read"),
    "cut off": (lambda path: cut_off(path, LOGITS), ValueError,
                "bad.npy cannot be read: it was cut off: it has fewer bytes than its array needs"),
    "archive": (write_archive, ValueError, "bad.npy is an archive"),
    "missing": (lambda path: None, OSError, "bad.npy"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_named(tmp_path, name):
    write, error, message = BAD[name]
    bad = tmp_path / "bad.npy"
    write(bad)
    paths = [*save(tmp_path, LOGITS), bad]
    with pytest.raises(error, match=message):
        l2h_tree(paths)


def test_a_model_is_fitted_on_rows_not_on_files(tmp_path):
    with pytest.raises(TypeError, match=r"l2h_tree\(paths\).*a Dask array with a chunk for each"):
        L2HClustering("precomputed").fit(save(tmp_path, LOGITS))


def test_files_that_vanish_are_named(tmp_path):
    paths = save(tmp_path, LOGITS)
    opened = npy_files.open_shards(paths)
    paths[1].unlink()
    with pytest.raises(RuntimeError, match=r"part-1.npy cannot be read"):
        opened.read()


@pytest.mark.parametrize(
    ("later", "had"),
    [
        (LOGITS[:3], rf"shape \({len(LOGITS[:3])}, 6\)"),
        (LOGITS[:, :4], r"shape \(\d+, 4\)"),
        (LOGITS.astype(np.float32), "of float32"),
    ],
)
def test_files_that_change_while_they_are_read_are_named(tmp_path, later, had):
    paths = save(tmp_path, LOGITS)
    opened = npy_files.open_shards(paths)
    np.save(paths[1], later)
    with pytest.raises(RuntimeError, match=f"part-1.npy changed while it was read.* {had}"):
        opened.read()


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_files_that_are_cut_off_between_passes_are_named(tmp_path, monkeypatch, backend):
    """To read what is mapped of them, and not there, would end the process."""
    paths = save(tmp_path, np.random.default_rng(0).standard_normal((600, 50)))
    update = npy_files.Shards.update

    def cut_and_update(self, grown):
        cut_off(paths[1])
        return update(self, grown)

    monkeypatch.setattr(npy_files.Shards, "update", cut_and_update)
    message = r"part-1.npy was cut off while it was read: it has [\d,]+ bytes, and its array needs"
    with parallel_backend(backend), pytest.raises(RuntimeError, match=message):
        l2h_tree(paths, n_jobs=2)


@pytest.mark.parametrize(
    ("later", "n_jobs", "message"),
    [
        (np.full((20, 20), np.nan), 2, "row 0 of the logits has NaN"),
        (None, 1, "it is an archive"),
    ],
)
def test_files_that_change_between_passes_are_named(tmp_path, monkeypatch, later, n_jobs, message):
    """Workers that share no memory, of which one is this process, read rows anew in each pass."""
    paths = save(tmp_path, np.random.default_rng(0).standard_normal((60, 20)))
    update = npy_files.Shards.update

    def change_and_update(self, grown):
        if later is None:
            with paths[1].open("wb") as file:
                np.savez(file, logits=LOGITS)
        else:
            np.save(paths[1], later)
        return update(self, grown)

    monkeypatch.setattr(npy_files.Shards, "update", change_and_update)
    assert later is None or later.shape == np.load(paths[1]).shape
    with (
        parallel_backend("loky"),
        pytest.raises(RuntimeError, match=f"part-1.npy changed while it was read: {message}"),
    ):
        l2h_tree(paths, n_jobs=n_jobs)


@pytest.mark.parametrize("fault", ["was cut off", "changed"])
def test_paths_are_shown_on_one_line(tmp_path, fault):
    """Also those of files that are at fault only when they are read again."""
    folder = tmp_path / "turned \u202e"  # which turns the direction of what follows
    folder.mkdir()
    paths = save(folder, LOGITS)
    with parallel_backend("loky"):
        opened = npy_files.open_shards(paths)
    opened.read()
    if fault == "changed":
        np.save(paths[1], np.full_like(np.load(paths[1]), np.nan))
    else:
        cut_off(paths[1])
    message = rf"turned \\u202e\S*part-1.npy' {fault} while it was read: "
    with pytest.raises(RuntimeError, match=message):
        opened.soft(np.array([0]))


def test_paths_that_are_no_list(tmp_path):
    paths = save(tmp_path, LOGITS)
    for path in (str(paths[0]), paths[0]):
        for call in (l2h_tree, L2HClustering("precomputed").fit):
            with pytest.raises(TypeError, match=r"Files are taken as a list.*part-0.npy'\]"):
                call(path)
    expected = l2h_tree(LOGITS).children
    assert np.array_equal(l2h_tree(np.array(list(map(str, paths)))).children, expected)


def test_build_reads_a_pattern_or_several_files(tmp_path, capsys):
    paths = list(map(str, save(tmp_path, LOGITS)))
    expected = export_text(l2h_tree(LOGITS)) + "\n"
    for given in ([str(tmp_path / "part-*.npy")], paths):
        assert main(["build", *given]) == 0
        assert capsys.readouterr().out == expected


BAD_COMMANDS = {
    "no file": (["part-*.npz"], "part-.*.npz: matches no file"),
    "table": (["part-0.npy", "table.csv"], "table.csv: of several files, each must be .npy"),
    "option": (["part-*.npy", "--header", "yes"], "--header yes: is not for .npy files"),
    "missing": (["part-0.npy", "part-9.npy"], "part-9.npy: No such file"),
    "level": (["part-*.npy", "--level", "9"], r"--level 9: part-\*.npy has 6 columns"),
    "bad": (["*.npy"], r"Row 4 of the logits .* It is row 4 of bad.npy"),
}


@pytest.mark.parametrize("name", BAD_COMMANDS)
def test_bad_commands(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    write_bad(tmp_path / "bad.npy", np.inf)
    save(tmp_path, LOGITS)
    arguments, message = BAD_COMMANDS[name]
    assert main(["build", *arguments]) == 1
    assert re.match(f"skl2h: error: .*{message}", capsys.readouterr().err)
