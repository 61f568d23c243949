"""How `skl2h` ends: always one line and the right exit code, and no incomplete files."""

import os
import shutil
import signal
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

from skl2h.export import tree_files
from skl2h.hierarchy import of_files

LOGITS = np.random.default_rng(0).standard_normal((40, 5)) * 3

posix = pytest.mark.skipif(os.name != "posix", reason="of POSIX alone")


@pytest.fixture
def logits(tmp_path, monkeypatch):
    """A file of logits in the folder that the test runs in."""
    monkeypatch.chdir(tmp_path)
    np.save("logits.npy", LOGITS)
    return "logits.npy"


def python(*arguments, **options):
    """Run Python in another process; give (exit code, output, errors)."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    environment |= options.pop("env", {})
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    found = subprocess.run([sys.executable, *arguments], env=environment, text=True, **options)
    return found.returncode, found.stdout, found.stderr


@pytest.fixture
def skl2h(forks):
    """Run `python -m skl2h`, as a fork of a process that has loaded the libraries."""

    def command(*arguments, **options):
        is_help = arguments[-1].startswith("--")
        start = partial(python, "-m", "skl2h") if is_help else forks.skl2h
        return start(*arguments, **options)

    return command


def test_what_a_killed_run_has_left_is_in_no_ones_way(run, logits, tmp_path):
    """In containers the process number is usually 1."""
    left = [tmp_path / f".skl2h-{os.getpid()}-{i}.tmp" for i in range(3)]
    for path in left:
        path.write_text("left")
    assert run("build", logits, "--out=a.csv", "--out=b.csv") == (0, "", "")
    assert [path.read_text() for path in left] == ["left"] * 3


@posix
def test_content_is_never_readable_by_more_than_the_target_is(run, logits, tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("secret")
    (tmp_path / "a.csv").chmod(0o600)
    found = []

    def copymode(source, target, copymode=shutil.copymode):
        found.append((os.stat(target).st_size, os.stat(target).st_mode & 0o777))
        copymode(source, target)

    monkeypatch.setattr(shutil, "copymode", copymode)
    assert run("build", logits, "--out=a.csv")[0] == 0
    assert found == [(0, 0o600)]
    assert (tmp_path / "a.csv").stat().st_mode & 0o777 == 0o600


@posix
@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077])
def test_new_files_have_the_mode_that_is_usual(run, logits, tmp_path, mask):
    before = os.umask(mask)
    try:
        run("build", logits, "--out=a.csv")
    finally:
        os.umask(before)
    assert (tmp_path / "a.csv").stat().st_mode & 0o777 == 0o666 & ~mask


# A run that receives a signal while it writes its second file.
SIGNALLED = """
import os, signal, sys
from skl2h.export import tree_files
from skl2h.__main__ import main

def write(tree, levels):
    os.kill(os.getpid(), signal.{name})
    return "new"

{before}
tree_files.TEXT_WRITERS[".txt"] = write
sys.exit(main(["build", "logits.npy", "--out=a.csv", "--out=b.txt"]))
"""


@posix
@pytest.mark.parametrize(
    ("name", "code", "error"),
    [
        ("SIGINT", 130, "skl2h: interrupted\n"),
        ("SIGTERM", 143, "skl2h: ended by SIGTERM\n"),
        ("SIGHUP", 129, "skl2h: ended by SIGHUP\n"),
    ],
)
def test_a_signal_leaves_what_was_there(forks, logits, tmp_path, name, code, error):
    (tmp_path / "b.txt").write_text("old")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert forks.python(SIGNALLED.format(name=name, before="")) == (code, "", error)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@posix
@pytest.mark.parametrize(
    ("name", "code", "error"),
    [
        ("SIGINT", 130, "skl2h: interrupted\n"),
        ("SIGTERM", 143, "skl2h: ended by SIGTERM\n"),
    ],
)
def test_a_signal_between_two_files_waits_for_all(forks, logits, tmp_path, name, code, error):
    script = (
        "import os, signal, sys\nfrom skl2h.__main__ import main\n"
        "def replace(a, b, replace=os.replace):\n"
        f"    os.kill(os.getpid(), signal.{name})\n"
        "    replace(a, b)\n"
        "os.replace = replace\n"
        "sys.exit(main(['build', 'logits.npy', '--out=a.nwk', '--out=a.csv']))\n"
    )
    for path in ("a.nwk", "a.csv"):
        (tmp_path / path).write_text("old")
    assert forks.python(script) == (code, "", error)
    assert "old" not in [(tmp_path / path).read_text() for path in ("a.nwk", "a.csv")]
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["a.csv", "a.nwk", "logits.npy"]


@posix
def test_a_signal_that_is_ignored_stays_so(forks, logits, tmp_path):
    """As `nohup` needs it."""
    before = "signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    assert forks.python(SIGNALLED.format(name="SIGHUP", before=before)) == (0, "", "")
    assert (tmp_path / "b.txt").read_text() == "new"


@posix
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_caller_keeps_its_signals(run, logits, name):
    number = getattr(signal, name)
    before = signal.getsignal(number)
    assert run("build", logits)[0] == 0
    assert signal.getsignal(number) is before


@posix
@pytest.mark.parametrize(
    ("module", "command"),
    [
        # All commands load the same modules, the first two before the command is known.
        ("argparse", ["build", "a.npy"]),
        ("traceback", ["demo"]),
        ("numpy", ["predict", "a.json", "a.npy"]),
        ("scipy", ["build", "a.npy"]),
        ("sklearn", ["predict", "a.json", "a.npy"]),
        ("sklearn", ["demo"]),
    ],
)
def test_an_interrupt_while_libraries_are_loaded(tmp_path, module, command):
    (tmp_path / f"{module}.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    # What is started in the background has the signal ignored, and its programs have as well.
    heeded = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    found = python("-m", "skl2h", *command, env={"PYTHONPATH": path}, **heeded)
    assert found == (130, "", "skl2h: interrupted\n")


def test_version_and_help_load_no_libraries(tmp_path):
    (tmp_path / "numpy.py").write_text("raise ImportError\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    for arguments in (["--version"], ["--help"], ["build", "--help"]):
        code, out, err = python("-m", "skl2h", *arguments, env={"PYTHONPATH": path})
        assert (code, err) == (0, "")
        assert out


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyError("x"), "KeyError: 'x' (--debug shows where)."),
        (MemoryError(), "there is not enough memory."),
        (RecursionError("too deep"), "RecursionError: too deep (--debug shows where)."),
        (ZeroDivisionError("a\nb"), "ZeroDivisionError: a\\nb (--debug shows where)."),
        (OSError(28, "No space left on device"), "No space left on device."),
    ],
    ids=repr,
)
@pytest.mark.parametrize("place", ["merging", "writing"])
def test_whatever_fails_is_one_line_that_names_what_was_being_done(
    run, logits, tmp_path, monkeypatch, error, message, place
):
    def fail(*_, **__):
        raise error

    if place == "merging":
        monkeypatch.setattr(of_files, "build_tree", fail)
    else:
        monkeypatch.setitem(tree_files.TEXT_WRITERS, ".txt", fail)
    where = "logits.npy" if place == "merging" else "--out a.txt"
    arguments = ["build", logits, "--out=b.csv", "--out=a.txt"]
    assert run(*arguments) == (1, "", f"skl2h: error: {where}: {message}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["logits.npy"]
    for debugged in (["--debug", *arguments], [*arguments, "--debug"]):
        code, out, err = run(*debugged)
        assert (code, out) == (1, "")
        assert err.startswith("Traceback")
        assert err.endswith(f"\nskl2h: error: {where}: {message}\n")


def test_what_nobody_foresaw_names_the_command(run, logits, monkeypatch):
    def fail(*_):
        raise KeyError("x")

    monkeypatch.setattr("skl2h.logits.input_files.expand", fail)
    message = "skl2h: error: skl2h build: KeyError: 'x' (--debug shows where).\n"
    assert run("build", logits) == (1, "", message)


@posix
def test_without_an_output_there_must_be_a_file(logits, tmp_path):
    def closed(*arguments):
        arguments = ["sh", "-c", 'exec "$0" "$@" >&-', sys.executable, *arguments]
        found = subprocess.run(arguments, stderr=subprocess.PIPE, text=True)
        return found.returncode, found.stderr

    script = (
        "import sys\nfrom skl2h.__main__ import main\n"
        "if main(['build', 'logits.npy', '--out=a.csv']) == 0:\n"
        "    sys.exit(main(['build', 'logits.npy']))\n"
    )
    message = "skl2h: error: there is no output to print to: give a file with --out.\n"
    assert closed("-c", script) == (1, message)
    assert (tmp_path / "a.csv").exists()
    assert closed("-m", "skl2h", "build", "--help")[0] == 0


@posix
def test_errors_that_nobody_can_see_do_not_go_elsewhere(logits):
    command = 'exec "$0" "$@" 2>&-'
    arguments = ["sh", "-c", command, sys.executable, "-m", "skl2h", "build", "missing.npy"]
    found = subprocess.run(arguments, stdout=subprocess.PIPE, text=True)
    assert (found.returncode, found.stdout) == (1, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
@pytest.mark.parametrize("arguments", [["--help"], ["build", "--help"], ["build", "logits.npy"]])
def test_a_full_output_is_one_line(skl2h, logits, arguments):
    with open("/dev/full", "w") as full:
        code, _, err = skl2h(*arguments, stdout=full)
    assert (code, err) == (1, "skl2h: error: the output: No space left on device.\n")


@posix
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["build", "logits.npy"]])
def test_a_reader_that_leaves_is_no_fault(skl2h, logits, arguments):
    read, write = os.pipe()
    os.close(read)
    try:
        code, _, err = skl2h(*arguments, stdout=write)
    finally:
        os.close(write)
    assert (code, err) == (0, "")


@posix
def test_a_full_disk_leaves_what_was_there(forks, logits, tmp_path):
    """A limit on the file size ends a write as a full disk does."""
    script = (
        "import resource, sys\nfrom skl2h.__main__ import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "sys.exit(main(['build', 'logits.npy', '--out=a.nwk', '--out=a.csv']))\n"
    )
    (tmp_path / "a.nwk").write_text("old")
    code, _, err = forks.python(script)
    assert (code, err) == (1, "skl2h: error: --out a.csv: File too large.\n")
    assert (tmp_path / "a.nwk").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.nwk", "logits.npy"]


ESC = "\x1b[31m"


@pytest.mark.parametrize(
    "arguments",
    [
        ["build", f"{ESC}.npy"],
        ["build", f"{ESC}.pkl"],
        ["build", f"{ESC}*.npy"],
        ["build", "logits.npy", f"--out={ESC}/a.csv"],
        ["build", "logits.npy", f"--out={ESC}"],
        ["build", "logits.npy", f"--names={ESC}"],
        ["build", "logits.npy", f"--weights={ESC}.npy"],
        ["build", "a.npz"],
        ["build", "a.npz", f"--array={ESC}?"],
        ["predict", f"{ESC}.json", "logits.npy"],
        ["predict", "logits.npy", f"{ESC}.npy"],
        ["demo", f"--out=no/{ESC}"],
    ],
)
def test_escape_sequences_do_not_reach_the_terminal(run, logits, arguments):
    np.savez("a.npz", **{ESC: LOGITS, "b": LOGITS})
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert err[:-1].isprintable()
    assert err.count("\n") == 1


def test_escape_sequences_of_usage_do_not_reach_the_terminal(run, capsys):
    with pytest.raises(SystemExit):
        run("build", "a.npy", f"--{ESC}")
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize("option", ["logits", "pattern", "out", "names", "tree"])
def test_names_of_files_that_are_too_long(run, logits, option):
    name = "x" * 300
    arguments = {
        "logits": ["build", f"{name}.npy"],
        "pattern": ["build", f"{name}*.npy"],
        "out": ["build", logits, f"--out={name}.csv"],
        "names": ["build", logits, f"--names={name}"],
        "tree": ["build", f"{name}.json"],
    }[option]
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert err.endswith(f"{'x' * 9}{arguments[-1][-5:]}: File name too long.\n")
    assert err.count("\n") == 1


LONG = "x/" * 3000


@pytest.mark.parametrize(
    "arguments",
    [
        ["build", "logits.npy", f"--out={LONG}a.csv"],
        ["build", "logits.npy", f"--out={LONG}a.xyz"],
        ["build", f"{LONG}a.npy"],
        ["build", f"{LONG}a.xyz"],
        ["build", f"{LONG}*.npy"],
        ["build", *["logits.npy"] * 300, "--level=9"],
        ["build", "logits.npy", f"--names={LONG}"],
        ["build", "logits.npy", f"--weights={LONG}.npy"],
        ["build", "logits.npy", f"--array={LONG}"],
        ["build", "a.npz", f"--array={LONG}"],
        ["predict", f"{LONG}.json", "logits.npy"],
        ["predict", LONG, "logits.npy"],
        ["demo", f"--out={LONG}"],
    ],
    ids=lambda arguments: " ".join(arguments)[:30],
)
def test_what_is_long_is_cut(run, logits, arguments):
    np.savez("a.npz", logits=LOGITS)
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert len(err) < 450
    assert "\u2026" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [f"--level={LONG}"],
        [f"--header={LONG}"],
        [f"--temperature={LONG}"],
        [f"--aggregation={LONG}"],
        [f"--{LONG}"],
    ],
    ids=lambda arguments: arguments[0][:12],
)
def test_what_is_long_in_the_command_line_is_cut(run, logits, capsys, arguments):
    with pytest.raises(SystemExit):
        run("build", logits, *arguments)
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(("skl2h build: error: ", "skl2h: error: "))
    assert len(line) < 250
