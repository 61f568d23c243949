"""Which of two ways dense rows are read: by NumPy, or by kernels that Numba compiles.

Both give the same merges. The environment variable SKL2H_KERNELS chooses:

not set, "auto"  the kernels if Numba can be imported and there is enough to read
"numpy"          never the kernels
"numba"          the kernels however little there is to read; an error if Numba cannot be imported
"""

import os
from functools import cache

from ..exceptions.arguments import as_choice

__all__ = ["compiled_rows_for", "kernels_in_use", "load_compiled_rows"]

VARIABLE = "SKL2H_KERNELS"

# Fewer logits than these are read by NumPy, as loading the kernels takes about half a second. It
# does not matter whether they have been loaded: the same logits give the same digits each time.
LEAST = 2**24


def compiled_rows_for(logits):
    """The module `compiled_rows` if it is to read some `Logits`, else None."""
    choice = _choice()
    if choice == "numpy" or logits.is_sparse:
        return None
    if choice == "numba":
        module, fault = load_compiled_rows()
        if fault:
            raise ImportError(
                f"{VARIABLE} is numba, and {fault}: run pip install 'skl2h[fast]', or unset it."
            )
        return module
    return load_compiled_rows()[0] if logits.scores.size >= LEAST else None


def kernels_in_use():
    """What reads dense rows, and why, in a few words."""
    choice = _choice()
    if choice == "numpy":
        return f"NumPy ({VARIABLE} is numpy)"
    _, fault = load_compiled_rows()
    if fault:
        return f"NumPy ({fault})"
    return "Numba" if choice == "numba" else f"Numba, and NumPy below {LEAST:,} logits"


def _choice():
    return as_choice(VARIABLE, os.environ.get(VARIABLE, "auto"), ("auto", "numpy", "numba"))


@cache
def load_compiled_rows():
    """The module `compiled_rows`, and why it cannot be imported: one of them is None."""
    try:
        import numba

        if numba.config.DISABLE_JIT:
            return None, "NUMBA_DISABLE_JIT is set"
        from . import compiled_rows
    except Exception as error:  # a Numba that does not fit its NumPy raises errors of many kinds
        return None, f"Numba cannot be imported: {error}"
    return compiled_rows, None
