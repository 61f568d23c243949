"""Names of leaves and values of arguments, as people read them."""

import re

__all__ = ["first_few", "printable", "shown", "some_names"]

MOST_LETTERS = 200  # of a value in a message

# Control characters, ends of lines, halves of characters, and what turns the direction of text.
_OFF_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(name):
    """Name as it is, or quoted where it would not be seen or would not stay on its line."""
    return repr(name) if not name.strip() or _OFF_LINE.search(name) else name


def some_names(tree, node, most=10):
    """Names of the leaves below a node, and how many more there are."""
    leaves = tree.members(node)
    names = [printable(tree.names[leaf]) for leaf in leaves[:most]]
    more = len(leaves) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def shown(value):
    """Value as Python writes it, without its middle if it is long."""
    text = repr(value)
    if len(text) <= MOST_LETTERS:
        return text
    return f"{text[: MOST_LETTERS // 2]}...{text[-MOST_LETTERS // 2 :]}"


def first_few(values, most=3):
    """The first of some values, and how many more there are."""
    more = len(values) - most
    return ", ".join(map(shown, values[:most])) + (f" and {more} more" if more > 0 else "")
