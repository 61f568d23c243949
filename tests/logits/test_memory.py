"""Memory that is reused: for one purpose at a time, and by one thread."""

import pickle
from threading import Barrier, Thread

import numpy as np

from skl2h.logits.memory import Memory


def test_the_same_use_has_the_same_memory():
    memory = Memory()
    large = memory.array("one", (30, 7), np.float64)
    small = memory.array("one", (3, 5), np.float32)
    assert np.shares_memory(large, small)
    assert small.shape == (3, 5)
    assert small.dtype == np.float32
    assert small.flags.c_contiguous
    assert not np.shares_memory(small, memory.array("other", (3, 5), np.float32))


def test_more_is_had_when_more_is_asked_for():
    memory = Memory()
    memory.array("one", (3, 5), np.float64)
    large = memory.array("one", (300, 5), np.float64)
    large[:] = 1
    assert large.sum() == 1500


def test_nothing_is_shared_by_threads():
    memory, both, found = Memory(), Barrier(2), []

    def ask():
        both.wait(10)
        found.append(memory.array("one", (1000,), np.float64))
        both.wait(10)  # a thread's memory is freed when it ends

    threads = [Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(found) == 2
    assert not np.shares_memory(*found)


def test_it_is_sent_empty():
    memory = Memory()
    memory.array("one", (10_000,), np.float64)
    assert len(pickle.dumps(memory)) < 200
