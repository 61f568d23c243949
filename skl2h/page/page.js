
"use strict";
(() => {
  // A tree of K leaves, as skl2h.MergeTree has it: nodes 0..K-1 are the leaves, K + t is the
  // t-th merge, and a parent's number is larger than its children's. So every walk below is a
  // loop over the nodes or a stack: nothing recurses, and a chain is as good as any tree.
  // Names come from users: they reach the page through textContent and fillText alone.

  const data = JSON.parse(document.getElementById("data").textContent);
  const { names, children, scores, counts, colors } = data;
  const K = names.length;
  const N = 2 * K - 1;
  const ROOT = N - 1;
  const ROW = 26; // height of a row of the tree, as in the style sheet
  const STEP = 16; // indent of one generation
  const FEW = 200; // members listed before the rest is asked for

  const element = (id) => document.getElementById(id);
  const isLeaf = (node) => node < K;
  const first = (node) => children[2 * (node - K)];
  const second = (node) => children[2 * (node - K) + 1];

  const parent = new Int32Array(N).fill(-1);
  const size = new Int32Array(N).fill(1);
  const rows = counts && Float64Array.from({ length: N }, (_, node) => counts[node] || 0);
  for (let node = K; node < N; node++) {
    const a = first(node);
    const b = second(node);
    parent[a] = parent[b] = node;
    size[node] = size[a] + size[b];
    if (rows) rows[node] = rows[a] + rows[b];
  }
  const depth = new Int32Array(N);
  const start = new Int32Array(N); // first place of a node's leaves in the leaf order
  for (let node = ROOT; node >= K; node--) {
    const a = first(node);
    const b = second(node);
    depth[a] = depth[b] = depth[node] + 1;
    start[a] = start[node];
    start[b] = start[node] + size[a];
  }
  const order = new Int32Array(K);
  for (let leaf = 0; leaf < K; leaf++) order[start[leaf]] = leaf;

  // ---- State ----------------------------------------------------------------------------

  let level = 1;
  let groups = new Int32Array(N); // group of each node at the level, -1 above the cut
  let active = ROOT; // the node that the keyboard is on
  let chosen = -1; // the node that the details show
  let zoomed = ROOT;
  let hovered = -1;
  let query = "";
  let matches = []; // leaves, in the leaf order
  let at = -1; // which of the matches is shown
  let matchesBefore = null; // of each place: the matches left of it
  const expanded = new Uint8Array(N);
  let visible = []; // nodes that have a row, from top to bottom
  let deepest = 0;
  const rowOf = new Int32Array(N);

  /** Group of each node at a level, numbered by the smallest leaf; -1 above the cut. */
  function cut(toLevel) {
    const made = 2 * K - toLevel; // nodes there are once the first K - level merges are made
    const top = new Int32Array(N).fill(-1);
    for (let node = made - 1; node >= 0; node--) {
      const above = parent[node];
      top[node] = above < 0 || above >= made ? node : top[above];
    }
    const number = new Int32Array(N).fill(-1);
    let next = 0;
    for (let leaf = 0; leaf < K; leaf++) {
      if (number[top[leaf]] < 0) number[top[leaf]] = next++;
    }
    return top.map((node) => (node < 0 ? -1 : number[node]));
  }

  // ---- Words ----------------------------------------------------------------------------

  const count = (number) => number.toLocaleString("en-US", { maximumSignificantDigits: 12 });
  const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;
  const leavesBelow = (node) => plural(size[node], "leaf", "leaves");
  const score = (node) =>
    scores && !isLeaf(node) ? String(Number(scores[node - K].toPrecision(6))) : null;

  function title(node) {
    return isLeaf(node) ? names[node] || "(empty name)" : leavesBelow(node);
  }

  function facts(node) {
    const parts = [];
    if (rows) parts.push(plural(rows[node], "row"));
    if (score(node) !== null) parts.push(`score ${score(node)}`);
    if (groups[node] >= 0) parts.push(`group ${groups[node]} at level ${level}`);
    return parts;
  }

  /** The first few names below a merge, for a glance at what it holds. */
  function someNames(node, most) {
    const end = start[node] + Math.min(size[node], most);
    const some = Array.from(order.subarray(start[node], end), (leaf) => names[leaf]);
    return some.join(", ") + (size[node] > most ? ", \u2026" : "");
  }

  function members(node) {
    return order.slice(start[node], start[node] + size[node]).sort();
  }

  function make(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function nameOf(leaf, className = "name") {
    const made = make("span", className, names[leaf]);
    if (!names[leaf]) {
      made.textContent = "(empty name)";
      made.classList.add("none");
    }
    return made;
  }

  const color = (group) => `#${colors.slice(6 * group, 6 * group + 6)}`;

  function chip(node) {
    const made = make("span", "chip");
    made.setAttribute("aria-hidden", "true");
    if (groups[node] < 0) made.classList.add("above");
    else made.style.backgroundColor = color(groups[node]);
    return made;
  }

  function announce(text) {
    element("status").textContent = text;
  }

  // ---- The tree -------------------------------------------------------------------------

  const tree = element("tree");

  function listRows() {
    visible = [];
    deepest = 0;
    rowOf.fill(-1);
    const waiting = [ROOT];
    while (waiting.length) {
      const node = waiting.pop();
      rowOf[node] = visible.length;
      visible.push(node);
      deepest = Math.max(deepest, depth[node]);
      if (expanded[node]) waiting.push(second(node), first(node));
    }
    element("rows").style.height = `${visible.length * ROW}px`;
  }

  function drawTree() {
    const from = Math.max(0, Math.floor(tree.scrollTop / ROW) - 4);
    const to = Math.min(visible.length, Math.ceil((tree.scrollTop + tree.clientHeight) / ROW) + 4);
    const shown = visible.slice(from, to);
    // Where a branch is deeper than the panel is wide, it is drawn from its own depth on.
    const room = Math.max(4, Math.floor((tree.clientWidth * 0.45) / STEP));
    let shift = 0;
    if (deepest > room) {
      const inSight = shown.slice(from ? 4 : 0, -4 || undefined);
      shift = Math.max(0, Math.min(...inSight.map((node) => depth[node])) - 1);
    }
    const drawn = shown.map((node) => drawRow(node, shift, room));
    // The row the keyboard is on stays there for assistive technology, in sight or not.
    if (rowOf[active] >= 0 && (rowOf[active] < from || rowOf[active] >= to)) {
      drawn.push(drawRow(active, shift, room));
    }
    place(drawn);
    if (rowOf[active] >= 0) tree.setAttribute("aria-activedescendant", `node-${active}`);
    else tree.removeAttribute("aria-activedescendant");
  }

  /** Put rows into the page. Those that are there stay, so that a pointer keeps what it is on. */
  function place(drawn) {
    const wanted = new Set(drawn);
    const box = element("rows");
    for (const row of [...box.children]) {
      if (!wanted.has(row)) {
        row.remove();
        drawnRows.delete(Number(row.dataset.node));
      }
    }
    let next = box.firstChild;
    for (const row of drawn) {
      drawnRows.set(Number(row.dataset.node), row);
      if (row === next) next = row.nextSibling;
      else box.insertBefore(row, next);
    }
  }

  const drawnRows = new Map();

  function drawRow(node, shift, room) {
    const indent = STEP * Math.max(0, Math.min(depth[node] - shift, room));
    // All that a row shows; what the keyboard and the pointer change is set below.
    const shows = [level, groups[node], expanded[node], indent, query].join(" ");
    let row = drawnRows.get(node);
    if (!row || row.dataset.shows !== shows) {
      row = makeRow(node, indent);
      row.dataset.shows = shows;
    }
    row.style.transform = `translateY(${rowOf[node] * ROW}px)`;
    row.setAttribute("aria-selected", node === chosen);
    row.classList.toggle("active", node === active);
    return row;
  }

  function makeRow(node, width) {
    const row = make("div", isLeaf(node) ? "row leaf" : "row inner");
    row.id = `node-${node}`;
    row.dataset.node = node;
    row.dataset.group = groups[node];
    row.setAttribute("role", "treeitem");
    row.setAttribute("aria-level", depth[node] + 1);
    row.setAttribute("aria-setsize", node === ROOT ? 1 : 2);
    row.setAttribute("aria-posinset", node === ROOT || first(parent[node]) === node ? 1 : 2);
    row.setAttribute("aria-label", [title(node), ...facts(node)].join(", "));
    if (!isLeaf(node)) row.setAttribute("aria-expanded", expanded[node] === 1);
    const indent = make("span", "indent");
    indent.style.width = `${width}px`;
    row.append(indent, make("span", "toggle"), chip(node));
    if (isLeaf(node)) {
      row.append(marked(node));
    } else {
      row.append(make("span", "name", title(node)));
      const hits = matchesBefore ? matchesBelow(node) : 0;
      if (hits && !expanded[node]) row.append(make("span", "found", `${count(hits)} found`));
      if (!expanded[node]) row.append(make("span", "some", someNames(node, 12)));
    }
    if (rows) {
      row.append(make("span", "count", node === ROOT ? plural(rows[node], "row") : count(rows[node])));
    }
    return row;
  }

  /** Name of a leaf, with what is searched for marked. */
  function marked(leaf) {
    const made = nameOf(leaf);
    const low = names[leaf].toLowerCase();
    const found = query ? low.indexOf(query) : -1;
    // In a few scripts small letters are more characters than large ones: then no mark.
    if (found < 0 || low.length !== names[leaf].length) return made;
    made.replaceChildren(
      names[leaf].slice(0, found),
      make("mark", "", names[leaf].slice(found, found + query.length)),
      names[leaf].slice(found + query.length),
    );
    return made;
  }

  function setExpanded(node, open) {
    if (isLeaf(node)) return;
    expanded[node] = open ? 1 : 0;
    listRows();
    drawTree();
  }

  function reveal(node) {
    for (let above = parent[node]; above >= 0; above = parent[above]) expanded[above] = 1;
    if (rowOf[node] < 0) listRows();
    scrollTo(node);
  }

  function scrollTo(node) {
    const top = rowOf[node] * ROW;
    const room = tree.clientHeight;
    if (top < tree.scrollTop || top + ROW > tree.scrollTop + room) {
      tree.scrollTop = top - Math.max(0, Math.min(room / 3, room - ROW));
    }
  }

  /** Make a node the one that the keyboard is on and that the details show. */
  function choose(node) {
    active = chosen = node;
    reveal(node);
    drawTree();
    drawDetails();
    if (start[node] < start[zoomed] || start[node] + size[node] > start[zoomed] + size[zoomed]) {
      zoom(lowestHolding(node, zoomed));
    }
    drawIcicle();
  }

  function lowestHolding(a, b) {
    let node = Math.max(a, b);
    while (start[node] > Math.min(start[a], start[b]) ||
      start[node] + size[node] < Math.max(start[a] + size[a], start[b] + size[b])) {
      node = parent[node];
    }
    return node;
  }

  tree.addEventListener("scroll", drawTree);
  tree.addEventListener("click", (event) => {
    const row = event.target.closest(".row");
    if (!row) return;
    const node = Number(row.dataset.node);
    if (event.target.classList.contains("toggle") && !isLeaf(node)) {
      active = node;
      setExpanded(node, !expanded[node]);
    } else {
      choose(node);
    }
  });
  tree.addEventListener("dblclick", (event) => {
    const row = event.target.closest(".row");
    if (!row || event.target.classList.contains("toggle")) return;
    const node = Number(row.dataset.node);
    setExpanded(node, !expanded[node]);
  });
  tree.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (rowOf[active] < 0) active = ROOT;
    const page = Math.max(1, Math.floor(tree.clientHeight / ROW) - 1);
    const stepTo = (row) => choose(visible[Math.max(0, Math.min(visible.length - 1, row))]);
    const keys = {
      ArrowDown: () => stepTo(rowOf[active] + 1),
      ArrowUp: () => stepTo(rowOf[active] - 1),
      PageDown: () => stepTo(rowOf[active] + page),
      PageUp: () => stepTo(rowOf[active] - page),
      Home: () => stepTo(0),
      End: () => stepTo(visible.length - 1),
      ArrowRight: () => {
        if (isLeaf(active)) return;
        if (expanded[active]) choose(first(active));
        else setExpanded(active, true);
      },
      ArrowLeft: () => {
        if (expanded[active]) setExpanded(active, false);
        else if (parent[active] >= 0) choose(parent[active]);
      },
      Enter: () => {
        if (active === chosen) setExpanded(active, !expanded[active]);
        else choose(active);
      },
    };
    keys[" "] = keys.Enter;
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });
  element("expand-all").addEventListener("click", () => {
    expanded.fill(1, K);
    showRows();
  });
  element("collapse-all").addEventListener("click", () => {
    expanded.fill(0);
    showRows();
  });
  element("to-level").addEventListener("click", showGroups);

  function showRows() {
    listRows();
    if (rowOf[active] < 0) active = ROOT;
    drawTree();
  }

  /** Open the tree down to the groups of the level, and no further. */
  function showGroups() {
    for (let node = K; node < N; node++) expanded[node] = node >= 2 * K - level ? 1 : 0;
    showRows();
  }

  // ---- The level ------------------------------------------------------------------------

  // A step of the slider is one level, or 3 % more groups where that is more than one.
  const stops = [1];
  while (stops[stops.length - 1] < K) {
    const last = stops[stops.length - 1];
    stops.push(Math.min(K, Math.max(last + 1, Math.round(last * 1.03))));
  }
  const slider = element("slider");
  const levelBox = element("level");
  slider.max = stops.length - 1;
  levelBox.max = K;
  slider.disabled = levelBox.disabled = K === 1;

  function setLevel(to) {
    level = Math.max(1, Math.min(K, to));
    groups = cut(level);
    let stop = stops.findIndex((one) => one >= level);
    if (stop && stops[stop] - level > level - stops[stop - 1]) stop -= 1;
    if (stops[Number(slider.value)] !== level) slider.value = stop;
    const words = plural(level, "group");
    slider.setAttribute("aria-valuetext", words);
    element("level-unit").textContent = level === 1 ? "group" : "groups";
    if (Number(levelBox.value) !== level) levelBox.value = level;
    showGroups();
    if (chosen >= 0) drawDetails();
    drawIcicle();
  }

  slider.addEventListener("input", () => setLevel(stops[Number(slider.value)]));
  levelBox.addEventListener("input", () => {
    const asked = Number(levelBox.value);
    if (Number.isInteger(asked) && asked >= 1 && asked <= K) setLevel(asked);
  });
  levelBox.addEventListener("change", () => {
    const asked = Math.round(Number(levelBox.value));
    setLevel(levelBox.value === "" || Number.isNaN(asked) ? level : asked);
    levelBox.value = level; // what cannot be read as a level is put right
  });

  // ---- The search -----------------------------------------------------------------------

  const searchBox = element("search");
  const lowNames = names.map((name) => name.toLowerCase());

  const matchesBelow = (node) => matchesBefore[start[node] + size[node]] - matchesBefore[start[node]];

  function search() {
    query = searchBox.value.toLowerCase();
    matches = [];
    matchesBefore = null;
    if (query) {
      matchesBefore = new Int32Array(K + 1);
      for (let place = 0; place < K; place++) {
        if (lowNames[order[place]].includes(query)) matches.push(order[place]);
        matchesBefore[place + 1] = matches.length;
      }
    }
    at = -1;
    for (const id of ["previous", "next"]) element(id).disabled = !matches.length;
    if (matches.length) {
      showMatch(0);
    } else {
      tellMatches();
      drawTree();
      drawIcicle();
    }
  }

  function showMatch(which) {
    if (!matches.length) return;
    at = (which + matches.length) % matches.length;
    tellMatches();
    choose(matches[at]);
  }

  function tellMatches() {
    const words = matches.length ? `${count(at + 1)} of ${count(matches.length)}` : "none";
    element("hits").textContent = query ? words : "";
    announce(query ? `${words}${matches.length ? `: ${title(matches[at])}` : " found"}` : "");
  }

  searchBox.addEventListener("input", search);
  searchBox.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      showMatch(at + (event.shiftKey ? -1 : 1));
    } else if (event.key === "Escape" && searchBox.value) {
      event.preventDefault();
      searchBox.value = "";
      search();
    }
  });
  element("next").addEventListener("click", () => showMatch(at + 1));
  element("previous").addEventListener("click", () => showMatch(at - 1));
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && event.target.tagName !== "INPUT") {
      event.preventDefault();
      searchBox.focus();
    }
  });

  // ---- The details of a node ------------------------------------------------------------

  function drawDetails() {
    element("nothing").hidden = true;
    element("chosen").hidden = false;
    element("node-name").replaceChildren(isLeaf(chosen) ? nameOf(chosen) : title(chosen));
    const lines = [["Node", String(chosen)]];
    if (rows) {
      const share = rows[chosen] / rows[ROOT];
      const percent = share > 0 ? ` (${(100 * share).toPrecision(3)} %)` : "";
      lines.push(["Rows", count(rows[chosen]) + percent]);
    }
    if (score(chosen) !== null) lines.push(["Score", score(chosen)]);
    const [from, to] = [topLevel(chosen), bottomLevel(chosen)];
    lines.push(["A group of its own", from === to ? `at level ${from}` : `at levels ${from} to ${to}`]);
    if (groups[chosen] >= 0) lines.push([`At level ${level}`, `group ${groups[chosen]}`]);
    element("facts").replaceChildren(...lines.map(([term, text]) => {
      const line = make("div");
      const value = make("dd", "", text);
      if (term.startsWith("At level")) value.prepend(chip(chosen));
      line.append(make("dt", "", term), value);
      return line;
    }));
    listMembers(FEW);
    element("details-body").scrollTop = 0;
    element("parent").disabled = parent[chosen] < 0;
    element("zoom-in").disabled = chosen === zoomed || isLeaf(chosen);
    for (const id of ["copy", "copy-json"]) element(id).disabled = false;
  }

  function listMembers(most) {
    const all = isLeaf(chosen) ? new Int32Array(0) : members(chosen);
    element("members").replaceChildren(...Array.from(all.subarray(0, most), (leaf) => {
      const item = make("li");
      item.append(nameOf(leaf));
      if (rows) item.append(make("span", "count", count(rows[leaf])));
      return item;
    }));
    element("all-members").hidden = all.length <= most;
    element("all-members").textContent = `List all ${count(all.length)} leaves`;
  }

  /** Levels at which a node is a group, from the first to the last. */
  const topLevel = (node) => (parent[node] < 0 ? 1 : 2 * K - parent[node]);
  const bottomLevel = (node) => (isLeaf(node) ? K : 2 * K - 1 - node);

  async function copy(button, text) {
    const done = (await writeToClipboard(text)) ? "Copied" : "Copying is not allowed here";
    const label = button.dataset.label || button.textContent;
    button.dataset.label = label;
    button.textContent = done;
    announce(done);
    setTimeout(() => { button.textContent = label; }, 1500);
  }

  async function writeToClipboard(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Without the permission, or on a page that is not secure: the way of old.
      const box = make("textarea", "unseen");
      box.value = text;
      document.body.append(box);
      const focused = document.activeElement;
      box.select();
      const done = document.execCommand("copy");
      box.remove();
      focused.focus();
      return done;
    }
  }

  const chosenNames = () => Array.from(members(chosen), (leaf) => names[leaf]);
  element("copy").addEventListener("click", (event) => copy(event.target, chosenNames().join("\n")));
  element("copy-json").addEventListener("click", (event) =>
    copy(event.target, JSON.stringify(chosenNames())));
  element("parent").addEventListener("click", () => choose(parent[chosen]));
  element("all-members").addEventListener("click", () => listMembers(K));

  // ---- The icicle -----------------------------------------------------------------------

  // A node is as wide as it has leaves, and reaches down over the levels at which it is a group.
  // Levels stand on a logarithmic scale; the last one gets room for names.
  const canvas = element("icicle");
  let width = 0;
  let height = 0;

  function yOfLevel(one) {
    const names = Math.min(90, height * 0.3);
    if (one > K) return height;
    if (K === 1) return 0;
    const from = Math.log(topLevel(zoomed));
    return ((height - names) * (Math.log(one) - from)) / Math.max(Math.log(K) - from, 1e-9);
  }
  const xOfPlace = (place) => ((place - start[zoomed]) / size[zoomed]) * width;
  const topOf = (node) => yOfLevel(topLevel(node));
  const bottomOf = (node) => yOfLevel(bottomLevel(node) + 1);

  function drawIcicle() {
    const ratio = window.devicePixelRatio || 1;
    const box = canvas.getBoundingClientRect();
    width = box.width;
    height = box.height;
    if (!width || !height) return;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement);
    const ink = (name) => style.getPropertyValue(name).trim();
    const [above, panel, text, accent] = ["--above", "--panel", "--text", "--accent"].map(ink);
    pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    pen.textBaseline = "middle";

    // Edges on whole pixels: rectangles that touch do so without a seam, and what is narrower
    // than a pixel is left out with all below it.
    const snap = (value) => Math.round(value * ratio) / ratio;
    const levelEdge = snap(yOfLevel(level));
    const line = (yOfLevel(level) + yOfLevel(level + 1)) / 2;
    const labels = [];
    const waiting = [zoomed];
    while (waiting.length) {
      const node = waiting.pop();
      const x = snap(xOfPlace(start[node]));
      const wide = snap(xOfPlace(start[node] + size[node])) - x;
      if (wide <= 0) continue;
      const y = snap(topOf(node));
      const group = groups[node];
      const ink = group < 0 ? above : color(group);
      if (wide * ratio < 1.5) {
        // One pixel cannot show what is below: one strip, down to the leaves.
        fill(pen, ink, x, y, wide, (group < 0 ? levelEdge : height) - y);
        const below = color(groups[order[start[node]]]);
        if (group < 0) fill(pen, below, x, levelEdge, wide, height - levelEdge);
        continue;
      }
      const high = snap(bottomOf(node)) - y;
      const gap = wide > 3 ? 1 : 0;
      if (high > 0) fill(pen, ink, x, y, wide - gap, high - (high > 3 ? gap : 0));
      if (wide >= 13 && high >= 15) labels.push([node, x, y, wide - gap, high]);
      if (!isLeaf(node)) waiting.push(second(node), first(node));
    }

    pen.fillStyle = accent;
    for (const leaf of matches) {
      const x = xOfPlace(start[leaf]);
      if (x >= 0 && x < width) pen.fillRect(x, height - 5, Math.max(2, width / size[zoomed] - 1), 5);
    }
    if (K > 1) {
      for (const [ink, dash] of [[panel, []], [text, [5, 4]]]) {
        pen.strokeStyle = ink;
        pen.lineWidth = dash.length ? 1.5 : 3;
        pen.setLineDash(dash);
        pen.beginPath();
        pen.moveTo(0, line);
        pen.lineTo(width, line);
        pen.stroke();
      }
      pen.setLineDash([]);
    }
    for (const [node, ...box] of labels) {
      const group = groups[node];
      writeOn(pen, node, ...box, line, group < 0 ? text : onColor(group));
    }
    if (hovered >= 0) outline(pen, hovered, text, 1);
    if (chosen >= 0) {
      outline(pen, chosen, panel, 5);
      outline(pen, chosen, text, 2);
    }
    element("zoom-out").disabled = zoomed === ROOT;
    if (chosen >= 0) element("zoom-in").disabled = chosen === zoomed || isLeaf(chosen);
  }

  function outline(pen, node, ink, thick) {
    pen.strokeStyle = ink;
    pen.lineWidth = thick;
    const wide = Math.max((size[node] / size[zoomed]) * width - 1, 1);
    pen.strokeRect(xOfPlace(start[node]), topOf(node), wide, Math.max(bottomOf(node) - topOf(node), 1));
  }

  /** Black or white, whichever is easier to read on the colour of a group. */
  function onColor(group) {
    const code = parseInt(colors.slice(6 * group, 6 * group + 6), 16);
    const channels = [code >> 16, (code >> 8) & 255, code & 255].map((value) => {
      const part = value / 255;
      return part > 0.04045 ? ((part + 0.055) / 1.055) ** 2.4 : part / 12.92;
    });
    const light = 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2];
    return light > 0.179 ? "#000000" : "#ffffff";
  }

  /** Name of a leaf or size of a merge on its rectangle, where there is room beside the line. */
  function writeOn(pen, node, x, y, wide, high, line, ink) {
    const words = isLeaf(node) ? names[node] : count(size[node]);
    pen.fillStyle = ink;
    if (fit(pen, words, wide - 7) === words) {
      let middle = y + Math.min(high / 2, 10);
      if (Math.abs(middle - line) < 10) {
        middle = line + 17 <= y + high ? line + 10 : line - 9;
      }
      if (middle - 7 >= y && middle + 7 <= y + high) pen.fillText(words, x + 4, middle);
    } else if (isLeaf(node)) {
      const room = (line > y ? y + high - line - 4 : high) - 8;
      if (room < 20) return;
      pen.save();
      pen.translate(x + wide / 2, y + high - 6);
      pen.rotate(-Math.PI / 2);
      pen.fillText(fit(pen, words, room), 0, 0);
      pen.restore();
    }
  }

  function fill(pen, ink, x, y, wide, high) {
    pen.fillStyle = ink;
    pen.fillRect(x, y, wide, high);
  }

  /** As much of a text as fits, with an ellipsis where some is left out. */
  function fit(pen, words, room) {
    const most = Math.min(words.length, Math.max(0, Math.ceil(room / 2))); // no letter is thinner
    if (most === words.length && pen.measureText(words).width <= room) return words;
    let [low, high] = [0, most];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (pen.measureText(`${words.slice(0, middle)}\u2026`).width <= room) low = middle;
      else high = middle - 1;
    }
    return low ? `${words.slice(0, low)}\u2026` : "";
  }

  function nodeAt(event) {
    const box = canvas.getBoundingClientRect();
    const place = start[zoomed] + ((event.clientX - box.left) / width) * size[zoomed];
    const y = event.clientY - box.top;
    let node = zoomed;
    while (!isLeaf(node) && y >= bottomOf(node)) {
      node = place < start[second(node)] ? first(node) : second(node);
    }
    return node;
  }

  function zoom(node) {
    zoomed = node;
    hovered = -1;
    hideTip();
    drawIcicle();
  }

  /** The node beside one, at the finest level at which that one is a group. */
  function beside(node, right) {
    const near = right ? first : second;
    const made = Math.max(node + 1, K);
    let below = node;
    while (parent[below] >= 0 && near(parent[below]) !== below) below = parent[below];
    if (parent[below] < 0) return node;
    let other = right ? second(parent[below]) : first(parent[below]);
    while (other >= made) other = near(other);
    return other;
  }

  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch") return; // a finger hides what a tip would say
    const node = nodeAt(event);
    if (node !== hovered) {
      hovered = node;
      drawIcicle();
    }
    showTip(node, event);
  });
  canvas.addEventListener("pointerleave", () => {
    hovered = -1;
    hideTip();
    drawIcicle();
  });
  canvas.addEventListener("click", (event) => choose(nodeAt(event)));
  canvas.addEventListener("dblclick", (event) => zoomTo(nodeAt(event)));
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = {
      ArrowUp: () => choose(Math.max(active, parent[active])),
      ArrowDown: () => choose(isLeaf(active) ? active : first(active)),
      ArrowLeft: () => choose(beside(active, false)),
      ArrowRight: () => choose(beside(active, true)),
      Home: () => choose(ROOT),
      Enter: () => zoomTo(active),
      Escape: () => zoom(parent[zoomed] < 0 ? ROOT : parent[zoomed]),
    };
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
    announce([title(active), ...facts(active)].join(", "));
  });
  element("zoom-in").addEventListener("click", () => zoomTo(chosen));
  element("zoom-out").addEventListener("click", () => zoom(ROOT));

  const zoomTo = (node) => zoom(isLeaf(node) && parent[node] >= 0 ? parent[node] : node);

  // ---- What the pointer is on -----------------------------------------------------------

  const tip = element("tip");

  function showTip(node, event) {
    const lines = [
      make("div", "tip-name", title(node)),
      make("div", "tip-facts", facts(node).join(" \u00b7 ")),
    ];
    if (!isLeaf(node)) lines.push(make("div", "", someNames(node, 6)));
    tip.replaceChildren(...lines.filter((line) => line.textContent));
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const fits = event.clientX + 14 + box.width < window.innerWidth;
    const x = fits ? event.clientX + 14 : event.clientX - 10 - box.width;
    const y = Math.min(event.clientY + 16, window.innerHeight - box.height - 4);
    tip.style.transform = `translate(${Math.max(4, x)}px, ${Math.max(4, y)}px)`;
  }

  function hideTip() {
    tip.hidden = true;
  }

  tree.addEventListener("pointermove", (event) => {
    const row = event.target.closest(".row");
    if (row && event.pointerType !== "touch") showTip(Number(row.dataset.node), event);
    else hideTip();
  });
  tree.addEventListener("pointerleave", hideTip);
  tree.addEventListener("scroll", hideTip);
  document.addEventListener("keydown", hideTip);

  // ---- Beginning ------------------------------------------------------------------------

  element("summary").textContent = [
    leavesBelow(ROOT),
    ...(rows ? [plural(rows[ROOT], "row")] : []),
  ].join(", ");
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawIcicle);
  new ResizeObserver(() => {
    drawTree();
    drawIcicle();
  }).observe(element("icicle-box"));
  setLevel(data.level);
})();
