"""Fixtures for all tests."""

import os
import sys
from pathlib import Path

import pytest

# Tests run side by side, so each computes in one thread, whatever the user has set: threads of
# several processes that share the cores wait for each other. Libraries read this when they are
# loaded, which no import above does.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Run tests in parallel if pytest-xdist is installed, unless the command line says otherwise.

    pytest-cov reads this setting before any test file is loaded, so `--cov` alone runs one process.
    """
    is_worker = hasattr(config, "workerinput")
    has_xdist = config.pluginmanager.hasplugin("xdist")
    is_measured = config.pluginmanager.hasplugin("_cov")
    if has_xdist and not (is_worker or is_measured) and config.option.numprocesses is None:
        is_debugged = config.option.usepdb or config.option.trace
        n_cores = config.hook.pytest_xdist_auto_num_workers(config=config)
        config.option.numprocesses = 0 if is_debugged else min(n_cores, 4)


@pytest.fixture
def real_data():
    """Loader of a file of real data with known answers, which is not part of the project."""

    def load(name):
        import numpy as np

        path = REAL_DATA / name
        if not path.exists():
            pytest.skip(f"{name} is not beside the project")
        return np.load(path)

    return load


@pytest.fixture
def without_numba(monkeypatch):
    """Have Numba missing, as if it were not installed."""
    from skl2h.merge.kernel_choice import load_compiled_rows

    monkeypatch.setitem(sys.modules, "numba", None)
    load_compiled_rows.cache_clear()
    yield
    load_compiled_rows.cache_clear()


@pytest.fixture
def named_frame():
    """Make a data frame of a library from its columns; scikit-learn has to read their names."""

    def make(library, columns):
        from sklearn.preprocessing import StandardScaler

        frame = pytest.importorskip(library).DataFrame(columns)
        if not hasattr(StandardScaler().fit(frame), "feature_names_in_"):
            pytest.skip(f"this scikit-learn does not read the names of this version of {library}")
        return frame

    return make


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Empty folder that the test runs in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(folder, capsys):
    """Run the command line in an empty folder; give (exit code, output, errors)."""
    from skl2h.__main__ import main

    def command(*arguments):
        code = main(list(map(str, arguments)))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


@pytest.fixture(scope="session")
def forks():
    """Run code in other processes, which need not load the libraries again."""
    if not hasattr(os, "fork"):
        pytest.skip("needs forks")
    from helpers.forked import Forks

    forks = Forks()
    yield forks
    forks.close()


class Figures:
    """Plugin for all tests: a fixture here would not apply to doctests outside this folder."""

    @pytest.fixture(autouse=True)
    def are_closed(self):
        """Close all figures at the end of a test; matplotlib is not imported for that."""
        yield
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None:
            pyplot.close("all")


def pytest_configure(config):
    """Add the plugin, once tests and doctests are about to be collected."""
    config.pluginmanager.register(Figures())
