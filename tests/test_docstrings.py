"""Docstrings agree with signatures."""

import inspect
import re
from pathlib import Path

import pytest
from helpers.public import PUBLIC

import skl2h


@pytest.mark.parametrize("public", PUBLIC, ids=lambda public: public.__qualname__)
def test_parameters_and_defaults_are_those_of_the_signature(public):
    parameters = [
        (str(parameter), parameter.default)
        for name, parameter in inspect.signature(public).parameters.items()
        if name != "self"
    ]
    section = re.search(
        r"Parameters\n\s*-{10}\n(.*?)\n\s*\n", inspect.getdoc(public) + "\n\n", re.S
    )
    lines = re.findall(r"^(\S.*?) : (.*)$|^(\S.*)$", section[1], re.M) if section else []
    written = {
        name.strip(): kind
        for names, kind, alone in lines
        for name in (names or alone.split(" : ")[0]).split(",")
    }
    names = [text.split("=")[0] for text, _ in parameters]
    assert list(written) == names
    for name, (_, default) in zip(names, parameters):
        told = re.search(r"default=(.*)$", written[name])
        if default is inspect.Parameter.empty:
            assert told is None, name
        else:
            shown = repr(default).replace("'", '"')
            assert told, name
            assert told[1].replace("'", '"') == shown, name


# Rules of numpydoc that are not followed, and why.
EXCEPTIONS = {
    "ES01": "a summary that says all needs no second paragraph",
    "SA01": "the reference lists what belongs together",
    "RT02": "what comes back has a name, as in scikit-learn",
    "SS05": "summaries are nouns; some end in s",
}


RESULTS = [skl2h.Evidence, skl2h.Surprises]


@pytest.mark.parametrize("public", PUBLIC + RESULTS, ids=lambda public: public.__qualname__)
def test_numpydoc_finds_no_fault(public):
    validate = pytest.importorskip("numpydoc.validate", reason="numpydoc is of the extra doc")
    exceptions = set(EXCEPTIONS)
    if "." in public.__qualname__:
        exceptions.add("EX01")  # the class has an example
    if public in RESULTS:
        exceptions |= {"EX01", "PR01"}  # a function makes the objects, and users need no parameters
    faults = validate.validate(f"{public.__module__}.{public.__qualname__}")["errors"]
    assert [fault for fault in faults if fault[0] not in exceptions] == []


def test_reference_lists_what_is_public():
    reference = Path(__file__).parents[1] / "doc" / "reference.rst"
    if not reference.exists():
        pytest.skip("the pages are not beside the tests")
    listed, module = [], None
    for line in reference.read_text(encoding="utf-8").splitlines():
        if line.startswith(".. currentmodule::"):
            module = line.split()[-1]
        elif re.fullmatch(r"   [\w.]+", line):
            listed.append(f"{module}.{line.strip()}")
    modules = {"datasets", "exceptions", "export", "metrics"}
    public = [f"skl2h.{name}" for name in skl2h.__all__ if name not in {*modules, "__version__"}]
    for module in modules:
        public += [f"skl2h.{module}.{name}" for name in getattr(skl2h, module).__all__]
    assert sorted(listed) == sorted(public)
