"""What the package runs on: versions, and what reads the rows."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from ..merge.kernel_choice import kernels_in_use

__all__ = ["show_versions"]

PACKAGES = ["skl2h", "scikit-learn", "numpy", "scipy", "joblib"]
OPTIONAL = ["numba", "matplotlib", "pandas", "networkx", "dask"]


def show_versions():
    """Print what to tell with a fault: versions, and what reads the rows of logits.

    The last line says whether dense rows are read by kernels that Numba compiles, or by NumPy, and
    why. If Numba is installed, it is imported for this.

    Raises
    ------
    ValueError
        If the environment variable ``SKL2H_KERNELS`` is none of "auto", "numpy" and "numba".

    Examples
    --------
    >>> import skl2h
    >>> skl2h.show_versions()  # doctest: +ELLIPSIS
    python: 3...
    """
    lines = {"python": sys.version.replace("\n", " "), "machine": platform.platform()}
    lines |= {name: _version_of(name) for name in PACKAGES + OPTIONAL}
    lines["rows are read by"] = kernels_in_use()
    print(*(f"{name}: {value}" for name, value in lines.items()), sep="\n")


def _version_of(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
