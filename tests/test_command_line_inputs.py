"""Input of `skl2h`: tables of scores, names, weights and trees, and the places of their faults."""

import csv
import io
import os
import tracemalloc
import zipfile

import numpy as np
import pytest
from helpers.trees import printed
from scipy import sparse

from skl2h import L2HClustering, MergeTree, affinity_tree, l2h_tree
from skl2h.export import export_csv, export_json, export_newick, export_text
from skl2h.logits import memory
from skl2h.merge.aggregations import AGGREGATIONS

LOGITS = np.random.default_rng(0).standard_normal((40, 5)) * 3
NAMES = ["cat", "d o g", 'a "b"', "\u00e9", "car, red"]


class TestArchives:
    def test_members_that_are_no_arrays_are_read_over(self, run):
        np.savez("a.npz", scores=LOGITS, table=np.array([{}], dtype=object))
        with zipfile.ZipFile("a.npz", "a") as archive:
            archive.writestr("logits", "text")
            archive.writestr("notes/", "")
            archive.writestr("notes/empty.npy", "")
        assert run("build", "a.npz") == (0, printed(l2h_tree(LOGITS)), "")

    @pytest.mark.parametrize("name", ["notes.txt", "logits"])
    def test_a_member_that_is_no_array_cannot_be_asked_for(self, run, name):
        np.savez("a.npz", scores=LOGITS)
        with zipfile.ZipFile("a.npz", "a") as archive:
            archive.writestr(name, "text")
        message = f"skl2h: error: --array {name}: in a.npz this is no array.\n"
        assert run("build", "a.npz", "--array", name) == (2, "", message)

    def test_what_is_not_wanted_is_not_expanded(self, run):
        """Megabytes of zeros take little room in an archive."""
        large = np.zeros((1, 1000, 1000))
        np.savez_compressed("a.npz", images=large, more=large, scores=LOGITS)
        run("build", "a.npz")
        tracemalloc.start()
        code = run("build", "a.npz")[0]
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert code == 0
        assert peak < large.nbytes / 10

    def test_a_header_that_promises_too_much(self, run):
        header = io.BytesIO()
        fields = {"descr": "<f8", "fortran_order": False, "shape": (10**9, 1000)}
        np.lib.format.write_array_header_1_0(header, fields)
        with zipfile.ZipFile("a.npz", "w") as archive:
            archive.writestr("logits.npy", header.getvalue() + b"\0" * 80)
        message = "skl2h: error: a.npz: cannot be read: its array 'logits' is cut short.\n"
        assert run("build", "a.npz") == (1, "", message)

    @pytest.mark.parametrize("name", ["probabilities", "Probs", "proba", "predict_proba"])
    @pytest.mark.parametrize("chosen", [True, False])
    def test_probabilities_are_not_taken_for_logits(self, run, name, chosen):
        p = np.random.default_rng(0).dirichlet(np.ones(4), 50)
        np.savez("p.npz", **{name: p})
        array = ["--array", name] if chosen else []
        code, out, err = run("build", "p.npz", *array)
        assert (code, out) == (1, "")
        assert f"its array {name!r} is named as probabilities are: say --probabilities" in err
        expected = printed(l2h_tree(np.log(p)))
        assert run("build", "p.npz", "--probabilities", *array) == (0, expected, "")

    def test_logits_are_not_taken_for_probabilities(self, run):
        np.savez("a.npz", logits=np.abs(LOGITS))
        code, out, err = run("build", "a.npz", "--probabilities")
        assert (code, out) == (1, "")
        assert "its array 'logits' is named as logits: drop --probabilities" in err

    @pytest.mark.parametrize(
        ("name", "flags"), [("probabilities", []), ("logits", ["--probabilities"])]
    )
    def test_what_is_named_as_the_other_kind_is_suspected(self, run, name, flags):
        """Even if the file has other matrices, such as the children of a tree."""
        arrays = {"y": np.arange(3), "children": np.arange(8).reshape(4, 2)}
        np.savez("a.npz", **arrays, **{name: np.full((40, 5), 0.2)})
        code, out, err = run("build", "a.npz", *flags)
        assert (code, out) == (1, "")
        assert f"its array {name!r} is named as {name}" in err
        assert "--probabilities" in err

    def test_an_array_goes_before_a_file_of_its_name(self, run):
        np.savez("a.npz", logits=LOGITS, other=LOGITS[:, :3])
        with zipfile.ZipFile("a.npz", "a") as archive:
            archive.writestr("logits", "text")
        expected = printed(l2h_tree(LOGITS))
        assert run("build", "a.npz") == (0, expected, "")
        assert run("build", "a.npz", "--array=logits") == (0, expected, "")

    def test_the_latest_version_of_headers(self, run):
        file = io.BytesIO()
        with pytest.warns(UserWarning, match="NumPy >= 1.17"):
            np.lib.format.write_array(file, np.zeros(1, dtype=[("\u4e2d", float)]))
        content = io.BytesIO()
        np.lib.format.write_array(content, LOGITS, version=(3, 0))
        with zipfile.ZipFile("a.npz", "w") as archive:
            archive.writestr("scores.npy", content.getvalue())
            archive.writestr("records.npy", file.getvalue())
        assert run("build", "a.npz") == (0, printed(l2h_tree(LOGITS)), "")

    def test_there_must_be_an_array(self, run):
        with zipfile.ZipFile("a.npz", "w") as archive:
            archive.writestr("notes.txt", "text")
        message = "skl2h: error: a.npz: holds no array, but notes.txt.\n"
        assert run("build", "a.npz") == (1, "", message)

    @pytest.mark.parametrize(
        ("dtype", "shape", "message"),
        [
            ("<U2", (40_000_000,), "names 40000000 clusters, but the logits have 5 columns"),
            ("<U0", (200_000_000,), "names 200000000 clusters, but the logits have 5 columns"),
            ("<U0", (5,), "its array `names` holds no letter"),
            ("<U50000000", (5,), "its array `names` has room for 50,000,000 letters a name"),
            ("<f8", (5,), "its array `names` is of dtype float64 and shape (5,), not one text"),
            ("<U2", (5, 100_000_000), "its array `names` is of dtype <U2 and shape (5, 100000"),
        ],
    )
    @pytest.mark.parametrize("kind", ["array", "matrix"])
    def test_names_are_told_by_their_header(self, run, dtype, shape, message, kind):
        """To read the arrays would take gigabytes; these files end after the header."""
        if kind == "array":
            np.savez("a.npz", logits=LOGITS)
        else:
            sparse.save_npz("a.npz", sparse.csr_matrix(LOGITS))
        header = io.BytesIO()
        fields = {"descr": dtype, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(header, fields)
        with zipfile.ZipFile("a.npz", "a") as archive:
            archive.writestr("names.npy", header.getvalue())
        code, out, err = run("build", "a.npz")
        assert (code, out) == (1, "")
        assert err.startswith(f"skl2h: error: a.npz: {message}")


class TestSparseMatrices:
    scores = np.where(LOGITS > 0, LOGITS, 0) + (LOGITS.argmax(axis=1)[:, None] == range(5))

    @pytest.mark.parametrize("format_", ["csr", "csc", "coo", "bsr", "dia"])
    @pytest.mark.parametrize("kind", [sparse.coo_matrix, sparse.coo_array])
    def test_every_format_gives_the_same_tree(self, run, format_, kind):
        expected = printed(l2h_tree(sparse.csr_matrix(self.scores)))
        matrix = kind(self.scores).asformat(format_)
        if format_ in ("bsr", "dia"):  # they store more than the file has
            expected = printed(l2h_tree(matrix.tocsr()))
        sparse.save_npz("a.npz", matrix)
        assert run("build", "a.npz") == (0, expected, "")

    def test_names_and_levels(self, run, folder):
        sparse.save_npz("a.npz", sparse.csr_matrix(self.scores))
        (folder / "names.txt").write_text("\n".join(NAMES), encoding="utf-8")
        tree = l2h_tree(sparse.csr_matrix(self.scores)).with_names(NAMES)
        assert run("build", "a.npz", "--names=names.txt") == (0, printed(tree), "")

    def test_what_is_not_stored_is_impossible(self, run):
        sparse.save_npz("a.npz", sparse.csr_matrix([[1.0, 2], [0, 0]]))
        code, out, err = run("build", "a.npz")
        assert (code, out) == (1, "")
        assert "a.npz: Row 1 of the logits has nothing but -inf" in err

    @pytest.mark.parametrize("changes", [
        {"indices": np.full(3, 9)}, {"indices": np.full(3, -1)}, {"indptr": np.array([0, 9, 3])},
        {"shape": np.array([2])}, {"format": b"xyz"}, {"data": np.ones(1)},
    ], ids=str)  # fmt: skip
    @pytest.mark.parametrize("format_", [b"csr", b"csc"])
    def test_matrices_that_are_broken(self, run, changes, format_):
        matrix = sparse.csr_matrix([[1.0, 2], [2, 0]])
        fields = {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr}
        np.savez("a.npz", **({"format": format_, "shape": matrix.shape} | fields | changes))
        code, out, err = run("build", "a.npz")
        assert (code, out) == (1, "")
        assert err.startswith("skl2h: error: a.npz: ")
        assert err.count("\n") == 1

    @pytest.mark.parametrize("format_", [b"csr", 3])
    def test_what_only_looks_like_a_matrix(self, run, format_):
        np.savez("a.npz", format=format_, shape=(1, 1), data=np.ones(1))
        code, out, err = run("build", "a.npz")
        assert (code, out) == (1, "")
        assert "but scipy.sparse.save_npz has not written it" in err
        np.savez("a.npz", format=format_, shape=(1, 1), data=np.ones(1), logits=LOGITS)
        assert run("build", "a.npz") == (0, printed(l2h_tree(LOGITS)), "")

    @pytest.mark.parametrize("format_", [b"dia", b"coo", b"csr", b"csc"])
    def test_rows_that_store_nothing_are_told_by_headers(self, run, format_):
        """Expanding the rows would take gigabytes."""
        np.savez("a.npz", format=format_, shape=[10**15, 3], data=np.ones((3, 3)))
        message = (
            "skl2h: error: a.npz: its matrix stores fewer numbers (9) than it has rows "
            "(1,000,000,000,000,000): each row needs one at least.\n"
        )
        assert run("build", "a.npz") == (1, "", message)

    @pytest.mark.parametrize("shape", [3, [3], [[3, 4]], [2, 3, 4], [2.5, 3], "ab", [-1, 3]])
    def test_shapes_that_are_none(self, run, shape):
        np.savez("a.npz", format=b"csr", shape=shape, data=np.ones(3))
        code, out, err = run("build", "a.npz")
        assert (code, out) == (1, "")
        assert "but scipy.sparse.save_npz has not written it" in err

    def test_there_is_nothing_to_choose(self, run):
        sparse.save_npz("a.npz", sparse.csr_matrix(self.scores))
        message = "skl2h: error: --array data: a.npz holds one sparse matrix.\n"
        assert run("build", "a.npz", "--array=data") == (1, "", message)


class TestHeaders:
    @pytest.mark.parametrize("shape", [(2**60, 4), (2**40, 2**10), (10**6, 5)])
    @pytest.mark.parametrize("others", [[], ["b.npy"]])
    def test_one_that_promises_too_much(self, forks, folder, shape, others):
        """It runs in another process, because NumPy's warnings go to stderr."""
        header = io.BytesIO()
        fields = {"descr": "<f8", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(header, fields)
        (folder / "a.npy").write_bytes(header.getvalue() + bytes(80))
        np.save("b.npy", LOGITS)
        code, out, err = forks.skl2h("build", "a.npy", *others)
        assert (code, out) == (1, "")
        assert err.startswith("skl2h: error: a.npy")
        assert "cannot be read: it was cut off: it has fewer bytes than its" in err
        assert err.count("\n") == 1


class TestMemory:
    def test_what_there_is(self):
        free = memory.free_memory()
        assert free is None or free >= 0

    @pytest.mark.parametrize("name", ["a.npz", "s.npz", "a.csv", "a.json"])
    def test_what_does_not_fit_is_not_read(self, run, monkeypatch, name):
        np.savez("a.npz", LOGITS)
        sparse.save_npz("s.npz", sparse.csr_matrix(LOGITS))
        np.savetxt("a.csv", LOGITS, delimiter=",")
        with open("a.json", "w") as file:
            file.write(export_json(l2h_tree(LOGITS)))
        monkeypatch.setattr(memory, "free_memory", lambda: 200)
        code, out, err = run("build", name)
        assert (code, out) == (1, "")
        assert err.startswith(f"skl2h: error: {name}: takes ")
        assert "of memory, and there are 200 bytes" in err

    def test_what_is_mapped_needs_none(self, run, monkeypatch):
        np.save("a.npy", LOGITS)
        monkeypatch.setattr(memory, "free_memory", lambda: 0)
        assert run("build", "a.npy")[0] == 0

    def test_where_nobody_tells_it_is_tried(self, run, monkeypatch):
        np.savez("a.npz", LOGITS)
        monkeypatch.setattr(memory, "free_memory", lambda: None)
        assert run("build", "a.npz")[0] == 0


class TestTextTables:
    rows = "3.5,1\n0,2\n1,0.5\n0.25,4\n"
    tree = l2h_tree([[3.5, 1], [0, 2], [1, 0.5], [0.25, 4]])

    def build(self, run, text, *arguments):
        with open("a.csv", "w", newline="", encoding="utf-8") as file:
            file.write(text)
        return run("build", "a.csv", *arguments)

    @pytest.mark.parametrize("text", [
        rows, rows.replace(",", ";"), rows.replace(",", "\t"), rows.replace(",", " , "),
        rows.replace("\n", "\r\n"), rows.replace("\n", "\n\n"), "\n\n" + rows, rows.strip(),
        rows.replace("3.5,1", '"3.5","1"'), '"3.5","1"\n"0","2"\n"1","0.5"\n"0.25","4"\n',
        rows.replace("\n", "\n").replace("0.25", ".25e0"),
    ], ids=repr)  # fmt: skip
    def test_manners_of_writing_the_same(self, run, text):
        assert self.build(run, text) == (0, printed(self.tree), "")

    @pytest.mark.parametrize(
        ("header", "names"),
        [
            ("cat,dog", ("cat", "dog")),
            ('"cat","dog"', ("cat", "dog")),
            ("# cat,dog", ("cat", "dog")),  # numpy.savetxt
            ("# 1,2", ("1", "2")),
            ("#a,#b", ("#a", "#b")),
            ("# a,# b", ("# a", "# b")),
            ("tench; Tinca,dog", ("tench; Tinca", "dog")),
            ('"a\nb",c', ("a\nb", "c")),
        ],
    )
    def test_names_in_the_first_line(self, run, header, names):
        expected = printed(self.tree.with_names(names))
        assert self.build(run, f"{header}\n{self.rows}") == (0, expected, "")

    def test_the_header_of_savetxt(self, run):
        np.savetxt("a.csv", LOGITS, delimiter=",", header="cat,dog,cow,hen,pig")
        expected = printed(l2h_tree(LOGITS).with_names(["cat", "dog", "cow", "hen", "pig"]))
        assert run("build", "a.csv") == (0, expected, "")

    @pytest.mark.parametrize("line", ["0,1", "1,2", "3,7", "-1,0", "1.0,2.0", '"1","2"', "10,1e6"])
    def test_whole_numbers_that_increase_may_be_names(self, run, line):
        text = f"{line}\n{self.rows}"
        code, out, err = self.build(run, text)
        assert (code, out) == (1, "")
        assert "the first line counts" in err
        assert "say with --header yes or --header no" in err
        assert "2 leaves, 4 rows," in self.build(run, text, "--header=yes")[1]
        assert "2 leaves, 5 rows," in self.build(run, text, "--header=no")[1]

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("0,1,10,2,3,4,5,6,7,8,9", "is the numbers from 0 to 10 in some order"),
            ("3,2,1", "is the numbers from 1 to 3 in some order"),
            ('"1","0"', "is the numbers from 0 to 1 in some order"),
        ],
    )
    @pytest.mark.parametrize("cell", ["7", "0.5"])
    def test_numbers_in_another_order_may_be_names(self, run, line, message, cell):
        n = line.count(",") + 1
        code, out, err = self.build(run, f"{line}\n" + f"{','.join([cell] * n)}\n" * 3)
        assert (code, out) == (1, "")
        assert f"the first line {message}: say with --header yes or --header no" in err

    @pytest.mark.parametrize("line", ["7,3", "-2,-4", "120,40"])
    def test_whole_numbers_above_others_may_be_names(self, run, line):
        code, out, err = self.build(run, f"{line}\n{self.rows}")
        assert (code, out) == (1, "")
        assert "the first line is whole numbers, each once, and the second is not: say" in err
        whole = "3,1\n0,2\n1,5\n0,4\n"
        assert "2 leaves, 5 rows," in self.build(run, f"{line}\n{whole}")[1]

    @pytest.mark.parametrize(
        "line", ["2.0,1.0", "1,1", "0.5,1.5", "1,2.5", "-inf,0", "0,0", "1,0.0", "2e0,1e0"]
    )
    def test_other_numbers_are_a_row(self, run, line):
        assert "2 leaves, 5 rows," in self.build(run, f"{line}\n{self.rows}")[1]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("2,2\n3,four\n", "line 2, column 2 holds 'four', not a number"),
            ("a,b\n2,1\n3,four\n", "line 3, column 2 holds 'four', not a number"),
            ("a,b\n\n2,1\n\n3,four\n", "line 5, column 2 holds 'four', not a number"),
            ('"a\nc",b\n2,1\n3,four\n', "line 4, column 2 holds 'four', not a number"),
            ("2,2\n3,\n", "line 2, column 2 is empty"),
            ("2,2\n,,\n", "line 2, column 1 is empty"),
            ("1,5;2,5\n3,5;4,5\n", "line 2 has commas before its decimals: write points"),
            ("a;b\n1,5;2,5\n", "line 2 has commas before its decimals: write points"),
            ("a\tb\n1,5\t-2,5e-1\n", "line 2 has commas before its decimals: write points"),
            ("2 1\n3 2\n", "in line 2, blanks part the numbers: write commas (numpy: savetxt"),
            ("2.5  1\n3.5  2\n", "in line 2, blanks part the numbers: write commas"),
            ("sep=,\na,b\n2,x\n", "line 1 is 'sep=,', which is for spreadsheets alone: leave"),
            ("sep=;\n2;1\n3;1\n", "line 1 is 'sep=;', which is for spreadsheets alone: leave"),
            ("sep=;\na;b\n2;1\n", "line 1 is 'sep=;', which is for spreadsheets alone: leave"),
            ("2,2\n3,1_0\n", "line 2, column 2 holds '1_0', not a number"),
            ("2,2\n3,0,5\n", "line 1 holds numbers for 2 clusters, and line 2 for 3."),
            ("a,b\n2,1\n3\n", "line 2 holds numbers for 2 clusters, and line 3 for 1."),
            ("2,2\n3,nan\n", "Line 2 of the logits has NaN in column 2,"),
            ("a,b\n2,1\n\n3,nan\n", "Line 4 of the logits has NaN in column 2,"),
            ("a,b\n2,1\n-inf,-inf\n", "Line 3 of the logits has nothing but -inf,"),
            ("a,b\ninf,1\n", "Line 2 of the logits has inf in column 1,"),
            ("", "is empty."),
            ("2,2\n3, \n", "line 2, column 2 is empty"),
            ("\n\n", "is empty."),
            ("1," + "1" * 200_000 + "x\n", "cannot be read: line 1 has a cell of more than"),
            ("Unnamed: 0,a\n0,2\n", "the first column has no name, as row numbers have"),
        ],
    )  # fmt: skip
    def test_a_fault_is_where_the_file_has_it(self, run, text, message):
        code, out, err = self.build(run, text)
        assert (code, out) == (1, "")
        assert f"skl2h: error: a.csv: {message}" in err
        assert err.count("\n") == 1

    def test_names_that_are_too_long_are_cut(self, run, folder):
        (folder / "a.nwk").write_text(f"({'a' * 10**6},b);")
        (folder / "names.txt").write_text("c\nb\n")
        err = run("build", "a.nwk", "--names=names.txt")[2]
        assert len(err) < 200

    def test_probabilities_as_well(self, run):
        code, _, err = self.build(run, "a,b\n0.5,0.5\n2,-1\n", "--probabilities")
        assert code == 1
        assert "Line 3 of the probabilities has a negative probability in column 2," in err

    @pytest.mark.parametrize("name", ["a.csv", "a.npy", "a.npz"])
    @pytest.mark.parametrize("start", [0, 1])
    @pytest.mark.parametrize("column", [0, 2])
    def test_a_column_that_counts_the_rows(self, run, name, start, column):
        counted = np.insert(LOGITS, column, np.arange(start, start + 40), axis=1)
        if name == "a.csv":
            np.savetxt("a.csv", counted, delimiter=",", header="a,b,c,d,e,f", comments="")
        elif name == "a.npy":
            np.save("a.npy", counted)
        else:
            np.savez("a.npz", counted)
        place = f"column {column + (name == 'a.csv')} counts {start}, {start + 1}, {start + 2}..."
        code, out, err = run("build", name)
        assert (code, out != "") == (0, True)
        assert err.startswith(f"skl2h: warning: {name}: {place} as row numbers do")
        assert err.count("\n") == 1

    def test_shards_that_count_their_rows(self, run):
        for i in range(2):
            np.save(f"{i}.npy", np.column_stack([np.arange(40) + 40 * i, LOGITS]))
        assert "warning: 0.npy: column 0 counts 0, 1, 2..." in run("build", "?.npy")[2]

    @pytest.mark.parametrize("counted", [[0, 1], [0, 2, 1], [0, 1, 3], [2, 3, 4], [-1, 0, 1]])
    def test_other_columns_do_not_count(self, run, counted):
        np.save("a.npy", np.column_stack([counted, np.full(len(counted), 0.5)]))
        assert run("build", "a.npy")[2] == ""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
class TestPipes:
    """No process writes to these pipes, so a run that opened one would wait forever."""

    @pytest.mark.parametrize("name", ["a.csv", "a.npy", "a.npz", "a.json", "a.nwk"])
    def test_they_are_not_opened(self, run, name):
        os.mkfifo(name)
        message = f"skl2h: error: {name}: is no regular file: save what it gives as one.\n"
        assert run("build", name) == (1, "", message)

    def test_nor_among_others(self, run):
        np.save("a.npy", LOGITS)
        os.mkfifo("b.npy")
        os.mkfifo("w.csv")
        message = "skl2h: error: {}: is no regular file: save what it gives as one.\n"
        assert run("build", "a.npy", "b.npy") == (1, "", message.format("b.npy"))
        assert run("build", "a.npy", "--weights=w.csv") == (1, "", message.format("w.csv"))


class TestNames:
    @pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="needs a device without an end")
    def test_they_are_in_a_regular_file(self, run):
        np.save("a.npy", LOGITS)
        os.mkfifo("pipe")
        for name in ("pipe", "/dev/zero"):
            message = f"skl2h: error: {name}: is no regular file: save what it gives as one.\n"
            assert run("build", "a.npy", "--names", name) == (1, "", message)

    def test_what_does_not_fit_is_not_read(self, run, folder, monkeypatch):
        np.save("a.npy", LOGITS)
        (folder / "names.txt").write_text("\n".join("abcde"))
        monkeypatch.setattr(memory, "free_memory", lambda: 10)
        code, out, err = run("build", "a.npy", "--names=names.txt")
        assert (code, out) == (1, "")
        assert "names.txt: takes 180 bytes of memory, and there are 10 bytes" in err

    @pytest.mark.parametrize("end", ["", "\n", "\n\n", "\n\n\n", "\n \n"])
    def test_blank_lines_at_the_end_are_read_over(self, run, folder, end):
        np.save("a.npy", LOGITS)
        (folder / "names.txt").write_text("\n".join("abcde") + end)
        expected = printed(l2h_tree(LOGITS).with_names("abcde"))
        assert run("build", "a.npy", "--names=names.txt") == (0, expected, "")

    def test_unless_they_are_names(self, run, folder):
        np.save("a.npy", LOGITS)
        (folder / "names.txt").write_text("a\nb\n\nd\n\n")
        expected = printed(l2h_tree(LOGITS).with_names(["a", "b", "", "d", ""]))
        assert run("build", "a.npy", "--names=names.txt") == (0, expected, "")


class TestHowTheTreeIsMade:
    weights = np.arange(40) % 7 / 2

    @pytest.fixture(params=["a.npy", "a.csv", "shards"])
    def logits(self, request):
        if request.param == "a.csv":
            np.savetxt("a.csv", LOGITS, delimiter=",", fmt="%.17g")
        elif request.param == "a.npy":
            np.save("a.npy", LOGITS)
        else:
            np.save("1.npy", LOGITS[:9])
            np.save("2.npy", LOGITS[9:])
            return ["1.npy", "2.npy"]
        return [request.param]

    @pytest.mark.parametrize("aggregation", AGGREGATIONS)
    def test_aggregation(self, run, logits, aggregation):
        expected = printed(l2h_tree(LOGITS, aggregation=aggregation))
        assert run("build", *logits, "--aggregation", aggregation) == (0, expected, "")

    @pytest.mark.parametrize("temperature", [0.5, 1, 3])
    def test_temperature(self, run, logits, temperature):
        expected = printed(l2h_tree(LOGITS / temperature))
        assert run("build", *logits, "--temperature", temperature) == (0, expected, "")

    @pytest.mark.parametrize("name", ["w.npy", "column.npy", "w.csv", "w.txt", "named.csv"])
    def test_weights(self, run, logits, name):
        np.save("w.npy", self.weights)
        np.save("column.npy", self.weights[:, np.newaxis])
        for text in ("w.csv", "w.txt"):
            np.savetxt(text, self.weights)
        np.savetxt("named.csv", self.weights, header="weight")
        expected = printed(l2h_tree(LOGITS, sample_weight=self.weights))
        assert run("build", *logits, "--weights", name) == (0, expected, "")

    @pytest.mark.parametrize("temperature", ["1e-320", "1e-31"])
    def test_temperatures_that_are_too_small(self, run, logits, temperature):
        code, out, err = run("build", *logits, "--temperature", temperature)
        assert (code, out) == (1, "")
        assert f"--temperature {float(temperature):g}: is too small" in err

    @pytest.mark.parametrize("temperature", ["0", "-1", "nan", "inf"])
    def test_temperatures_that_are_none(self, run, logits, temperature):
        message = f"skl2h: error: --temperature {temperature}: must be a number above 0.\n"
        assert run("build", *logits, f"--temperature={temperature}") == (1, "", message)

    @pytest.mark.parametrize(
        ("name", "weights", "message"),
        [
            ("w.npy", np.ones(3), "w.npy: the array has shape (3,); one weight for each of the"),
            ("w.npy", np.ones((5, 40)), "w.npy: the array has shape (5, 40); one weight for"),
            ("w.npy", np.ones(40) * 1j, "w.npy: the array is of dtype complex128"),
            ("w.npy", -np.arange(40), "w.npy: sample_weight[1] is negative"),
            ("w.csv", -np.arange(40), "w.csv: Line 2 is negative"),
            ("w.csv", np.ones(3), "w.csv: the array has shape (3, 1); one weight for each of the"),
            ("w.pkl", np.ones(40), "w.pkl: the ending must be one of .npy, .csv, .txt"),
        ],
    )
    def test_weights_that_are_none(self, run, name, weights, message):
        np.save("a.npy", LOGITS)
        if name.endswith(".npy"):
            np.save(name, weights)
        else:
            np.savetxt(name, weights)
        code, out, err = run("build", "a.npy", "--weights", name)
        assert (code, out) == (1, "")
        assert err.startswith(f"skl2h: error: {message}")
        assert err.count("\n") == 1

    def test_method(self, run, logits):
        expected = printed(l2h_tree(LOGITS))
        assert run("build", *logits, "--method=l2h") == (0, expected, "")
        expected = printed(affinity_tree(LOGITS))
        assert run("build", *logits, "--method=affinity") == (0, expected, "")
        np.save("w.npy", self.weights)
        expected = printed(affinity_tree(LOGITS, sample_weight=self.weights))
        assert run("build", *logits, "--method=affinity", "--weights=w.npy") == (0, expected, "")

    def test_affinity_of_probabilities_and_of_sparse_logits(self, run):
        p = np.random.default_rng(0).dirichlet(np.ones(5), 40)
        np.savez("p.npz", probabilities=p, names=NAMES)
        expected = printed(affinity_tree(p, input="probabilities").with_names(NAMES))
        assert run("build", "p.npz", "--method=affinity", "--probabilities") == (0, expected, "")
        logits = sparse.csr_matrix(np.where(LOGITS > -1, LOGITS, 0.0) + 0.5 * np.eye(5)[[0] * 40])
        sparse.save_npz("s.npz", logits)
        expected = printed(affinity_tree(logits))
        assert run("build", "s.npz", "--method=affinity") == (0, expected, "")

    @pytest.mark.parametrize(
        ("option", "message"),
        [
            ("--temperature=1", "--method affinity finds its own: leave out one of the two"),
            ("--aggregation=sum_of_means", "--method affinity scores no groups: leave out one of"),
        ],
    )
    def test_options_that_affinity_does_not_have(self, run, logits, option, message):
        code, out, err = run("build", *logits, option, "--method=affinity")
        assert (code, out) == (1, "")
        name = option.split("=")[0]
        assert err.startswith(f"skl2h: error: {name}: is for --method l2h, and {message}")
        assert err.count("\n") == 1

    def test_leaves_whose_likeness_does_not_fit(self, run, logits, monkeypatch):
        monkeypatch.setattr("skl2h.hierarchy.build.free_memory", lambda: 700)
        code, out, err = run("build", *logits, "--method=affinity")
        assert (code, out) == (1, "")
        where = " ".join(logits)
        assert err.startswith(f"skl2h: error: {where}: The likeness of 5 leaves takes 800 bytes")
        assert "Of logits, --method l2h makes a tree without it.\n" in err
        assert run("build", *logits, "--method=l2h")[0] == 0

    def test_weights_are_not_overwritten(self, run):
        np.save("a.npy", LOGITS)
        np.savetxt("w.csv", self.weights)
        code, _, err = run("build", "a.npy", "--weights=w.csv", "--out=w.csv")
        assert (code, "--out w.csv: would overwrite what is read" in err) == (1, True)


class TestTrees:
    tree = l2h_tree(LOGITS).with_names(NAMES)

    @pytest.fixture
    def files(self, folder):
        (folder / "a.json").write_text(export_json(self.tree))
        (folder / "a.flat.json").write_text(export_json(self.tree, nested=False))
        (folder / "A.NWK").write_text(export_newick(self.tree, heights="score"), encoding="utf-8")
        (folder / "names.txt").write_text("\n".join(NAMES) + "\n", encoding="utf-8")

    @pytest.mark.parametrize("name", ["a.json", "a.flat.json"])
    def test_json_gives_all_that_logits_give(self, run, folder, files, name):
        np.savez("a.npz", logits=LOGITS, names=NAMES)
        endings = ["txt", "csv", "json", "nwk", "html"]
        for source, prefix in ((name, "x"), ("a.npz", "y")):
            out = [f"--out={prefix}.{ending}" for ending in endings]
            assert run("build", source, "--level", 3, 2, *out) == (0, "", "")
        for ending in endings:
            x, y = ((folder / f"{prefix}.{ending}").read_bytes() for prefix in "xy")
            assert x == y
        assert run("build", name) == run("build", "a.npz")

    def test_newick_in_the_order_of_names(self, run, files):
        code, out, err = run("build", "A.NWK", "--names=names.txt", "--level", 2)
        expected = MergeTree(self.tree.children, scores=self.tree.scores, names=NAMES)
        assert (code, err) == (0, "")
        assert out.startswith(export_text(expected))

    def test_newick_of_numbers_keeps_them(self, run, folder):
        tree = l2h_tree(LOGITS)
        (folder / "a.newick").write_text(export_newick(tree, heights="score"))
        assert run("build", "a.newick", "--level", 2, "--out=a.csv") == (0, "", "")
        expected = MergeTree(tree.children, scores=tree.scores)
        found = list(csv.DictReader(io.StringIO((folder / "a.csv").read_text())))
        wanted = list(csv.DictReader(io.StringIO(export_csv(expected, levels=[2]))))
        assert [row["level_2"] for row in found] == [row["level_2"] for row in wanted]

    def test_json_is_renamed(self, run, folder, files):
        (folder / "new.txt").write_text("\n".join("vwxyz"))
        expected = printed(self.tree.with_names("vwxyz"))
        assert run("build", "a.json", "--names=new.txt") == (0, expected, "")

    @pytest.mark.parametrize("option", [
        ["--probabilities"], ["--array=x"], ["--header=no"], ["--weights=w.npy"],
        ["--temperature=2"], ["--temperature=0"], ["--aggregation=sum"], ["--method=affinity"],
    ])  # fmt: skip
    def test_options_of_logits(self, run, files, option):
        code, out, err = run("build", "a.json", *option)
        assert (code, out) == (1, "")
        assert f"{option[0].split('=')[0]}: is for logits, and a.json is a tree." in err

    @pytest.mark.parametrize(
        ("name", "text", "arguments", "message"),
        [
            ("b.json", "[", [], "b.json: This is no JSON"),
            ("b.json", "{}", [], "b.json: This JSON is not that of a tree"),
            ("b.nwk", "(a,b", [], "b.nwk: Newick, line 1"),
            ("b.nwk", "", [], "b.nwk: Newick, line 1, column 1: there is no tree in this text"),
            ("b.json", "{}", ["a.json"], "b.json: of several files, each must be .npy"),
            ("b.nwk", "(a,b);", ["--names=names.txt"], "names.txt: names 5 clusters, but the tree"),
            ("b.nwk", "(a,b);", ["--names=b.txt"], "b.nwk: no leaf is named c: both need the"),
            ("b.nwk", "(a,b);", ["--level=3"], "--level 3: b.nwk has 2 leaves, so a level is 1"),
            ("b.nwk", "(a,b);", ["--out=b.nwk"], "--out b.nwk: would overwrite what is read"),
        ],
    )
    def test_faults(self, run, folder, files, name, text, arguments, message):
        (folder / name).write_text(text)
        (folder / "b.txt").write_text("a\nc\n")
        code, out, err = run("build", name, *arguments)
        assert (code, out) == (1, "")
        assert err.startswith(f"skl2h: error: {message}")
        assert err.count("\n") == 1

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
    def test_text_of_utf_16(self, run, folder, encoding):
        np.save("a.npy", LOGITS)
        text = "1.5,2\n3,4\n" if encoding == "utf-16" else "\ufeff1.5,2\n3,4\n"
        (folder / "a.csv").write_bytes(text.encode(encoding))
        for arguments in (["a.csv"], ["a.npy", "--names=a.csv"], ["a.npy", "--weights=a.csv"]):
            code, out, err = run("build", *arguments)
            assert (code, out) == (1, "")
            assert "a.csv: is not UTF-8 text, but UTF-16: save it as UTF-8" in err

    def test_text_that_is_not_utf_8(self, run, folder):
        (folder / "a.json").write_bytes(b"\xff")
        assert "a.json: is not UTF-8 text" in run("build", "a.json")[2]


class TestPredict:
    new = np.random.default_rng(1).standard_normal((30, 5))
    model = L2HClustering("precomputed").fit(LOGITS)

    @pytest.fixture(autouse=True)
    def files(self, folder):
        tree = self.model.tree_
        (folder / "plain.json").write_text(export_json(tree))
        (folder / "plain.nwk").write_text(export_newick(tree))
        tree = tree.with_names(NAMES)
        (folder / "named.json").write_text(export_json(tree))
        (folder / "named.nwk").write_text(export_newick(tree), encoding="utf-8")
        (folder / "names.txt").write_text("\n".join(NAMES) + "\n", encoding="utf-8")
        np.save("new.npy", self.new)
        np.savez("named.npz", logits=self.new, names=NAMES)

    def table(self, text):
        return list(csv.DictReader(io.StringIO(text, newline="")))

    @pytest.mark.parametrize(
        "arguments",
        [
            ["plain.json", "new.npy"],
            ["plain.nwk", "new.npy"],
            ["plain.json", "named.npz"],
            ["plain.nwk", "named.npz"],
            ["named.json", "new.npy"],
            ["named.json", "named.npz"],
            ["named.json", "new.npy", "--names=names.txt"],
            ["named.nwk", "named.npz"],
            ["named.nwk", "new.npy", "--names=names.txt"],
        ],
    )
    def test_groups_are_those_of_the_estimator(self, run, arguments):
        code, out, err = run("predict", *arguments, "--level", 2, 4)
        assert (code, err) == (0, "")
        rows = self.table(out)
        found = np.array([[int(row[f"level_{k}"]) for k in (2, 4)] for row in rows])
        np.testing.assert_array_equal(found, self.model.predict(self.new, level=[2, 4]))
        leaves = self.new.argmax(axis=1)
        assert [int(row["leaf"]) for row in rows] == leaves.tolist()
        names = NAMES if "named" in arguments[0] else list("01234")
        assert [row["name"] for row in rows] == [names[leaf] for leaf in leaves]

    def test_columns_are_matched_by_name(self, run):
        order = [3, 0, 4, 2, 1]
        np.savez("turned.npz", logits=self.new[:, order], names=[NAMES[leaf] for leaf in order])
        expected = run("predict", "named.json", "named.npz", "--level", 3)
        assert run("predict", "named.json", "turned.npz", "--level", 3) == expected

    @pytest.mark.parametrize("tree", ["perm.json", "perm.nwk", "plain.json", "plain.nwk"])
    def test_names_may_be_the_numbers_in_another_order(self, run, folder, tree):
        """Newick then says by name which column each leaf is."""
        order = np.array([2, 0, 3, 1, 4])
        (folder / "perm.txt").write_text("\n".join(map(str, order)))
        np.save("turned.npy", self.new[:, order])
        np.save("logits.npy", LOGITS[:, order])
        names = "--names=perm.txt"
        out = ["--out=perm.json", "--out=perm.nwk"]
        assert run("build", "logits.npy", names, *out) == (0, "", "")
        rows = self.table(run("predict", tree, "turned.npy", names, "--level", 3)[1])
        assert [int(row["name"]) for row in rows] == self.new.argmax(axis=1).tolist()
        found = np.array([int(row["level_3"]) for row in rows])
        expected = self.model.predict(self.new, level=3)
        np.testing.assert_array_equal(
            found[:, np.newaxis] == found, expected[:, np.newaxis] == expected
        )

    def test_leaves_of_newick_are_put_into_the_order_of_numbers(self, run, folder):
        order = [2, 0, 3, 1, 4]
        (folder / "perm.txt").write_text("\n".join(map(str, order)))
        assert run("build", "plain.nwk", "--names=perm.txt", "--out=perm.csv") == (0, "", "")
        rows = self.table((folder / "perm.csv").read_text())
        assert [int(row["name"]) for row in rows[:5]] == order
        cuts = [
            run("build", "plain.nwk", *names, "--level", 2)[1].splitlines()[-2:]
            for names in ([], ["--names=perm.txt"])
        ]
        groups, named = ({frozenset(line[5:].split(", ")) for line in cut} for cut in cuts)
        assert groups == named

    def test_names_that_occur_twice(self, run, folder):
        names = ["crane", "b", "crane", "d", "e"]
        (folder / "twice.json").write_text(export_json(self.model.tree_.with_names(names)))
        np.savez("twice.npz", logits=self.new, names=names)
        assert run("predict", "twice.json", "twice.npz")[0] == 0
        np.savez("twice.npz", logits=self.new, names=names[::-1])
        code, out, err = run("predict", "twice.json", "twice.npz")
        assert (code, out) == (1, "")
        assert "twice.json: crane names two leaves: they cannot be told apart" in err

    def test_a_file_is_written(self, run, folder):
        printed = run("predict", "plain.json", "new.npy", "--level", 3)[1]
        assert run("predict", "plain.json", "new.npy", "--level", 3, "--out=g.csv") == (0, "", "")
        assert (folder / "g.csv").read_text() == printed

    def test_safe_tables_hold_no_formula(self, run, folder):
        names = ["=1+1", "@x", "c", "d", "e"]
        tree = self.model.tree_.with_names(names)
        (folder / "odd.json").write_text(export_json(tree))
        assert run("predict", "odd.json", "new.npy", "--safe", "--out=g.csv") == (0, "", "")
        found = {row["name"] for row in self.table((folder / "g.csv").read_text())}
        assert found == {"'=1+1", "'@x", "c", "d", "e"}
        assert run("build", "odd.json", "--safe", "--out=t.csv", "--out=t.json") == (0, "", "")
        assert (folder / "t.csv").read_text() == export_csv(tree, safe=True)
        assert (folder / "t.json").read_text() == export_json(tree) + "\n"
        for command in (["build", "odd.json"], ["predict", "odd.json", "new.npy"]):
            code, out, err = run(*command, "--safe")
            assert (code, out, "--safe: is for tables" in err) == (1, "", True)

    def test_names_are_written_as_they_are_but_printed_in_one_line(self, run, folder):
        names = ["a\r\nb", "\r", "\x1b[31m", 'a "b", c', "e"]
        (folder / "odd.json").write_text(export_json(self.model.tree_.with_names(names)))
        assert run("predict", "odd.json", "new.npy", "--out=g.csv")[0] == 0
        rows = self.table((folder / "g.csv").read_bytes().decode())
        assert {row["name"] for row in rows} == set(names)
        out = run("predict", "odd.json", "new.npy")[1]
        assert out.replace("\n", "").isprintable()
        assert len(out.splitlines()) == 31

    def test_probabilities_temperature_and_order_do_not_matter(self, run):
        p = np.exp(self.new) / np.exp(self.new).sum(axis=1, keepdims=True)
        np.save("p.npy", p)
        expected = run("predict", "plain.json", "new.npy", "--level", 3)
        assert run("predict", "plain.json", "p.npy", "--probabilities", "--level", 3) == expected

    def test_several_files(self, run):
        np.save("s1.npy", self.new[:7])
        np.save("s2.npy", self.new[7:])
        expected = run("predict", "plain.json", "new.npy", "--level", 3)
        assert run("predict", "plain.json", "s?.npy", "--level", 3) == expected

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["new.npy", "new.npy"], "new.npy: the ending must be one of .json, .nwk, .newick."),
            (["none.json", "new.npy"], "none.json: No such file or directory."),
            (["plain.json", "few.npy"], "plain.json: has 5 leaves, but the logits have 4 columns."),
            (["named.nwk", "new.npy"], "named.nwk: does not keep the order of the columns: name"),
            (["named.nwk", "other.npz"], "named.nwk: no leaf is named x: both need the same"),
            (["named.json", "other.npz"], "named.json: no leaf is named x: both need the same"),
            (["named.json", "few.npz"], "named.json: a leaf, but no column, is named car, red: "),
            (["plain.json", "new.npy", "--level=6"], "--level 6: plain.json has 5 leaves, so a"),
            (["plain.json", "new.npy", "--out=a.txt"], "--out a.txt: the ending says what to wri"),
            (["plain.json", "new.npy", "--names=few.txt"], "few.txt: names 2 clusters, but the"),
            (["plain.json", "new.npy", "few.npy"], "few.npy has 4 columns, and new.npy 5."),
            (["plain.json", "nan.npy"], "nan.npy: Row 1 of the logits has NaN in column 2,"),
            (["plain.json", "new.npy", "nan.npy"], "nan.npy: Row 1 of the logits has NaN in col"),
            (["plain.json", "new.npy", "named.npz"], "named.npz: of several files, each must be"),
        ],
    )
    def test_faults(self, run, folder, arguments, message):
        np.save("few.npy", self.new[:, :4])
        np.savez("few.npz", logits=self.new[:, :4], names=NAMES[:4])
        np.savez("other.npz", logits=self.new, names=[*NAMES[:4], "x"])
        (folder / "few.txt").write_text("a\nb\n")
        broken = self.new.copy()
        broken[1, 2] = np.nan
        np.save("nan.npy", broken)
        before = sorted(folder.iterdir())
        code, out, err = run("predict", *arguments)
        assert (code, out) == (1, "")
        assert err.startswith(f"skl2h: error: {message}")
        assert err.count("\n") == 1
        assert sorted(folder.iterdir()) == before

    def test_what_is_read_is_not_overwritten(self, run):
        np.savetxt("new.csv", self.new, delimiter=",")
        code, _, err = run("predict", "plain.json", "new.csv", "--out=new.csv")
        assert (code, "--out new.csv: would overwrite what is read" in err) == (1, True)

    def test_row_numbers_are_warned_of(self, run):
        np.save("i.npy", np.column_stack([np.arange(30), self.new[:, 1:]]))
        assert (
            "warning: i.npy: column 0 counts 0, 1, 2..." in run("predict", "plain.json", "i.npy")[2]
        )
