// What the pointer is on.

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
