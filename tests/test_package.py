"""What `import skl2h` provides, and which modules it does not load yet."""

import subprocess
import sys

import pytest

import skl2h


@pytest.mark.parametrize("name", skl2h.__all__)
def test_public_names_are_there(name):
    assert name in dir(skl2h)
    assert getattr(skl2h, name) is not None


def test_modules_are_there():
    """To use ``skl2h.tree.MergeTree`` you need not import ``skl2h.tree.merge_tree``."""
    command = "import skl2h; assert skl2h.tree.MergeTree is skl2h.MergeTree"
    subprocess.run([sys.executable, "-c", command], check=True)


def test_what_is_slow_to_import_is_imported_where_it_is_used():
    """The estimator and the exports come without scikit-learn's clusterers, matplotlib and Dask."""
    command = (
        "import sys\n"
        "from skl2h import L2HClustering, affinity_tree, export, l2h_tree\n"
        "slow = {'sklearn.cluster', 'sklearn.neighbors', 'matplotlib', 'dask'}\n"
        "sys.exit(', '.join(slow & sys.modules.keys()) or 0)"
    )
    subprocess.run([sys.executable, "-c", command], check=True)


@pytest.mark.parametrize("name", ["nothing", "_nothing", "Tree"])
def test_other_names_are_not_there(name):
    with pytest.raises(AttributeError, match=f"module 'skl2h' has no attribute '{name}'"):
        getattr(skl2h, name)


def test_the_package_alone_is_loaded_at_once():
    """The command line must respond to an interrupt while the other modules are loaded."""
    command = "import sys, skl2h; assert not {'numpy', 'scipy', 'sklearn'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", command], check=True)
