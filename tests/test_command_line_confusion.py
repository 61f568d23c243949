"""`skl2h build --confusion`: the tree of a confusion matrix in a file."""

import os

import numpy as np
import pytest
from helpers.trees import printed
from scipy import sparse

from skl2h import MergeTree, confusion_tree
from skl2h.exceptions import StrandedGroupWarning
from skl2h.export import export_csv, export_json, export_newick, from_json
from skl2h.logits import memory

NAMES = ["cat", "truck", "dog, red", "car"]
MATRIX = np.array([[50, 0, 9, 1], [1, 44, 0, 15], [8, 2, 51, 0], [0, 20, 1, 40]])
TREE = confusion_tree(MATRIX)
NAMED = TREE.with_names(NAMES)


def table(columns=None, rows=None, matrix=MATRIX, corner="", delimiter=","):
    """Text of a matrix, with names above its columns, before its lines, or both, or none."""
    lines = [] if columns is None else [[*([] if rows is None else [corner]), *columns]]
    before = [[]] * len(matrix) if rows is None else [[name] for name in rows]
    lines += [names + line for names, line in zip(before, matrix.tolist())]
    return "".join(delimiter.join(f'"{cell}"' for cell in line) + "\n" for line in lines)


TURNED = [2, 0, 3, 1]

TABLES = {
    "no names": (table(), TREE),
    "names above": (table(NAMES), NAMED),
    "names before": (table(None, NAMES), NAMED),
    "both": (table(NAMES, NAMES), NAMED),
    "both, with a corner": (table(NAMES, NAMES, corner="true class"), NAMED),
    "both, without a corner": (table(NAMES, NAMES).replace('"",', "", 1), NAMED),
    "lines in another order": (
        table(NAMES, [NAMES[at] for at in TURNED], MATRIX[TURNED]), NAMED
    ),
    "numbers above": (table(range(4)), TREE),
    "numbers before": (table(None, range(4)), TREE),
    "numbers from 1": (table(range(1, 5)), TREE.with_names("1234")),
    "numbers in another order": (table(range(4), TURNED, MATRIX[TURNED]), TREE),
    "other numbers": (table([7, 3, 9, 1], [7, 3, 9, 1]), TREE.with_names("7391")),
    "one name twice": (table("aabc", "aabc"), TREE.with_names("aabc")),
    "semicolons": (table(NAMES, NAMES, delimiter=";"), NAMED),
    "tabs": (table(NAMES, delimiter="\t"), NAMED),
    "one class": ("5\n", MergeTree(np.empty((0, 2), int))),
    "one class with a name": ("a,5\n", MergeTree(np.empty((0, 2), int), names=["a"])),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_tables_with_names_and_without(run, folder, name):
    text, expected = TABLES[name]
    (folder / "c.csv").write_text(text)
    assert run("build", "--confusion", "c.csv") == (0, printed(expected), "")


@pytest.mark.parametrize("blank", ["", "nan", " "])
def test_the_diagonal_of_a_table_may_be_missing(run, folder, blank):
    bare = MATRIX.astype(object)
    np.fill_diagonal(bare, blank)
    for columns, rows in ((NAMES, None), (NAMES, NAMES), (None, NAMES)):
        for delimiter in ",;":
            text = table(columns, rows, bare, delimiter=delimiter)
            (folder / "c.csv").write_text(text)
            assert run("build", "--confusion=c.csv") == (0, printed(NAMED), "")


def test_data_frames_are_read_as_pandas_writes_them(run, folder):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(MATRIX, index=NAMES, columns=NAMES)
    turned = frame.iloc[TURNED]
    for written, options in (
        (turned, {}), (turned, {"sep": ";"}), (turned, {"index_label": "x"}),
        (frame, {"index": False}), (frame, {"header": False}),
    ):  # fmt: skip
        written.to_csv("c.csv", **options)
        assert run("build", "--confusion=c.csv") == (0, printed(NAMED), "")
    labels = pandas.Series([0, 0, 1, 1, 2, 2, 2, 0]), pandas.Series([0, 1, 1, 0, 2, 1, 2, 2])
    crossed = pandas.crosstab(*labels)
    crossed.to_csv("c.csv")
    assert run("build", "--confusion=c.csv") == (0, printed(confusion_tree(crossed)), "")


def test_arrays_and_archives(run):
    np.save("c.npy", MATRIX / MATRIX.sum(axis=1, keepdims=True))
    code, out, err = run("build", "--confusion=c.npy", "--level=2")
    assert (code, out.startswith(printed(TREE)), err) == (0, True, "")
    assert out.endswith("level 2\n  0: 0, 2\n  1: 1, 3\n")
    np.savez("c.npz", confusion=MATRIX, names=NAMES, children=TREE.children.T)
    assert run("build", "--confusion=c.npz") == (0, printed(NAMED), "")
    np.savez("c.npz", a=MATRIX, b=MATRIX.T)
    assert run("build", "--confusion=c.npz", "--array=a") == (0, printed(TREE), "")
    code, out, err = run("build", "--confusion=c.npz")
    assert (code, out) == (1, "")
    assert "c.npz: holds a, b; say with --array which one." in err


def test_sparse_matrices_of_which_most_lines_are_empty(run):
    matrix = sparse.csr_matrix(([3, 4], ([0, 5], [5, 0])), (6, 6))
    sparse.save_npz("c.npz", matrix)
    with pytest.warns(StrandedGroupWarning):
        tree = confusion_tree(matrix)
    message = (
        "skl2h: warning: Nothing would go to or from leaves 1 ('1'), 2 ('2'), 3 ('3'), 4 ('4'): "
        "where the affinity tree puts them has no meaning.\n"
    )
    assert run("build", "--confusion=c.npz") == (0, printed(tree), message)
    code, _, err = run("build", "c.npz")
    assert (code, "each row needs one at least" in err) == (1, True)


def test_names_of_a_file_go_before_those_of_the_matrix(run, folder):
    (folder / "names.txt").write_text("\n".join("wxyz"))
    (folder / "c.csv").write_text(table(NAMES, [NAMES[at] for at in TURNED], MATRIX[TURNED]))
    np.savez("c.npz", confusion=MATRIX, names=["too", "few"])
    expected = printed(TREE.with_names("wxyz"))
    for name in ("c.csv", "c.npz"):
        assert run("build", "--confusion", name, "--names=names.txt") == (0, expected, "")
    (folder / "names.txt").write_text("a\nb\n")
    code, out, err = run("build", "--confusion=c.csv", "--names=names.txt")
    message = "skl2h: error: names.txt: names 2 clusters, but the matrix has 4 columns.\n"
    assert (code, out, err) == (1, "", message)


def test_everything_is_written(run, folder):
    pytest.importorskip("matplotlib")
    (folder / "c.csv").write_text(table(NAMES, NAMES))
    endings = ["txt", "csv", "json", "flat.json", "nwk", "html", "png", "svg", "pdf"]
    outputs = [f"--out=t.{ending}" for ending in endings]
    assert run("build", "--confusion=c.csv", "--level", 2, *outputs) == (0, "", "")
    assert (folder / "t.csv").read_text() == export_csv(NAMED, levels=[2])
    assert (folder / "t.json").read_text() == export_json(NAMED, levels=[2]) + "\n"
    assert (folder / "t.nwk").read_text() == export_newick(NAMED, heights="score") + "\n"
    assert from_json((folder / "t.json").read_text()).method == "affinity"
    assert all((folder / f"t.{ending}").stat().st_size > 20 for ending in endings)
    assert run("build", "t.json") == (0, printed(NAMED), "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty."),
        ("\n\n", "is empty."),
        ("a\n", "has 1 x 1 cells; a confusion matrix has a line and a column for each class"),
        ("1,2,3\n4,5,6\n", "has 2 x 3 cells; a confusion matrix has a line and a column for each"),
        ("1,3\n4,5\n6,7\n", "has 3 x 2 cells; a confusion matrix has a line and a column for ea"),
        ("1,2\n" * 9, "has more than 3 x 2 cells; a confusion matrix has a line and a column for"),
        ("a,b\n" + "1,2\n" * 9, "has more than 3 x 2 cells; a confusion matrix has a line and a"),
        ("1,2,x\n4,5,6\n1,2,3\n", "line 1, column 3 holds 'x', not a number: numbers stand betwe"),
        ("a,b\n1,2\nx,3\n", "line 3, column 1 holds 'x', not a number: numbers stand between"),
        (",a,b\n\na,1,2\nb,x,3\n", "line 4, column 2 holds 'x', not a number: numbers stand be"),
        ("1,-2\n3,4\n", "line 1, column 2 holds '-2': outside its diagonal, a confusion matrix"),
        ("a,b\n1,2\ninf,4\n", "line 3, column 1 holds 'inf': outside its diagonal, a confusion"),
        (",a,b\nb,,4\na,1,2\n", "line 2, column 2 is empty: outside its diagonal, a confusion"),
        (",a,b\na,1,2\nc,3,4\n", "line 3 is named 'c', and no column is: both need the same na"),
        (",a,b\na,1,2\na,3,4\n", "'a' names two lines, which cannot be told apart."),
        ("a,b\n1,2\n3\n", "line 3 holds 1 cells, and line 2 holds 2."),
        ("a,b,c\n1,2\n3,4\n", "line 1 holds 3 cells, and line 2 holds 2."),
        ("a\n1,2\n3,4\n", "line 1 holds 1 cells, and line 2 holds 2."),
        ("1 2\n3 4\n", "in line 2, blanks part the numbers: write commas (numpy: savetxt(path, "),
        ("a;b\n1,5;2\n3;4\n", "line 2 has commas before its decimals: write points"),
        (";a;b\na;1,5;2\nb;3;4\n", "line 2 has commas before its decimals: write points"),
        ("sep=,\n1,2\n3,4\n", "line 1 is 'sep=,', which is for spreadsheets alone: leave it out."),
        ("to be, or\nnot, to be\n", "line 2 is named 'not', and no column is: both need the sa"),
    ],
)  # fmt: skip
def test_faults_of_tables(run, folder, text, message):
    (folder / "c.csv").write_text(text)
    code, out, err = run("build", "--confusion=c.csv", "--out=t.json")
    assert (code, out) == (1, "")
    assert err.startswith(f"skl2h: error: c.csv: {message}")
    assert err.count("\n") == 1
    assert os.listdir() == ["c.csv"]


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("c.npy", np.ones((2, 3)), "the array has shape (2, 3); a confusion matrix has a line an"),
        ("c.npy", np.ones(4), "the array has shape (4,); a confusion matrix has a line and a col"),
        ("c.npy", np.ones((0, 0)), "the array has shape (0, 0); a confusion matrix has a line"),
        ("c.npy", -np.ones((2, 2)), "matrix must be finite and not negative outside its diagonal"),
        ("c.npy", np.array([["a"]]), "the array is of dtype <U1, not of real numbers"),
        ("c.npz", np.ones((2, 3)), "the array has shape (2, 3); a confusion matrix has a line"),
        ("logits.npz", np.ones((3, 3)), "its array 'logits' is named as scores of rows are: give"),
        ("proba.npz", np.ones((3, 3)), "its array 'proba' is named as scores of rows are: give"),
        ("c.txt", np.ones((3, 3)), "the ending must be one of .npy, .npz, .csv for a confusion"),
        ("c.json", np.ones((3, 3)), "the ending must be one of .npy, .npz, .csv for a confusion"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_faults_of_arrays(run, name, array, message):
    with open(name, "wb") as file:
        if name.endswith(".npz"):
            np.savez(file, **{name.removesuffix(".npz"): array})
        else:
            np.save(file, array)
    code, out, err = run("build", "--confusion", name)
    assert (code, out) == (1, "")
    assert err.startswith(f"skl2h: error: {name}: {message}")
    assert err.count("\n") == 1


@pytest.mark.parametrize("option", [
    "--probabilities", "--header=no", "--weights=w.npy", "--temperature=2", "--aggregation=sum",
    "--method=l2h",
])  # fmt: skip
def test_options_of_logits(run, option):
    np.save("c.npy", MATRIX)
    code, out, err = run("build", "--confusion=c.npy", option)
    assert (code, out) == (1, "")
    message = f"{option.split('=')[0]}: is for logits, and c.npy is a confusion matrix."
    assert err == f"skl2h: error: {message}\n"


def test_its_tree_is_the_affinity_tree(run):
    np.save("c.npy", MATRIX)
    assert run("build", "--confusion=c.npy", "--method=affinity") == (0, printed(TREE), "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--level=5"], "--level 5: c.npy has 4 columns, so a level is 1 to 4."),
        (["--out=c.npy"], "--out c.npy: would overwrite what is read."),
        (["--array=x"], "--array x: is not for .npy files."),
    ],
)
def test_other_options(run, arguments, message):
    np.save("c.npy", MATRIX)
    message = f"skl2h: error: {message}\n"
    assert run("build", "--confusion=c.npy", *arguments) == (1, "", message)


def test_either_logits_or_a_matrix(run, capsys):
    for arguments, message in (
        (["--confusion=c.npy", "a.npy"], "argument LOGITS: not allowed with argument --confusion"),
        (["a.npy", "--confusion=c.npy"], "argument --confusion: not allowed with argument LOGITS"),
        ([], "one of the arguments LOGITS --confusion is required"),
    ):
        with pytest.raises(SystemExit) as exit_:
            run("build", *arguments)
        assert exit_.value.code == 2
        assert message in capsys.readouterr().err


def test_matrices_that_do_not_fit(run, folder, monkeypatch):
    sparse.save_npz("c.npz", sparse.coo_matrix(([1], ([0], [9])), (10**5, 10**5)))
    monkeypatch.setattr("skl2h.hierarchy.build.free_memory", lambda: 10**9)
    code, out, err = run("build", "--confusion=c.npz")
    assert (code, out) == (1, "")
    assert err.startswith("skl2h: error: c.npz: The likeness of 100,000 leaves takes 320 GB of")
    assert "Of logits, --method l2h makes a tree without it.\n" in err
    (folder / "c.csv").write_text(table())
    monkeypatch.setattr(memory, "free_memory", lambda: 10)
    code, out, err = run("build", "--confusion=c.csv")
    assert (code, out) == (1, "")
    assert "c.csv: takes 1.28 kB of memory, and there are 10 bytes: save the matrix as .npy" in err
