"""The listing of folders is the architecture: imports point down it only."""

import ast
from pathlib import Path

import skl2h

PACKAGE = Path(skl2h.__file__).parent

# From the top down: each imports from what stands below it.
ROOMS = [
    "__main__",
    "__init__",
    "plotting",
    "metrics",
    "hierarchy",
    "export",
    "datasets",
    "flat",
    "merge",
    "tree",
    "logits",
    "exceptions",
]

MODULES = sorted(PACKAGE.rglob("*.py"))


def imports_of(path):
    """Modules of this package that a file imports, whenever it does, and the names it takes."""
    package = path.relative_to(PACKAGE.parent).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            module = (*base, *(node.module.split(".") if node.module else ()))
            for name in node.names:
                full = (*module, name.name)
                is_module = PACKAGE.parent.joinpath(*full).with_suffix(".py").exists()
                yield (full, "") if is_module else (module, name.name)
        elif isinstance(node, ast.Import):
            yield from ((tuple(name.name.split(".")), "") for name in node.names)


def room_of(module):
    return module[1] if len(module) > 1 else "__init__"


def test_every_room_has_its_place():
    entries = {path.stem for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    assert entries == set(ROOMS)


def test_imports_point_down_and_take_public_names():
    faults = []
    for path in MODULES:
        own = room_of(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for module, name in imports_of(path):
            if module[0] != "skl2h" or (module, name) == (("skl2h",), "__version__"):
                continue
            if room_of(module) not in ROOMS[ROOMS.index(own) :] or name.startswith("_"):
                faults.append(f"{path.relative_to(PACKAGE)}: {'.'.join(module)} {name}")
    assert faults == []


def test_modules_make_no_circle():
    """Following imports from any module, those within functions too, never leads back to it."""
    below = {}
    for path in MODULES:
        module = path.relative_to(PACKAGE.parent).with_suffix("").parts
        below[module[:-1] if path.stem == "__init__" else module] = {
            found for found, _ in imports_of(path) if found[0] == "skl2h"
        }
    while below:
        free = [module for module, others in below.items() if not others & below.keys() - {module}]
        assert free, f"these import each other: {sorted('.'.join(module) for module in below)}"
        for module in free:
            del below[module]


# What other libraries, and tuples with names, publish under a private name.
NOT_PRIVATE = {"_asdict", "_fields", "_getframe", "_meta", "_replace", "_repr_html_"}


def test_private_attributes_are_read_where_they_belong():
    """On `self` and `cls` alone, or within the module whose class has them."""
    faults = []
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
        own |= {node.attr for node in attributes if isinstance(node.ctx, ast.Store)}
        for node in attributes:
            is_private = node.attr.startswith("_") and not node.attr.endswith("__")
            holder = node.value.id if isinstance(node.value, ast.Name) else None
            if is_private and holder not in ("self", "cls") and node.attr not in own | NOT_PRIVATE:
                faults.append(f"{path.relative_to(PACKAGE)}:{node.lineno}: {node.attr}")
    assert faults == []


def test_modules_are_read_in_one_go():
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {path: n for path, n in lines.items() if n > 450} == {}
