"""Chunks of rows of a planted tree, which worker processes make."""

import os
import time

import numpy as np

from skl2h.datasets import make_hierarchical_logits


def planted_chunk(number, n_rows, n_leaves, seconds=0.0):
    """Rows of a planted tree, made on a worker."""
    time.sleep(seconds)
    logits, _, _ = make_hierarchical_logits(n_rows, n_leaves, random_state=0)
    return logits + np.random.default_rng(number).standard_normal(logits.shape)


def late(array, seconds):
    """Return an array after some time."""
    time.sleep(seconds)
    return array


def deadly(array, path):
    """Return an array; but if a file of that name exists, the worker that calls this dies."""
    if os.path.exists(path):
        time.sleep(0.2)  # all other work is done by then
        os._exit(1)
    open(path, "w").close()
    return array


def read_by(array, folder):
    """Return an array after some time, and leave a file with the number of the reading process."""
    time.sleep(0.3)
    open(os.path.join(folder, str(os.getpid())), "w").close()
    return array
