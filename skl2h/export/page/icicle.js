// The icicle: all levels at once, on a canvas.

// A node is as wide as it has leaves, and reaches down over the levels at which it is a group.
// Levels stand on a logarithmic scale; the last one gets room for names.
const canvas = element("icicle");
let width = 0;
let height = 0;

function yOfLevel(one) {
  const forNames = Math.min(110, height * 0.34);
  if (one > K) return height;
  if (K === 1) return 0;
  const from = Math.log(topLevel(zoomed));
  return ((height - forNames) * (Math.log(one) - from)) / Math.max(Math.log(K) - from, 1e-9);
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
  // Amid its level; of the leaves at the top, where it leaves their names the room.
  const line = yOfLevel(level) + (level < K ? (yOfLevel(level + 1) - yOfLevel(level)) / 2 : 4);
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
  const words = isLeaf(node) ? shown(node) : count(size[node]);
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
  announce(spoken(active));
});
element("zoom-in").addEventListener("click", () => zoomTo(chosen));
element("zoom-out").addEventListener("click", () => zoom(ROOT));

const zoomTo = (node) => zoom(isLeaf(node) && parent[node] >= 0 ? parent[node] : node);
