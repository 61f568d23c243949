"""The pages of the site, once it has been built, in a real browser and link by link.

Skipped if there is no ``doc/_build`` beside the tests. With SKL2H_SITE in the environment, a
missing site is an error.
"""

import os
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from helpers.chromium import emulate, missing, start_chromium

SITE = Path(os.environ.get("SKL2H_SITE", Path(__file__).parents[1] / "doc" / "_build")).resolve()
PAGES = sorted(page for page in SITE.rglob("*.html") if "_static" not in page.parts)
if not PAGES and "SKL2H_SITE" in os.environ:
    raise RuntimeError(f"SKL2H_SITE={SITE}, but there are no pages.")
pytestmark = pytest.mark.skipif(not PAGES, reason="the site has not been built")

# What a reader would call broken in the layout of a page.
FAULTS = """
const scheme = arguments[0], width = document.documentElement.clientWidth, faults = [];
const article = document.querySelector("article") || document.body;
const name = (element) => element.outerHTML.slice(0, 80);
const shown = (element) => element.offsetParent !== null && element.getClientRects().length > 0;
const scrolls = (element) => {
  for (let e = element; e && e !== article; e = e.parentElement) {
    if (["auto", "scroll", "hidden"].includes(getComputedStyle(e).overflowX)) return true;
  }
  return false;
};
const luminance = (colour) => {
  const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((v) => v / 255).map(
    (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
if (document.documentElement.dataset.theme !== scheme) faults.push("is not " + scheme);
for (const whole of [document.documentElement, article]) {
  if (whole.scrollWidth > whole.clientWidth + 1) {
    faults.push("is " + whole.scrollWidth + " wide on " + whole.clientWidth);
  }
}
for (const img of document.images) {
  if (!img.complete || !img.naturalWidth) faults.push("has no picture " + name(img));
  const box = img.getBoundingClientRect();
  if (shown(img) && (box.left < -1 || box.right > width + 1)) {
    faults.push("clips the picture " + name(img));
  }
  if (!img.hasAttribute("alt")) faults.push("says nothing of the picture " + name(img));
}
for (const block of article.querySelectorAll("p, li, h1, h2, h3, dt, dd, pre, table, img, math")) {
  const box = block.getBoundingClientRect();
  if (shown(block) && !scrolls(block) && box.right > width + 1) faults.push("clips " + name(block));
}
for (const section of article.querySelectorAll("section, dl, ul, ol")) {
  const blocks = [...section.children].filter(
    (e) => shown(e) && ["static", "relative"].includes(getComputedStyle(e).position));
  for (let i = 1; i < blocks.length; i++) {
    const above = blocks[i - 1].getBoundingClientRect(), box = blocks[i].getBoundingClientRect();
    const beside = box.left >= above.right - 1 || above.left >= box.right - 1;
    if (!beside && above.height && box.height && box.top < above.bottom - 1) {
      faults.push("overlaps " + name(blocks[i]));
    }
  }
}
const page = luminance(getComputedStyle(document.body).backgroundColor);
for (const p of article.querySelectorAll("p, h1, h2, figcaption, math")) {
  const text = luminance(getComputedStyle(p).color);
  const contrast = (Math.max(page, text) + 0.05) / (Math.min(page, text) + 0.05);
  if (!p.closest(".admonition") && contrast < 4.5) faults.push("is hard to read: " + name(p));
}
return faults;
"""


@pytest.fixture(scope="module")
def driver():
    driver = start_chromium()
    yield driver
    driver.quit()


@pytest.mark.skipif(bool(missing), reason=f"there is no {', '.join(missing)}")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 900)])
def test_pages_look_right(driver, width, height, scheme):
    faults = []
    emulate(driver, width, height, scheme)
    for page in PAGES:
        driver.get(page.as_uri())
        found = driver.execute_script(FAULTS, scheme)
        faults += [f"{page.relative_to(SITE)} {fault}" for fault in found[:3]]
    assert not faults, "\n".join(faults)


class Page(HTMLParser):
    """Anchors of a page, its links, and the files that it loads."""

    def __init__(self, path):
        super().__init__()
        self.places, self.links, self.loads = set(), [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.places.update(attributes[key] for key in ("id", "name") if attributes.get(key))
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        if tag in ("img", "script") and "src" in attributes:
            self.loads.append(attributes["src"])
        if tag == "link" and attributes.get("rel") in ("stylesheet", "preload", "icon"):
            self.loads.append(attributes["href"])


@pytest.fixture(scope="module")
def pages():
    return {path: Page(path) for path in PAGES}


def test_links_lead_somewhere(pages):
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if parts.scheme:
                good = parts.scheme == "https" and "." in parts.netloc
            elif target.suffix == ".html":
                place = unquote(parts.fragment)
                good = target in pages and (not place or place in pages[target].places)
            else:
                good = target.is_file()
            if not good:
                broken.append(f"{path.relative_to(SITE)}: {link}")
    assert not broken, "\n".join(broken)


def test_nothing_is_loaded_from_the_network(pages):
    for path, page in pages.items():
        assert page.loads, path
        for source in page.loads:
            parts = urlsplit(source)
            assert not parts.scheme, (path, source)
            assert not parts.netloc, (path, source)
            assert (path.parent / unquote(parts.path)).is_file(), (path, source)
