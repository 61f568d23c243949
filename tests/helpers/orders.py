"""All orders of merging a few leaves, and tests of laws that hold for each order."""

import functools
import inspect
from itertools import combinations

__all__ = ["TREES", "every_tree", "for_every"]


def every_tree(n_leaves):
    """All orders of merging, as lists of children."""

    def extend(alive, merges):
        if len(alive) == 1:
            yield merges
        node = n_leaves + len(merges)
        for pair in combinations(alive, 2):
            rest = [other for other in alive if other not in pair]
            yield from extend([*rest, node], [*merges, pair])

    return list(extend(list(range(n_leaves)), []))


TREES = every_tree(5)


def for_every(trees):
    """Make one test that runs for each tree as `merges`, and names the tree that fails."""

    def decorate(test):
        @functools.wraps(test)
        def loop(*args, **kwargs):
            for merges in trees:
                try:
                    test(*args, merges=merges, **kwargs)
                except BaseException as error:
                    error.add_note(f"for the merges {merges}")
                    raise

        signature = inspect.signature(test)
        others = [one for one in signature.parameters.values() if one.name != "merges"]
        loop.__signature__ = signature.replace(parameters=others)
        return loop

    return decorate
