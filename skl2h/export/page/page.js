// How the page begins.

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
