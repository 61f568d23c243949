"""The page of `export_html`, driven in a real browser.

Skipped if there is no browser; see `chromium`.
"""

import json
import threading
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from helpers.chromium import emulate, missing, start_chromium
from helpers.pages import EVIL
from helpers.trees import balanced, chain, with_rows

from skl2h import MergeTree, l2h_tree
from skl2h.datasets import make_hierarchical_logits
from skl2h.export import export_html
from skl2h.tree.palette import group_colors

if not missing:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.skipif(bool(missing), reason=f"there is no {', '.join(missing)}")

LOGITS, _, _ = make_hierarchical_logits(400, 24, random_state=0)
TREE = l2h_tree(LOGITS).with_names([f"leaf {chr(97 + i)}{i}" for i in range(24)])
ORDER = TREE.leaf_order.tolist()


@pytest.fixture(scope="module")
def driver():
    driver = start_chromium()
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def server():
    """A server of one page at a time, which records the requests."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            body = self.server.text.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")  # the page itself declares its encoding
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        block_on_close = False  # a browser keeps unused connections open

    with Server(("localhost", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class View:
    """A reader of the page: what they do and see."""

    def __init__(self, driver, server):
        self.driver, self.server = driver, server

    def open(self, tree, *, width=1400, height=900, scheme="light", **options):
        self.server.text, self.server.asked = export_html(tree, **options), []
        emulate(self.driver, width, height, scheme)
        self.driver.get_log("performance")
        self.driver.get(f"http://localhost:{self.server.server_port}/")
        return self

    def __getitem__(self, id_):
        return self.driver.find_element(By.ID, id_)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def mouse(self):
        return ActionChains(self.driver, duration=0)  # the mouse moves there at once

    def find(self, text):
        """Search for a text that is pasted, not typed letter by letter."""
        self.run(
            "const box = document.getElementById('search'); box.value = arguments[0];"
            "box.dispatchEvent(new Event('input'));",
            text,
        )

    def press(self, *keys):
        self.mouse().send_keys(*keys).perform()

    def rows(self):
        """For each row from top to bottom: its node, whether it is open, and its generation."""
        return [
            (int(node), {"true": True, "false": False, None: None}[is_open], int(generation))
            for node, is_open, generation in self.run(
                "return [...document.querySelectorAll('.row')]"
                ".sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)"
                ".map((row) => [row.dataset.node, row.getAttribute('aria-expanded'),"
                " row.getAttribute('aria-level')])"
            )
        ]

    def settle(self):
        """Wait until the last action is drawn: scrolling draws in the next frame."""
        self.driver.execute_async_script(
            "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))"
        )

    def row(self, node):
        self.settle()
        return self.driver.find_element(By.ID, f"node-{node}")

    def toggle(self, node):
        self.row(node).find_element(By.CLASS_NAME, "toggle").click()

    def members(self):
        items = "return [...document.querySelectorAll('#members .name')]"
        return self.run(items + ".map((item) => item.textContent.toWellFormed())")

    def selected(self):
        rows = "return [...document.querySelectorAll('.row[aria-selected=true]')]"
        return self.run(rows + ".map((row) => Number(row.dataset.node))")

    def groups_of_rows(self):
        """Group and colour of each leaf that has a row."""
        return {
            int(node): (int(group), color)
            for node, group, color in self.run(
                "return [...document.querySelectorAll('.row.leaf')].map((row) => [row.dataset.node,"
                " row.dataset.group, row.querySelector('.chip').style.backgroundColor])"
            )
        }

    def colors_of_icicle(self):
        """Colour of each place of the leaf order, at the bottom of the icicle."""
        return self.run(
            """
            const canvas = document.getElementById("icicle");
            const pen = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
            pen.drawImage(canvas, 0, 0);
            const n = JSON.parse(document.getElementById("data").textContent).names.length;
            const { data } = pen.getImageData(0, canvas.height - 3, canvas.width, 1);
            return Array.from({ length: n }, (_, place) => {
              const x = Math.floor((place + 0.5) / n * canvas.width);
              return Array.from(data.slice(4 * x, 4 * x + 3));
            });
            """
        )

    def set_level(self, level):
        box = self["level"]
        box.send_keys(Keys.CONTROL, "a")
        box.send_keys(str(level))

    def in_icicle(self, x, y):
        """Actions that move the mouse to a fraction of the icicle's width and height."""
        size = self["icicle"].size
        return self.mouse().move_to_element_with_offset(
            self["icicle"], round((x - 0.5) * size["width"]), round((y - 0.5) * size["height"])
        )

    def faults(self):
        return self.driver.get_log("browser")

    def requests(self):
        events = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        urls = [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]
        return [url for url in urls if not url.startswith("data:")]


@pytest.fixture
def view(driver, server):
    view = View(driver, server)
    yield view
    assert view.faults() == []  # no test leaves an error or a warning in the console
    assert view.requests() == [f"http://localhost:{server.server_port}/"]
    assert server.asked == ["/"]


# The texts on the icicle when it is drawn again.
WRITTEN = """
const written = [], pen = CanvasRenderingContext2D.prototype, { fillText } = pen;
pen.fillText = function (text, ...place) {
  written.push(text);
  fillText.call(this, text, ...place);
};
document.getElementById("zoom-out").disabled = false;
document.getElementById("zoom-out").click();
pen.fillText = fillText;
return written;
"""


def rgb(code):
    return tuple(bytes.fromhex(code[1:]))


def frontier(tree, level):
    """Rows of the tree, in order, when it is open down to a level: nodes above the cut are open."""
    cut, rows, waiting = 2 * tree.n_leaves - level, [], [(tree.n_nodes - 1, 1)]
    while waiting:
        node, generation = waiting.pop()
        is_open = None if node < tree.n_leaves else node >= cut
        rows.append((node, is_open, generation))
        if is_open:
            first, second = tree.children[node - tree.n_leaves].tolist()
            waiting += [(second, generation + 1), (first, generation + 1)]
    return rows


class TestLevel:
    @pytest.mark.parametrize("level", [1, 2, 3, 7, 12])
    def test_the_tree_is_open_down_to_the_groups(self, view, level):
        view.open(TREE, level=level)
        assert view.rows() == frontier(TREE, level)
        assert view["level"].get_property("value") == str(level)

    @pytest.mark.parametrize("level", range(1, 25))
    def test_groups_are_those_of_the_cut(self, view, level):
        """In the tree and in the icicle, by number and by colour."""
        view.open(TREE, level=level, height=1600)
        view["expand-all"].click()
        groups = view.groups_of_rows()
        assert {leaf: group for leaf, (group, _) in groups.items()} == dict(
            enumerate(TREE.cut(level))
        )
        colors = [rgb(code) for code in group_colors(level)]
        assert all(color == f"rgb{colors[group]}" for group, color in groups.values())
        expected = [list(colors[group]) for group in TREE.cut(level)[ORDER]]
        assert view.colors_of_icicle() == expected

    def test_sliding(self, view):
        view.open(TREE, level=5)
        slider = view["slider"]
        for keys, level in [
            ([Keys.ARROW_RIGHT], 6),
            ([Keys.ARROW_RIGHT] * 3, 9),
            ([Keys.ARROW_LEFT], 8),
            ([Keys.END], 24),
            ([Keys.HOME], 1),
        ]:
            slider.send_keys(*keys)
            assert slider.get_attribute("aria-valuetext") == f"{level} group{'s' * (level > 1)}"
            assert view["level"].get_property("value") == str(level)
            assert view.rows() == frontier(TREE, level)[: len(view.rows())]

    def test_dragging_the_slider(self, view):
        view.open(TREE, level=5)
        slider = view["slider"]
        view.mouse().drag_and_drop_by_offset(slider, slider.size["width"] // 2 + 20, 0).perform()
        assert view["level"].get_property("value") == "24"

    def test_typing_a_level(self, view):
        view.open(TREE)
        view.set_level(17)
        assert view.rows() == frontier(TREE, 17)[: len(view.rows())]
        view.set_level("99\t")
        assert view["level"].get_property("value") == "24"
        view.set_level("0\t")
        assert view["level"].get_property("value") == "1"
        assert view.rows() == frontier(TREE, 1)

    def test_every_step_of_the_slider_is_another_level_and_the_ends_are_there(self, view):
        tree = with_rows(balanced, 3000)
        view.open(tree)
        levels = view.run(
            "const slider = document.getElementById('slider');"
            "return Array.from({ length: Number(slider.max) + 1 }, (_, stop) => {"
            "  slider.value = stop; slider.dispatchEvent(new Event('input'));"
            "  return Number(document.getElementById('level').value); });"
        )
        assert levels[:30] == list(range(1, 31))
        assert levels[-1] == 3000
        assert (np.diff(levels) > 0).all()

    def test_large_trees_have_the_groups_of_the_cut(self, view):
        tree = with_rows(chain, 1000)
        view.open(tree)
        for level in (2, 333, 1000):
            view.set_level(level)
            view["search"].clear()
            groups = {}
            for leaf in (0, 1, 2, 500, 998, 999):
                view.find(f"n{leaf}")
                while view["node-name"].text != f"n{leaf}":
                    view["next"].click()
                groups |= {leaf: view.groups_of_rows()[leaf][0]}
            assert groups == {leaf: tree.cut(level)[leaf] for leaf in groups}


class TestTree:
    def test_collapse_and_expand(self, view):
        view.open(TREE, level=6)
        rows = frontier(TREE, 6)
        node, _, generation = rows[1]
        while TREE.sizes[node] < 4 or not {n: is_open for n, is_open, _ in rows}[node]:
            node, _, generation = rows[rows.index((node, _, generation)) + 1]
        inside = set(TREE.members(node).tolist())
        view.toggle(node)
        after = view.rows()
        assert (node, False, generation) in after
        assert [r for r in rows if r[0] == node or not set(TREE.members(r[0])) <= inside] == [
            (n, True if n == node else o, g) for n, o, g in after
        ]
        view.toggle(node)
        assert view.rows() == rows

    def test_double_click(self, view):
        view.open(TREE, level=6)
        name = view.row(46).find_element(By.CLASS_NAME, "name")
        view.mouse().double_click(name).perform()
        assert view.rows() == [(46, False, 1)]
        assert view.selected() == [46]

    def test_all_and_none(self, view):
        view.open(TREE, level=6, height=1600)
        view["expand-all"].click()
        rows = view.rows()
        assert len(rows) == TREE.n_nodes
        assert [node for node, _, _ in rows if node < 24] == ORDER
        assert all(generation == len(TREE.path(node)) for node, _, generation in rows)
        view["collapse-all"].click()
        assert view.rows() == [(46, False, 1)]
        view["to-level"].click()
        assert view.rows() == frontier(TREE, 6)

    def test_click_shows_the_members(self, view):
        view.open(TREE, level=6)
        for node, _, _ in frontier(TREE, 6):
            view.row(node).find_element(By.CLASS_NAME, "name").click()
            assert view.selected() == [node]
            inside = TREE.members(node)
            expected = [] if node < 24 else [TREE.names[leaf] for leaf in inside]
            assert view.members() == expected
            facts = view["facts"].text.replace("\n", " ")
            assert f"Node {node}" in facts
            assert f"Rows {TREE.node_counts[node]}" in facts
            if node >= 24:
                assert view["node-name"].text == f"{len(inside)} leaves"
                score = float(facts.split("Score ")[1].split()[0])
                assert score == pytest.approx(TREE.scores[node - 24], rel=1e-5)
                assert len(view.members()) == len(inside)
            else:
                assert view["node-name"].text == TREE.names[node]

    def test_levels_of_a_node(self, view):
        """The details say at which levels a node is a group, and the cuts agree."""
        view.open(TREE, level=24, height=1600)
        groups = {
            level: [set(np.flatnonzero(TREE.cut(level) == group)) for group in range(level)]
            for level in range(1, 25)
        }
        for node in range(47):
            view.row(node).find_element(By.CLASS_NAME, "name").click()
            levels = [level for level in groups if set(TREE.members(node)) in groups[level]]
            first, last = levels[0], levels[-1]
            words = f"at levels {first} to {last}\n" if first < last else f"at level {first}\n"
            assert words in view["facts"].text + "\n"

    def test_hover_tells_counts_and_scores(self, view):
        view.open(TREE, level=6)
        for node, is_open, _ in frontier(TREE, 6):
            view.mouse().move_to_element(view.row(node)).perform()
            text = view["tip"].text
            assert f"{TREE.node_counts[node]} rows" in text
            if is_open is not None:
                assert f"score {TREE.scores[node - 24]:.6g}" in text
            if not is_open:
                group = TREE.cut(6)[TREE.members(node)[0]]
                assert f"group {group} at level 6" in text
        view.mouse().move_to_element(view["summary"]).perform()
        assert not view["tip"].is_displayed()

    def test_heights_of_an_affinity_tree_are_called_so(self, view):
        tree = MergeTree([(0, 1), (2, 3)], scores=[0.5, 0.75], method="affinity")
        view.open(tree, level=2)
        view.row(4).find_element(By.CLASS_NAME, "name").click()
        assert "Height 0.75" in view["facts"].text.replace("\n", " ")
        view.mouse().move_to_element(view.row(4)).perform()
        assert "height 0.75" in view["tip"].text
        assert "score" not in view["tip"].text + view.row(4).accessible_name

    def test_support_is_told_in_the_details_on_hover_and_aloud(self, view):
        support = np.linspace(0, 1, 23)
        view.open(TREE.with_support(support), level=6)
        for node, is_open, _ in frontier(TREE, 6):
            view.row(node).find_element(By.CLASS_NAME, "name").click()
            facts = view["facts"].text.replace("\n", " ")
            view.mouse().move_to_element(view.row(node)).perform()
            tip = view["tip"].text
            if is_open is None:
                assert "Support" not in facts
                assert "support" not in tip
            else:
                share = f"{support[node - 24]:.6g}"
                assert f" Support {share} " in facts
                assert f"support {share}" in tip
                assert f", support {share}" in view.row(node).accessible_name

    def test_without_scores_and_counts(self, view):
        view.open(MergeTree(TREE.children), level=3)
        assert view["summary"].text == "24 leaves"
        view.row(46).find_element(By.CLASS_NAME, "name").click()
        assert "Score" not in view["facts"].text
        assert "Support" not in view["facts"].text
        assert "Rows" not in view["facts"].text
        assert view.driver.find_elements(By.CLASS_NAME, "count") == []
        view.mouse().move_to_element(view.row(46)).perform()
        assert view["tip"].text.startswith("24 leaves\n")
        assert "NaN" not in view.driver.page_source.split("<script")[0]

    def test_without_rows(self, view):
        view.open(MergeTree([(0, 1)], counts=[0, 0], scores=[0.0]))
        view.row(2).find_element(By.CLASS_NAME, "name").click()
        assert view["facts"].text.replace("\n", " ").startswith("Node 2 Rows 0 Score 0 ")

    def test_extreme_weights_and_scores(self, view):
        """They are not written with three hundred digits."""
        view.open(MergeTree([(0, 1), (2, 3)], counts=[1e308, 2e-300, 7], scores=[-1e308, 3e-200]))
        view.row(4).find_element(By.CLASS_NAME, "name").click()
        assert "Rows 1e+308 (100 %) Score 3e-200" in view["facts"].text.replace("\n", " ")
        texts = [element.text for element in view.driver.find_elements(By.CLASS_NAME, "count")]
        assert {"1e+308 rows", "2e-300", "7"} <= set(texts)

    @pytest.mark.parametrize("names", [["alone"], [""]])
    def test_one_leaf(self, view, names):
        view.open(MergeTree([], names=names, counts=[3]))
        assert view["summary"].text == "1 leaf, 3 rows"
        assert view.rows() == [(0, None, 1)]
        view.in_icicle(0.5, 0.5).click().perform()
        assert view.selected() == [0]
        assert view["node-name"].text == (names[0] or "''")


class TestKeyboard:
    def test_walking_the_tree(self, view):
        view.open(TREE, level=6)
        rows = [node for node, _, _ in frontier(TREE, 6)]
        view.run("document.getElementById('tree').focus()")

        def after(*keys):
            view.press(*keys)
            (node,) = view.selected()
            assert view["tree"].get_attribute("aria-activedescendant") == f"node-{node}"
            return node

        assert [after(Keys.ARROW_DOWN) for _ in rows[1:]] == rows[1:]
        assert after(Keys.ARROW_DOWN) == rows[-1]
        assert after(Keys.ARROW_UP) == rows[-2]
        assert after(Keys.HOME) == 46
        assert after(Keys.END) == rows[-1]
        assert after(Keys.PAGE_UP) == 46
        assert after(Keys.ARROW_RIGHT) == TREE.children[-1, 0]
        assert after(Keys.HOME, Keys.ARROW_LEFT) == 46
        assert view.rows() == [(46, False, 1)]
        assert after(Keys.ENTER) == 46
        assert view.rows() == frontier(TREE, 6)
        assert after(" ") == 46
        assert view.rows() == [(46, False, 1)]
        assert after(Keys.ARROW_RIGHT) == 46
        assert after(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT) in (
            rows[1],
            TREE.children[rows[1] - 24, 0],
        )
        assert after(Keys.HOME, Keys.ARROW_RIGHT) == rows[1]
        assert after(Keys.ARROW_LEFT, Keys.ARROW_LEFT) == 46

    def test_everything_is_reached_by_tab_and_has_a_name(self, view):
        view.open(TREE)
        view.row(46).find_element(By.CLASS_NAME, "name").click()
        view.run("document.activeElement.blur(); window.scrollTo(0, 0)")
        self_sufficient = {"slider", "level", "search", "tree", "icicle", "details-body"}
        buttons = {"to-level", "expand-all", "collapse-all", "copy", "copy-json"}
        seen = {}
        view.run("document.body.tabIndex = -1; document.body.focus()")
        for _ in range(20):
            view.press(Keys.TAB)
            focused = view.driver.switch_to.active_element
            seen[focused.get_attribute("id")] = focused.accessible_name
            if focused.get_attribute("id") in self_sufficient | buttons:
                outline = "const { outlineStyle, outlineWidth } = getComputedStyle(arguments[0]);"
                outline += "return [outlineStyle, outlineWidth]"
                assert view.run(outline, focused) == ["solid", "2px"]
        assert self_sufficient | buttons <= set(seen)
        assert all(name for id_, name in seen.items() if id_)

    def test_roles(self, view):
        view.open(TREE, level=6)
        assert view["tree"].aria_role == "tree"
        assert view.row(46).aria_role == "treeitem"
        assert view.row(46).accessible_name.startswith("24 leaves, 400 rows, score ")
        assert view["slider"].accessible_name == "Level"
        assert view["search"].accessible_name == "Search"
        for node, _, _ in frontier(TREE, 6)[1:]:
            place = TREE.children[TREE.parents[node] - 24].tolist().index(node) + 1
            assert view.row(node).get_attribute("aria-posinset") == str(place)
            assert view.row(node).get_attribute("aria-setsize") == "2"

    def test_walking_the_icicle(self, view):
        view.open(TREE, level=6)
        view.run("document.getElementById('icicle').focus()")

        def after(*keys):
            view.press(*keys)
            return view.selected()[0]

        assert after(Keys.HOME) == 46
        leftmost = 46
        while leftmost >= 24:
            leftmost = int(TREE.children[leftmost - 24, 0])
            assert after(Keys.ARROW_DOWN) == leftmost
        assert after(Keys.ARROW_DOWN) == leftmost
        assert leftmost == ORDER[0]
        assert [leftmost, *(after(Keys.ARROW_RIGHT) for _ in range(23))] == ORDER
        assert after(Keys.ARROW_RIGHT) == ORDER[-1]
        assert [after(Keys.ARROW_LEFT) for _ in range(23)] == ORDER[-2::-1]
        assert after(Keys.ARROW_UP) == TREE.parents[ORDER[0]]
        assert (
            view["status"]
            .get_property("textContent")
            .startswith(f"{TREE.sizes[TREE.parents[ORDER[0]]]} leaves, ")
        )

    def test_slash_goes_to_the_search(self, view):
        view.open(TREE)
        view["tree"].click()
        view.press("/")
        assert view.driver.switch_to.active_element == view["search"]
        view.press("a/b")
        assert view["search"].get_property("value") == "a/b"


class TestSearch:
    def test_matches_in_the_order_of_the_leaves(self, view):
        view.open(TREE, level=1)
        view["search"].send_keys("F")
        found = [leaf for leaf in ORDER if "f" in TREE.names[leaf].lower()]
        assert len(found) == 24  # each is described as a leaf
        view["search"].send_keys(Keys.BACKSPACE, " B")
        assert view["hits"].text == "1 of 1"
        assert view.selected() == [1]
        assert view.row(1).find_element(By.TAG_NAME, "mark").get_property("textContent") == " b"

        view.find("1")
        found = [leaf for leaf in ORDER if "1" in TREE.names[leaf]]
        for place, leaf in enumerate([*found, found[0]]):
            assert view["hits"].text == f"{place % len(found) + 1} of {len(found)}"
            assert view.selected() == [leaf]
            assert view.row(leaf).is_displayed()
            view["search"].send_keys(Keys.ENTER)
        view["previous"].click()
        assert view.selected() == [found[0]]
        view["previous"].click()
        assert view.selected() == [found[-1]]
        view["search"].send_keys(Keys.SHIFT, Keys.ENTER, Keys.SHIFT)
        assert view.selected() == [found[-2]]
        view["next"].click()
        assert view.selected() == [found[-1]]

    def test_nothing_found_and_escape(self, view):
        view.open(TREE, level=6)
        view["search"].send_keys("?")
        assert view["hits"].text == "none"
        assert view["next"].get_property("disabled")
        assert view.selected() == []
        view["search"].send_keys(Keys.ESCAPE)
        assert view["search"].get_property("value") == ""
        assert view["hits"].text == ""
        assert view.rows() == frontier(TREE, 6)

    def test_a_closed_node_says_how_many_it_holds(self, view):
        view.open(TREE, level=1)
        view["search"].send_keys("1")
        view["collapse-all"].click()
        n_found = sum("1" in name for name in TREE.names)
        assert view.row(46).find_element(By.CLASS_NAME, "found").text == f"{n_found} found"


class TestCopy:
    @pytest.fixture
    def clipboard(self, view):
        origin = f"http://localhost:{view.server.server_port}"
        grant = partial(view.driver.execute_cdp_cmd, "Browser.setPermission")
        for name in ("clipboard-read", "clipboard-write"):
            grant({"origin": origin, "permission": {"name": name}, "setting": "granted"})
        yield lambda: view.driver.execute_async_script(
            "navigator.clipboard.readText().then(arguments[0])"
        )
        view.driver.execute_cdp_cmd("Browser.resetPermissions", {})

    def wait(self, view, id_, text):
        begin = time.monotonic()
        while view[id_].text != text:
            assert time.monotonic() - begin < 5, view[id_].text
            time.sleep(0.02)

    def test_names(self, view, clipboard):
        view.open(TREE, level=6)
        for node in (46, int(TREE.children[-1, 0]), ORDER[0]):
            view.find(TREE.names[ORDER[0]])
            view.row(node).find_element(By.CLASS_NAME, "name").click()
            view["copy"].click()
            self.wait(view, "copy", "Copied")
            self.wait(view, "copy", "Copy names")
            names = [TREE.names[leaf] for leaf in TREE.members(node)]
            assert clipboard() == "\n".join(names)

    def test_json_keeps_any_name(self, view, clipboard):
        view.open(with_rows(chain, len(EVIL), EVIL))
        view.row(2 * len(EVIL) - 2).find_element(By.CLASS_NAME, "name").click()
        view["copy-json"].click()
        self.wait(view, "copy-json", "Copied")
        # Without the characters that a clipboard cannot hold.
        assert json.loads(clipboard()) == EVIL

    def test_without_the_permission(self, view):
        """The text is copied to the clipboard all the same, and can be pasted."""
        view.open(TREE, level=6)
        view.run("navigator.clipboard.writeText = () => Promise.reject(new Error('no'))")
        view.row(46).find_element(By.CLASS_NAME, "name").click()
        view["copy"].click()
        self.wait(view, "copy", "Copied")
        assert view.driver.switch_to.active_element == view["copy"]
        view["search"].send_keys(Keys.CONTROL, "v")
        # A text box of one line turns line breaks into spaces.
        assert view["search"].get_property("value") == " ".join(TREE.names)

    def test_more_members_than_are_listed_at_first(self, view, clipboard):
        tree = with_rows(balanced, 1000)
        view.open(tree)
        view.row(1998).find_element(By.CLASS_NAME, "name").click()
        assert len(view.members()) == 200
        view["copy"].click()
        self.wait(view, "copy", "Copied")
        assert clipboard() == "\n".join(tree.names)
        assert view["all-members"].text == "List all 1,000 leaves"
        view["all-members"].click()
        assert view.members() == list(tree.names)
        assert not view["all-members"].is_displayed()


class TestIcicle:
    def test_clicks_find_the_nodes(self, view):
        """A leaf is found at the bottom, above its place; the root at the top."""
        view.open(TREE, level=6)
        for place, leaf in enumerate(ORDER):
            view.in_icicle((place + 0.5) / 24, 0.985).click().perform()
            assert view.selected() == [leaf]
            assert view.row(leaf).is_displayed()
        view.in_icicle(0.3, 0.02).click().perform()
        assert view.selected() == [46]

    def test_at_the_line_are_the_groups(self, view):
        level = 5
        view.open(TREE, level=level)
        names = min(110, 0.34 * view["icicle"].size["height"])
        share = 1 - names / view["icicle"].size["height"]
        y = share * (np.log(level) + np.log(level + 1)) / 2 / np.log(24)
        for group in range(level):
            places = np.flatnonzero(TREE.cut(level)[ORDER] == group)
            view.in_icicle((places.mean() + 0.5) / 24, y).click().perform()
            (node,) = view.selected()
            assert sorted(TREE.members(node)) == np.flatnonzero(TREE.cut(level) == group).tolist()

    def test_names_of_ten_leaves_are_written_out(self, view):
        """At the level of the leaves, which a small tree shows first."""
        names = [f"mostly {digit} (79%)" for digit in range(10)]
        tree = with_rows(balanced, 10, names)
        view.open(tree, width=1280, height=800)
        assert set(names) <= set(view.run(WRITTEN))
        view.open(tree, width=390, height=844)
        assert sum(text.startswith("mostl") for text in view.run(WRITTEN)) == 10

    def test_hover(self, view):
        view.open(TREE, level=6)
        view.in_icicle(0.5, 0.02).perform()
        assert view["tip"].text.startswith(f"24 leaves\n400 rows · score {TREE.scores[-1]:.6g}\n")
        view.in_icicle((7 + 0.5) / 24, 0.985).perform()
        assert view["tip"].text.startswith(TREE.names[ORDER[7]])

    def test_zoom(self, view):
        view.open(TREE, level=6)
        node = int(TREE.children[-1, 1])
        view.row(node).find_element(By.CLASS_NAME, "name").click()
        view["zoom-in"].click()
        inside = [leaf for leaf in ORDER if leaf in TREE.members(node)]
        for place, leaf in enumerate(inside):
            view.in_icicle((place + 0.5) / len(inside), 0.985).click().perform()
            assert view.selected() == [leaf]
        view["zoom-out"].click()
        assert view["zoom-out"].get_property("disabled")
        view.in_icicle(0.5 / 24, 0.985).click().perform()
        assert view.selected() == [ORDER[0]]

    def test_zoom_by_double_click_and_out_by_going_elsewhere(self, view):
        view.open(TREE, level=6)
        # The first child of the root begins below it, on the left.
        view.in_icicle(0.02, 0.25).double_click().perform()
        assert not view["zoom-out"].get_property("disabled")
        view["search"].send_keys(TREE.names[ORDER[-1]])
        assert view.selected() == [ORDER[-1]]
        assert view["zoom-out"].get_property("disabled")


class TestNames:
    def test_any_name_is_shown_and_does_nothing(self, view):
        from selenium.common.exceptions import NoAlertPresentException

        tree = with_rows(chain, len(EVIL), EVIL)
        view.open(tree, title="The names", height=1600)
        n_elements = view.run("return document.querySelectorAll('*').length")
        view["expand-all"].click()
        shown = dict(
            view.run(
                "return [...document.querySelectorAll('.row.leaf')].map((row) =>"
                " [row.dataset.node, row.querySelector('.name').textContent.toWellFormed()])"
            )
        )
        # A driver's answer cannot hold half of a character.
        readable = [name.replace("\ud800", "\ufffd") or "''" for name in EVIL]
        assert {int(node): name for node, name in shown.items()} == dict(enumerate(readable))

        view.row(tree.n_nodes - 1).find_element(By.CLASS_NAME, "name").click()
        assert view.members() == readable
        for leaf in range(len(EVIL)):
            view.mouse().move_to_element(view.row(leaf)).click().perform()
            assert view.selected() == [leaf]
        for name in ("<script>alert(1)</script>", '"]}', "</script><!--"):
            view.find(name)
            assert view["node-name"].text == name
            assert view.row(EVIL.index(name)).text.startswith(name)
        assert view.driver.title == "The names"
        assert n_elements > 50
        assert view.run("return document.querySelectorAll('script, img, b').length") == 2
        with pytest.raises(NoAlertPresentException):
            _ = view.driver.switch_to.alert.text

    def test_names_of_nothing_are_seen_and_heard(self, view):
        """In the tree, in the list of a closed node, in the details and in the icicle."""
        view.open(MergeTree([(0, 1), (2, 3)], names=["", " ", "b"]), level=1)
        some = view.row(4).find_element(By.CLASS_NAME, "some").get_property("textContent")
        assert some.replace("\u2068", "").replace("\u2069", "") == "b, '', ' '"
        view["expand-all"].click()
        for leaf, text in enumerate(["''", "' '", "b"]):
            row = view.row(leaf)
            assert row.find_element(By.CLASS_NAME, "name").get_property("textContent") == text
            assert row.accessible_name.startswith("b" if leaf == 2 else "empty name")
        view.row(4).find_element(By.CLASS_NAME, "name").click()
        assert view.members() == ["''", "' '", "b"]
        assert {"''", "' '", "b"} <= set(view.run(WRITTEN))

    def test_names_keep_their_own_direction(self, view):
        """A name that turns the direction of text does not turn the names beside it."""
        view.open(MergeTree([(0, 1), (2, 3)], names=["\u202eabc", "xyz", "w"]), level=1)
        view.row(4).find_element(By.CLASS_NAME, "name").click()
        left = view.run(
            """
            const text = document.querySelector(".some").firstChild;
            return ["w", "x", "z"].map((letter) => {
              const range = document.createRange();
              range.setStart(text, text.data.indexOf(letter));
              range.setEnd(text, text.data.indexOf(letter) + 1);
              return range.getBoundingClientRect().left;
            });
            """
        )
        assert left == sorted(left)

    @pytest.mark.parametrize("title", ["<script>alert(1)</script>", "</title><b>", "a & b &amp; c"])
    def test_any_title(self, view, title):
        view.open(TREE, title=title)
        assert view.driver.title == title
        assert view.driver.find_element(By.TAG_NAME, "h1").text == title

    def test_a_script_that_got_in_would_not_run(self, view):
        """The page's content security policy stops it, not only the escaping."""
        view.open(TREE)
        view.run(
            "const script = document.createElement('script');"
            "script.textContent = 'document.title = `changed`'; document.body.append(script);"
        )
        assert view.driver.title != "changed"
        assert any("Content Security Policy" in fault["message"] for fault in view.faults())

    def test_a_page_on_disk(self, view, tmp_path):
        """It is opened as a file, and so has no origin."""
        view.open(TREE)
        assert view.requests() == [f"http://localhost:{view.server.server_port}/"]
        path = tmp_path / "tree.html"
        path.write_text(export_html(TREE, level=6), encoding="utf-16")
        view.driver.get(path.as_uri())
        assert view.rows() == frontier(TREE, 6)
        assert view.requests() == [path.as_uri()]
        assert view.faults() == []
        view.open(TREE)


class TestLooks:
    COLORS = (
        "const ground = (box) => getComputedStyle(box).backgroundColor;"
        "let box = arguments[0];"
        "while (ground(box) === 'rgba(0, 0, 0, 0)') box = box.parentElement;"
        "return [getComputedStyle(arguments[0]).color, ground(box)]"
    )

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_text_is_readable(self, view, scheme):
        """Contrast of at least 4.5, WCAG's level AA."""
        view.open(TREE, scheme=scheme, level=6)
        view["search"].send_keys("leaf")
        selectors = ["h1", "#summary", "#hits", ".row .name", ".row .count", "mark", ".some"]
        selectors += ["#facts dt", "#facts dd", "button:enabled", "input", ".hint", ".found"]
        view["collapse-all"].click()
        view["to-level"].click()
        for selector in selectors:
            for element in view.driver.find_elements(By.CSS_SELECTOR, selector)[:30]:
                ink, ground = (luminance(color) for color in view.run(self.COLORS, element))
                contrast = (max(ink, ground) + 0.05) / (min(ink, ground) + 0.05)
                assert contrast >= 4.5, selector
        page = luminance(view.run(self.COLORS, view.driver.find_element(By.TAG_NAME, "body"))[1])
        assert page < 0.05 if scheme == "dark" else page > 0.8

    def test_the_icicle_follows_a_change_of_scheme(self, view):
        view.open(TREE, level=6)
        pixel = (
            "const copy = new OffscreenCanvas(1, 1).getContext('2d');"
            "copy.drawImage(document.getElementById('icicle'), -300, -4);"
            "return [...copy.getImageData(0, 0, 1, 1).data]"
        )
        light = view.run(pixel)
        media = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
        view.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        view.settle()
        assert sum(view.run(pixel)) < sum(light)

    @pytest.mark.parametrize("width", [375, 390])
    def test_a_narrow_page_stays_short(self, view, width):
        """The tree scrolls in its panel, where only what is in sight is drawn."""
        view.open(with_rows(balanced, 1000), width=width, height=844)
        view["expand-all"].click()
        view.row(1998).find_element(By.CLASS_NAME, "name").click()
        assert view.run("return document.documentElement.scrollHeight") < 3 * 844
        assert len(view.driver.find_elements(By.CLASS_NAME, "row")) < 60
        buttons = view.driver.find_elements(By.CSS_SELECTOR, ".details-panel .bar button")
        assert len({button.rect["y"] for button in buttons}) == 1

    @pytest.mark.parametrize("width", [320, 390, 768, 1400])
    def test_nothing_is_wider_than_the_screen(self, view, width):
        names = ["x" * 300, "y " * 200, *(f"leaf {i}" for i in range(22))]
        view.open(TREE.with_names(names), width=width, height=800, level=6)
        for leaf in (0, 1):
            view.find(names[leaf])
            assert view.run("return document.documentElement.scrollWidth") <= width
        for id_ in ("slider", "level", "search", "tree", "icicle", "details-body", "copy"):
            box = view[id_].rect
            assert box["width"] > 40
            assert box["height"] > 10
            assert 0 <= box["x"] <= box["x"] + box["width"] <= width


def luminance(color):
    channels = np.array([float(part) for part in color[color.index("(") + 1 : -1].split(",")[:3]])
    part = channels / 255
    linear = np.where(part > 0.04045, ((part + 0.055) / 1.055) ** 2.4, part / 12.92)
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("make", [balanced, chain])
class TestLarge:
    """10,000 leaves stay usable: the page has few elements, and reacts at once."""

    def timed(self, view, script):
        return view.run(f"const t = performance.now(); {script}; return performance.now() - t")

    def test_is_quick(self, view, make):
        tree = with_rows(make, 10_000)
        begin = time.perf_counter()
        view.open(tree)
        assert time.perf_counter() - begin < 3
        for script in (
            "document.getElementById('expand-all').click()",
            "document.getElementById('tree').scrollTop = 1e5",
            "document.getElementById('slider').value = 150;"
            "document.getElementById('slider').dispatchEvent(new Event('input'))",
            "document.getElementById('search').value = '77';"
            "document.getElementById('search').dispatchEvent(new Event('input'))",
            "document.getElementById('next').click()",
        ):
            assert self.timed(view, script) < 500
        assert len(view.driver.find_elements(By.CSS_SELECTOR, "*")) < 3000

    def test_the_deepest_leaf_is_in_sight(self, view, make):
        tree = with_rows(make, 10_000)
        view.open(tree)
        deepest = int(tree.children[0, 0])
        view["search"].send_keys(tree.names[deepest])
        assert view.selected() == [deepest]
        name = view.row(deepest).find_element(By.CLASS_NAME, "name")
        left, right = view["tree"].rect["x"], view["tree"].rect["x"] + view["tree"].rect["width"]
        assert left < name.rect["x"] < name.rect["x"] + name.rect["width"] < right
        assert name.text == tree.names[deepest]
        view["expand-all"].click()
        view.run("document.getElementById('tree').focus()")
        view.press(Keys.END)
        last = int(tree.leaf_order[-1])
        assert view.selected() == [last]
        assert view.row(last).is_displayed()
