"""How the site is built: ``python -m sphinx -W -j auto doc doc/_build``."""

import inspect
import os
import warnings
from importlib.metadata import version as version_of

from docutils.nodes import SkipNode
from latex2mathml.converter import convert

import skl2h

# One thread for each of what runs side by side: the pages are the same on every machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def methods_of(kind):
    """Public methods of a class that are this project's own, whichever class they come from."""
    return [
        name
        for name, member in inspect.getmembers(kind, inspect.isroutine)
        if not name.startswith("_") and member.__module__.startswith("skl2h")
    ]


project = "skl2h"
author = "the skl2h developers"
copyright = author  # noqa: A001 (Sphinx's name)
version = release = version_of("skl2h")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "templates", "examples", "gallery/*.py"]
templates_path = ["templates"]
nitpicky = True
nitpick_ignore_regex = [
    # Other projects' names lead nowhere, as nothing is asked of the network.
    ("py:.*", r"(sklearn|scipy|numpy|matplotlib|pandas|networkx)\..*"),
    # Properties are described in the list of attributes, and have no page of their own.
    ("py:obj", r"n_(leaves|nodes)"),
]

autosummary_generate = True
CLASSES = [member for _, member in inspect.getmembers(skl2h, inspect.isclass)]
autosummary_context = {"methods_of": {kind.__name__: methods_of(kind) for kind in CLASSES}}
numpydoc_show_class_members = False  # the template of a class lists them
toc_object_entries_show_parents = "hide"

html_theme = "pydata_sphinx_theme"
html_title = "skl2h"
html_copy_source = False
html_show_sourcelink = False
html_static_path = ["static"]
html_css_files = ["site.css"]
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
}
# Pages that stand alone have nothing to list at their side.
ALONE = ["index", "start", "idea", "algorithm", "comparison", "performance", "questions"]
html_sidebars = {page: [] for page in [*ALONE, "people", "whats_new", "contributing"]}

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("skl2h",),
    "reference_url": {"skl2h": None},
    "abort_on_example_error": True,
    "capture_repr": (),  # pictures speak for themselves
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "remove_config_comments": True,
    "image_scrapers": ("matplotlib",),
    "write_computation_times": False,
    "within_subsection_order": "FileNameSortKey",
}

warnings.filterwarnings("error", module="skl2h")


def setup(app):
    """Have equations drawn by the browser itself, with nothing from the network."""
    app.add_html_math_renderer("mathml", (_inline, None), (_displayed, None))


html_math_renderer = "mathml"


def _inline(writer, node):
    writer.body.append(convert(node.astext()))
    raise SkipNode


def _displayed(writer, node):
    equation = convert(node.astext(), display="block")
    writer.body.append(f'<div class="equation">{equation}</div>')
    raise SkipNode
