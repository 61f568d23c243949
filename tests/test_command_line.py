"""`skl2h` reads a file of logits and writes a tree."""

import csv
import os
import re
import subprocess
import sys
import types
import warnings

import numpy as np
import pytest
from helpers.trees import printed

import skl2h.export
from skl2h import MergeTree, __version__, l2h_tree
from skl2h.export import (
    export_csv,
    export_json,
    export_newick,
    from_json,
    from_newick,
    tree_files,
)

LOGITS = np.random.default_rng(0).standard_normal((40, 5)) * 3


def save(name, **arrays):
    if name.endswith(".csv"):
        np.savetxt(name, LOGITS, delimiter=",", fmt="%.17g", **arrays)
    elif name.endswith(".npz"):
        np.savez(name, **arrays)
    else:
        np.save(name, LOGITS)


@pytest.mark.parametrize("name", ["logits.npy", "logits.csv", "one.npz", "several.npz"])
def test_build_prints_the_tree_of_the_file(run, name):
    arrays = {"one.npz": {"a": LOGITS}, "several.npz": {"y": LOGITS, "logits": LOGITS}}
    save(name, **arrays.get(name, {}))
    assert run("build", name) == (0, printed(l2h_tree(LOGITS)), "")


def test_build_prints_the_groups_of_levels(run):
    save("logits.npy")
    code, out, _ = run("build", "logits.npy", "--level", 1, 2)
    assert code == 0
    groups = l2h_tree(LOGITS).cut(2)
    members = [", ".join(map(str, np.flatnonzero(groups == group))) for group in (0, 1)]
    levels = f"level 1\n  0: 0, 1, 2, 3, 4\n\nlevel 2\n  0: {members[0]}\n  1: {members[1]}\n"
    assert out.endswith("\n\n" + levels)


def test_groups_of_a_large_tree_are_listed_in_time():
    """Nothing quadratic: this would take minutes otherwise."""
    tree = MergeTree(np.arange(199_998).reshape(-1, 2))
    lines = tree_files.text(tree, [100_000]).split("\n")
    assert lines[-100_001:] == [*(f"  {leaf}: {leaf}" for leaf in range(100_000)), ""]


def test_build_writes_by_ending(run, tmp_path):
    save("logits.npy")
    tree = l2h_tree(LOGITS)
    expected = {
        "tree.csv": export_csv(tree, levels=[3, 2]),
        "tree.json": export_json(tree, levels=[3, 2]) + "\n",
        "tree.flat.json": export_json(tree, nested=False, levels=[3, 2]) + "\n",
        "tree.nwk": export_newick(tree) + "\n",
        "TREE.NEWICK": export_newick(tree) + "\n",
    }
    outputs = [f"--out={name}" for name in [*expected, "tree.txt"]]
    assert run("build", "logits.npy", "--level", 3, 2, *outputs) == (0, "", "")
    assert run("build", "logits.npy", "--level", 3, 2)[1] == (tmp_path / "tree.txt").read_text()
    assert {name: (tmp_path / name).read_text() for name in expected} == expected
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted(["logits.npy", "tree.txt", *expected])


def test_build_writes_names_as_they_are(run, tmp_path):
    """Line breaks within names are not translated."""
    names = ["a\r\nb", "a\nb", "\r", "\u4e2d", "it's"]
    np.savez("a.npz", logits=LOGITS, names=names)
    assert run("build", "a.npz", "--out=a.nwk", "--out=a.csv", "--out=a.json")[0] == 0
    tree = l2h_tree(LOGITS).with_names(names)
    assert (tmp_path / "a.csv").read_bytes().decode() == export_csv(tree)
    newick = (tmp_path / "a.nwk").read_bytes().decode()
    assert from_newick(newick, leaves=names).with_names(None) == MergeTree(
        tree.children, scores=[1, 2, 3, 4]
    )
    assert from_json((tmp_path / "a.json").read_text()) == tree


@pytest.fixture
def stand_ins(monkeypatch):
    """Stand-ins for page and pictures, which record their arguments and closed pictures."""
    matplotlib = pytest.importorskip("matplotlib")
    from matplotlib import pyplot

    class DendrogramDisplay:
        @classmethod
        def from_tree(cls, tree, *, layout, level):
            display = cls()
            display.figure_ = pyplot.figure()
            display.figure_.text(0.5, 0.5, f"{tree.n_leaves} {layout} {level}")
            return display

    plotting = types.ModuleType("skl2h.plotting.dendrogram")
    plotting.DendrogramDisplay = DendrogramDisplay
    monkeypatch.setitem(sys.modules, "skl2h.plotting.dendrogram", plotting)
    monkeypatch.setattr(
        skl2h.export.html_page, "export_html", lambda tree, level: f"<p>{level}", raising=False
    )
    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")  # a text is written as text


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize(
    ("n_leaves", "levels", "shown"),
    [
        (5, [], "5 rectangular None"),
        (5, [2, 3], "5 rectangular 2"),
        (60, [], "60 rectangular 10"),
        (61, [], "61 radial 10"),
        (61, [7], "61 radial 7"),
    ],
)
def test_page_and_pictures_fit_the_tree(run, tmp_path, n_leaves, levels, shown):
    np.save("a.npy", np.random.default_rng(0).standard_normal((99, n_leaves)))
    outputs = [f"--out=a.{kind}" for kind in ("html", "png", "svg", "pdf")]
    levels = ["--level", *levels] if levels else []
    assert run("build", "a.npy", *outputs, *levels) == (0, "", "")
    assert (tmp_path / "a.html").read_text() == f"<p>{shown.split()[-1]}"
    assert shown in (tmp_path / "a.svg").read_text()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert run("build", "a.npy", *outputs, *levels)[0] == 0
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert not sys.modules["matplotlib.pyplot"].get_fignums()


@pytest.mark.usefixtures("stand_ins")
def test_demo_writes_pictures_and_pages_of_both_trees(run, tmp_path, monkeypatch):
    page = skl2h.export.html_page
    monkeypatch.setattr(page, "export_html", lambda tree, level: f"{tree.method} {level}")
    code, out, err = run("demo", "--out", "new")
    assert (code, err) == (0, "")
    ends = ["-radial.png", ".html", ".png"]
    names = [f"digits{tree}{end}" for tree in ("", "-affinity") for end in ends]
    files = {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()}
    assert sorted(files) == sorted(names)
    for end in (".png", "-radial.png"):
        assert files[f"digits{end}"].startswith(b"\x89PNG")
        assert files[f"digits-affinity{end}"].startswith(b"\x89PNG")
    assert (files["digits.html"], files["digits-affinity.html"]) == (b"l2h 4", b"affinity 4")
    assert [out.count(f"Written: {os.path.join('new', name)}\n") for name in names] == [1] * 6
    (tmp_path / "file").touch()
    code, out, err = run("demo", "--out", "file")
    assert (code, out, err) == (1, "", "skl2h: error: --out file: File exists.\n")


@pytest.mark.parametrize(
    "ending", ["txt", "csv", "json", "flat.json", "nwk", "html", "png", "svg", "pdf"]
)
def test_real_outputs(run, tmp_path, ending):
    pytest.importorskip("skl2h.plotting.dendrogram")
    pytest.importorskip("matplotlib")
    np.savez("a.npz", logits=LOGITS, names=["<b>", "$x$", "", "a\nb", "\u00e9"])
    assert run("build", "a.npz", "--level", 3, f"--out=a.{ending}") == (0, "", "")
    assert (tmp_path / f"a.{ending}").stat().st_size > 20


def test_pictures_need_matplotlib_before_the_work(run, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, _, err = run("build", "missing.npy", "--out=a.csv", "--out=a.png")
    message = 'skl2h: error: --out a.png: a picture needs matplotlib: pip install "skl2h[plot]".\n'
    assert (code, err) == (1, message)
    assert run("demo", "--out", "x")[0] == 1
    # The check and the writing use the ending of the same name.
    code, _, err = run("build", "missing.npy", "--out=.PNG")
    assert (code, err) == (1, message.replace("a.png", ".PNG"))


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (["a.csv", "b.csv", "./a.csv"], "--out a.csv: would overwrite --out a.csv"),
        (["link.csv", "a.csv"], "--out a.csv: would overwrite --out link.csv"),
        (["a.csv", "b.xyz"], "--out b.xyz: the ending says what to write, one of .txt, .csv, "),
        (["a.csv", "no/b.csv"], "--out no/b.csv: No such file or directory"),
        (["a.csv", "file/b.csv"], "--out file/b.csv: Not a directory"),
        (["a.csv", "folder.csv"], "--out folder.csv: Is a directory"),
        (["a.csv", "csv"], "--out csv: the ending says"),
    ],
)
def test_outputs_are_checked_before_anything_is_read(run, tmp_path, outputs, message):
    (tmp_path / "link.csv").symlink_to("a.csv")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").touch()
    before = sorted(tmp_path.iterdir())
    code, _, err = run("build", "missing.npy", *(f"--out={path}" for path in outputs))
    assert (code, err.count("\n")) == (1, 1)
    assert message in err
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("place", ["a.csv", "folder"])
def test_what_may_not_be_written_is_left(run, tmp_path, monkeypatch, place):
    """A write-protected file is not replaced, though its folder would allow it."""
    save("logits.npy")
    (tmp_path / "folder").mkdir()
    (tmp_path / "a.csv").write_text("old")
    denied = tmp_path / place  # not by its mode, which root may ignore
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != denied and access(path, mode))
    path = "a.csv" if place == "a.csv" else "folder/a.csv"
    code, _, err = run("build", "logits.npy", "--out=b.csv", f"--out={path}")
    assert (code, err) == (1, f"skl2h: error: --out {path}: Permission denied.\n")
    assert (tmp_path / "a.csv").read_text() == "old"
    assert not (tmp_path / "b.csv").exists()


def test_all_outputs_are_written_or_none(run, tmp_path):
    """A name that UTF-8 cannot encode is an error in CSV, but not in JSON, which is ASCII."""
    np.savez("a.npz", logits=LOGITS, names=["\ud800", "b", "c", "d", "e"])
    (tmp_path / "a.json").write_text("old")
    code, _, err = run("build", "a.npz", "--out=a.json", "--out=b.json", "--out=a.csv")
    assert (code, "--out a.csv: a name cannot be written" in err) == (1, True)
    assert (tmp_path / "a.json").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.npz"]
    assert run("build", "a.npz", "--out=a.json")[0] == 0
    assert from_json((tmp_path / "a.json").read_text()).names[0] == "\ud800"


@pytest.mark.parametrize("moment", ["made", "written"])
def test_an_interrupt_leaves_what_was_there(run, tmp_path, monkeypatch, moment):
    def interrupt(*_):
        raise KeyboardInterrupt

    save("logits.npy")
    (tmp_path / "a.csv").write_text("old")
    if moment == "made":
        monkeypatch.setitem(tree_files.TEXT_WRITERS, ".txt", interrupt)
    else:
        monkeypatch.setattr(os, "replace", interrupt)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    found = run("build", "logits.npy", "--out=a.csv", "--out=b.txt")
    assert found == (130, "", "skl2h: interrupted\n")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_names_of_outputs_may_be_as_long_as_any(run, tmp_path):
    save("logits.npy")
    name = "x" * 251 + ".csv"
    assert run("build", "logits.npy", f"--out={name}") == (0, "", "")
    assert (tmp_path / name).read_text() == export_csv(l2h_tree(LOGITS))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_only_regular_files_are_replaced(run, tmp_path):
    save("logits.npy")
    os.mkfifo(tmp_path / "a.csv")
    code, _, err = run("build", "logits.npy", "--out=a.csv")
    assert (code, err.startswith("skl2h: error: --out a.csv: is no regular file")) == (1, True)
    assert (tmp_path / "a.csv").is_fifo()


def test_warnings_of_outputs_are_told_with_them(run, monkeypatch):
    class OldWarning(DeprecationWarning, UserWarning):
        pass

    def warn(tree, levels):
        for _ in range(2):
            warnings.warn("No glyph.", UserWarning, stacklevel=1)
        warnings.warn("Nothing that a user could do.", OldWarning, stacklevel=1)
        return "text"

    monkeypatch.setitem(tree_files.TEXT_WRITERS, ".txt", warn)
    save("logits.npy")
    found = run("build", "logits.npy", "--out=a.txt")
    assert found == (0, "", "skl2h: warning: --out a.txt: No glyph.\n")


def test_build_reads_probabilities(run):
    p = np.random.default_rng(0).dirichlet(np.ones(4), 50)
    np.savez("p.npz", probabilities=p, logits=2 * p)
    with np.errstate(divide="ignore"):
        expected = printed(l2h_tree(np.log(p)))
    assert run("build", "p.npz", "--probabilities")[1] == expected
    assert run("build", "p.npz")[1] == printed(l2h_tree(2 * p))
    assert run("build", "p.npz", "--array", "probabilities", "--probabilities")[1] == expected


def test_names_come_from_a_file_a_header_or_the_archive(run, tmp_path):
    names = ["cat", "d o g", 'a "b"', "\u00e9", "car, red"]
    expected = printed(l2h_tree(LOGITS).with_names(names))
    save("logits.npy")
    (tmp_path / "names.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    assert run("build", "logits.npy", "--names", "names.txt")[1] == expected
    save("logits.npz", logits=LOGITS, names=names)
    assert run("build", "logits.npz")[1] == expected
    with open("logits.csv", "w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file).writerows([names, *LOGITS.tolist()])
    assert run("build", "logits.csv")[1] == expected


def test_files_may_begin_with_a_byte_order_mark(run, tmp_path):
    (tmp_path / "a.csv").write_text("3,1\n0,2\n", encoding="utf-8-sig")
    (tmp_path / "names.txt").write_text("cat\ndog\n", encoding="utf-8-sig")
    tree = l2h_tree([[3, 1], [0, 2]]).with_names(["cat", "dog"])
    found = run("build", "a.csv", "--names", "names.txt")
    assert found == (0, printed(tree), "")


def test_header_of_numbers_is_what_it_is_said_to_be(run, tmp_path):
    (tmp_path / "a.csv").write_text("0,1\n3,2\n")
    assert "2 leaves, 1 row," in run("build", "a.csv", "--header", "yes")[1]
    assert "2 leaves, 2 rows," in run("build", "a.csv", "--header", "no")[1]


def test_other_objects_in_an_archive_do_not_matter(run):
    np.savez("a.npz", logits=LOGITS, extra=np.array([{}], dtype=object))
    assert run("build", "a.npz")[0] == 0
    np.savez("a.npz", scores=LOGITS, extra=np.array([{}], dtype=object))
    assert run("build", "a.npz")[0] == 0


def test_names_are_not_overwritten(run, tmp_path):
    save("logits.npy")
    (tmp_path / "names.txt").write_text("a\nb\nc\nd\ne\n")
    arguments = ["--names", "names.txt", "--out", "names.txt"]
    code, _, err = run("build", "logits.npy", *arguments)
    assert (code, "overwrite what is read" in err) == (1, True)


def test_names_cannot_look_like_lines(run):
    np.savez("a.npz", logits=LOGITS, names=["a\nlevel 9", "b", "c", "d", "e"])
    lines = run("build", "a.npz", "--level", 1)[1].splitlines()
    assert "level 9" not in lines
    assert lines[-1] == "  0: 'a\\nlevel 9', b, c, d, e"


def test_links_stay_links(run, tmp_path):
    save("logits.npy")
    (tmp_path / "real.csv").touch()
    (tmp_path / "link.csv").symlink_to("real.csv")
    assert run("build", "logits.npy", "--out", "link.csv")[0] == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text().startswith("node,")


def test_infinite_logits_in_a_table(run, tmp_path):
    (tmp_path / "a.csv").write_text("0,-inf,1\n-inf,0,1\n3,2,1\n")
    code, out, err = run("build", "a.csv")
    assert (code, err) == (0, "")
    assert "3 leaves, 3 rows" in out


def test_warnings_are_told_once(run, tmp_path):
    (tmp_path / "a.csv").write_text("0,-inf,-inf\n0,-inf,-inf\n")
    code, _, err = run("build", "a.csv")
    assert code == 0
    assert err.startswith("skl2h: warning: In float64, no row gives any probability to a way out")


def objects(path):
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)


def truncated(path):
    np.save(path, LOGITS)
    path.write_bytes(path.read_bytes()[:-9])


def truncated_archive(path):
    np.savez(path, logits=LOGITS)
    path.write_bytes(path.read_bytes()[:-99])


def save_as(function, path):
    with open(path, "wb") as file:  # with no ending of NumPy's own
        function(file, LOGITS)


BAD = {
    "missing": ("a.npy", None, [], "a.npy: No such file or directory"),
    "a folder": ("a.npy", lambda path: path.mkdir(), [], "a.npy: Is a directory"),
    "empty": ("a.npy", lambda path: path.touch(), [], "a.npy: cannot be read"),
    "truncated": ("a.npy", truncated, [], "a.npy: cannot be read: it was cut off"),
    "truncated archive": ("a.npz", truncated_archive, [], "a.npz: cannot be read: File is not a"),
    "objects": ("a.npy", objects, [], "it holds Python objects, or is no file of arr"),
    "objects in an archive": (
        "a.npz", lambda p: np.savez(p, a=np.array([{}], dtype=object)), [], "holds a; say with"
    ),
    "objects by name": (
        "a.npz",
        lambda p: np.savez(p, a=np.array([{}], dtype=object)),
        ["--array=a"],
        "it holds Python objects",
    ),
    "names of objects": (
        "a.npz",
        lambda p: np.savez(p, a=LOGITS, names=np.array(list("abcde"), dtype=object)),
        [],
        "not one text for each cluster: save it with astype(str), or give --names.",
    ),
    "pickle": ("a.npy", lambda p: p.write_bytes(b"\x80\x04N."), [], "it holds Python objects"),
    "pickle as archive": (
        "a.npz", lambda p: p.write_bytes(b"\x80\x04N."), [], "it holds Python objects"
    ),
    "broken header": (
        "a.npy", lambda p: p.write_bytes(b"\x93NUMPY\x01\x00\x06\x00{'a':\n"), [], "cannot be read"
    ),
    "archive as array": (
        "a.npy", lambda p: save_as(np.savez, p), [], "is an archive: rename it to .npz"
    ),
    "array as archive": (
        "a.npz", lambda p: save_as(np.save, p), [], "is a single array: rename it to"
    ),
    "few names": (
        "a.npz", lambda p: np.savez(p, a=LOGITS, names=["a", "b"]), [], "names 2 clusters, but the"
    ),
    "names of bytes": (
        "a.npz", lambda p: np.savez(p, a=LOGITS, names=[b"a"] * 5), [], "not one text for each"
    ),
    "row numbers": ("a.csv", lambda p: p.write_text(",x\n0,2\n"), [], "as row numbers have"),
    "partly numbers": (
        "a.csv", lambda p: p.write_text("1,x2\n3,2\n"), [], "partly numbers: say with --header"
    ),
    "surrogates": (
        "a.npz",
        lambda p: np.savez(p, a=LOGITS, names=["\ud800", "b", "c", "d", "e"]),
        ["--out=b.csv"],
        "--out b.csv: a name cannot be written",
    ),
    "counting": ("a.csv", lambda p: p.write_text("0,1\n3,2\n"), [], "say with --header yes or"),
    "header of npy": (
        "a.npy", lambda p: np.save(p, LOGITS), ["--header=no"], "--header no: is not for .npy"
    ),
    "itself": ("a.csv", lambda p: p.write_text("1,2\n"), ["--out=a.csv"], "overwrite what is read"),
    "ending": ("a.pkl", lambda path: path.touch(), [], "must be one of .npy, .npz, .csv"),
    "rank 1": ("a.npy", lambda p: np.save(p, LOGITS[0]), [], "the array has shape (5,); one row"),
    "rank 3": ("a.npy", lambda p: np.save(p, LOGITS[None]), [], "the array has shape (1, 40, 5)"),
    "no rows": ("a.npy", lambda p: np.save(p, LOGITS[:0]), [], "the array has shape (0, 5)"),
    "text": ("a.npy", lambda p: np.save(p, LOGITS.astype(str)), [], "of dtype <U"),
    "complex": ("a.npy", lambda p: np.save(p, LOGITS * 1j), [], "of dtype complex128"),
    "nan": ("a.npy", lambda p: np.save(p, LOGITS * np.nan), [], "a.npy: Row 0 of the logits has"),
    "negative": (
        "a.npy", lambda p: np.save(p, LOGITS), ["--probabilities"], "has a negative probability"
    ),
    "several": (
        "a.npz",
        lambda p: np.savez(p, a=LOGITS, b=LOGITS),
        [],
        "a.npz: holds a, b; say with --array which one",
    ),
    "no such array": (
        "a.npz", lambda p: np.savez(p, a=LOGITS), ["--array=c"], "has no array 'c', but a"
    ),
    "array of npy": (
        "a.npy", lambda p: np.save(p, LOGITS), ["--array=c"], "--array c: is not for .npy"
    ),
    "words": (
        "a.csv", lambda p: p.write_text("2,1\n3,four\n"), [], "line 2, column 2 holds 'four', "
    ),
    "ragged": (
        "a.csv", lambda p: p.write_text("2,1\n3\n"), [], "for 2 clusters, and line 2 for 1."
    ),
    "bytes": ("a.csv", lambda p: p.write_bytes(b"\xff\xfe\x00"), [], "a.csv: is not UTF-8"),
    "only a header": ("a.csv", lambda p: p.write_text("a,b\n"), [], "a.csv: the array has shape"),
    "header": (
        "a.csv", lambda p: p.write_text("a,b,c\n1,2\n"), [], "names 3 clusters, but the logits"
    ),
    "level": ("a.npy", lambda p: np.save(p, LOGITS), ["--level", "6"], "--level 6: a.npy has 5"),
    "out": ("a.npy", lambda p: np.save(p, LOGITS), ["--out=a.xyz"], "--out a.xyz: the ending says"),
    "out folder": (
        "a.npy", lambda p: np.save(p, LOGITS), ["--out=no/a.csv"], "--out no/a.csv: No such file"
    ),
    "missing names": (
        "a.npy", lambda p: np.save(p, LOGITS), ["--names=n.txt"], "n.txt: No such file"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_faults_are_one_line_and_exit_with_1(run, tmp_path, name):
    file, make, arguments, message = BAD[name]
    if make is not None:
        make(tmp_path / file)
    before = sorted(tmp_path.iterdir())
    code, out, err = run("build", file, *arguments)
    assert (code, out) == (1, "")
    assert err.startswith("skl2h: error: ")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_names_must_be_as_many_as_columns(run, tmp_path):
    save("logits.npy")
    (tmp_path / "names.txt").write_text("a\nb\n")
    code, _, err = run("build", "logits.npy", "--names", "names.txt")
    assert code == 1
    assert "names.txt: names 2 clusters, but the logits have 5 columns" in err
    (tmp_path / "names.txt").write_bytes(b"\xff\n")
    assert "names.txt: is not UTF-8 text" in run("build", "logits.npy", "--names", "names.txt")[2]


def test_a_fault_leaves_the_old_output(run, tmp_path):
    (tmp_path / "tree.csv").write_text("old")
    np.save("logits.npy", LOGITS * np.nan)
    assert run("build", "logits.npy", "--out", "tree.csv")[0] == 1
    assert (tmp_path / "tree.csv").read_text() == "old"
    (tmp_path / "tree.json").mkdir()
    save("logits.npy")
    code, _, err = run("build", "logits.npy", "--out", "tree.json")
    assert (code, "--out tree.json: Is a directory" in err) == (1, True)
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("arguments", [[], ["plant"], ["build"], ["build", "a.npy", "--level=x"]])
def test_usage_exits_with_2(run, arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        run(*arguments)
    assert exit_.value.code == 2
    assert "usage: skl2h" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["build", "--help"], ["demo", "--help"]])
def test_help_exits_with_0(run, arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        run(*arguments)
    assert exit_.value.code == 0
    assert "usage: skl2h" in capsys.readouterr().out


def test_demo_shows_ten_named_leaves(run):
    code, out, err = run("demo")
    assert (code, err) == (0, "")
    of_l2h, of_affinity = out.split("\n\n")[:2]
    assert of_l2h.startswith("The tree of L2H:\n")
    assert of_affinity.startswith("The affinity tree of the same clusters:\n")
    leaves = [sorted(re.findall(r"mostly .*", text)) for text in (of_l2h, of_affinity)]
    assert leaves[0] == leaves[1]
    assert len(leaves[0]) == 10
    assert "10 leaves, 1797 rows, score" in of_l2h
    assert "10 leaves, 1797 rows, height" in of_affinity
    of_l2h, of_affinity = (
        out.split(f"  {name} ")[1].split("\n")[0]
        for name in ("the tree of L2H", "the affinity tree")
    )
    assert of_l2h.count("|") == of_affinity.count("|") == 3
    digits = [sorted(groups.replace("|", "").split()) for groups in (of_l2h, of_affinity)]
    assert digits[0] == digits[1]
    assert len(digits[0]) == 10
    assert "What to try next" in out


def test_module_and_closed_pipe(forks):
    version = [sys.executable, "-m", "skl2h", "--version"]
    assert subprocess.check_output(version, text=True) == f"skl2h {__version__}\n"
    read, write = os.pipe()
    os.close(read)  # as `| head -0` does
    try:
        assert forks.skl2h("demo", stdout=write)[::2] == (0, "")
    finally:
        os.close(write)


def test_names_that_the_terminal_lacks_are_escaped(tmp_path):
    np.savez(tmp_path / "a.npz", logits=LOGITS, names=["\u4e2d", "b", "c", "d", "e"])
    command = [sys.executable, "-m", "skl2h", "build", str(tmp_path / "a.npz")]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    assert "\\u4e2d (" in subprocess.check_output(command, text=True, env=environment)


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such modes")
def test_a_file_that_is_replaced_keeps_its_mode(run, tmp_path):
    np.save(tmp_path / "logits.npy", np.eye(3))
    target = tmp_path / "tree.txt"
    target.write_text("before")
    target.chmod(0o600)
    run("build", str(tmp_path / "logits.npy"), "--out", str(target))
    assert target.read_text() != "before"
    assert target.stat().st_mode & 0o777 == 0o600
