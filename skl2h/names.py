"""Names of leaves, as people read them."""

import re

__all__ = ["on_one_line", "printable", "short", "some_names"]

# Control characters, ends of lines, halves of characters, and what turns the direction of text.
_OFF_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(name):
    """Name as it is, or quoted where it would not be seen or would not stay on its line."""
    return repr(name) if not name.strip() or _OFF_LINE.search(name) else name


def short(name, most=60):
    """Name as `printable` has it, cut where an error would be too long to read."""
    return printable(name) if len(name) <= most else printable(f"{name[: most - 3]}...")


def on_one_line(text):
    """Text with an escape in place of each character that would leave its line, or turn it."""
    return _OFF_LINE.sub(lambda found: repr(found[0])[1:-1], text)


def some_names(tree, node, most=10):
    """Names of the leaves below a node, and how many more there are."""
    leaves = tree.members(node)
    names = [printable(tree.names[leaf]) for leaf in leaves[:most]]
    more = len(leaves) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
