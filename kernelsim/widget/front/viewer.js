/* A picture for its reader: zoomed, walked through by arrows, chosen from, read in words.

   It knows no model, so that a widget, a player on a static page and a question can all use it:
   `viewer(el, options)` fills `el`; what the reader does is told to the options' functions, each of
   which may be left out: `choose(address, node)` (a hex string; "" chooses none), `unfold(node)`,
   `fold()`; `label` names the picture for screen readers in place of its summary. */

import { button, h, setText } from "./base.js";
import { neighbour, nodesOf, reveal, scale, show } from "./stage.js";

const SMALLEST = 0.86; // of the sizes chosen by themselves: 14 px become 12
const ZOOMS = [0.5, 0.75, 1, 1.25, 1.5, 2, 3];
export const hexOf = (node) =>
  (node?.dataset.address ? `0x${node.dataset.address.slice(2).replace(/^0+(?=.)/, "")}` : "");

export function viewer(el, { choose, unfold, fold, label = "" } = {}) {
  let svg = null, zoom = 1, sized = false; // sized: the reader has set the zoom
  let twin = "", lines = [], selected = "", width = 0;
  const stage = h("div", { class: "ksw-stage", keydown: onKey, click: onClick, scroll: fade });
  const percent = button("100 %", () => setZoom(1), { title: "original size (key 0)" });
  const less = button("−", () => stepZoom(-1), { title: "smaller (key −)", "aria-label": "smaller" });
  const more = button("+", () => stepZoom(1), { title: "larger (key +)", "aria-label": "larger" });
  const refold = button("fold again", () => fold?.());
  refold.hidden = true;
  const words = h("pre", { tabindex: "0" });
  const details = h("details", { toggle: () => setText(words, details.open ? twin : "") },
    h("summary", {}, "In words"), words);
  const tools = h("div", { class: "ksw-tools" }, details,
    h("span", { class: "ksw-zoom", role: "group", "aria-label": "Size of the picture" }, less, percent, more), refold);
  el.append(stage, tools);

  function setZoom(value, byReader = true) {
    sized ||= byReader;
    const middle = (stage.scrollLeft + stage.clientWidth / 2) / zoom;
    zoom = value;
    setText(percent, `${Math.round(zoom * 100)} %`);
    if (svg) scale(svg, zoom);
    stage.scrollLeft = middle * zoom - stage.clientWidth / 2;
    fade();
  }
  // What almost fits is made to fit, as far as its text stays readable; then it stays so.
  function fit() {
    const wide = svg?.viewBox.baseVal.width, room = stage.clientWidth;
    if (sized || !wide || !room) return;
    const value = Math.max(Math.floor(100 * room / wide) / 100, SMALLEST);
    if (value < zoom) setZoom(value, false);
  }
  // Where there is more to scroll to, the picture fades out.
  function fade() {
    stage.classList.toggle("ksw-left", stage.scrollLeft > 2);
    stage.classList.toggle("ksw-right", stage.scrollLeft + stage.clientWidth < stage.scrollWidth - 2);
  }
  function stepZoom(by) {
    const next = by > 0 ? ZOOMS.find((value) => value > zoom) : ZOOMS.findLast((value) => value < zoom);
    if (next) setZoom(next);
  }

  // One stop for Tab, the arrows move on from there: the node chosen, else the one last visited.
  function rove(node, focus) {
    for (const other of nodesOf(svg)) other.setAttribute("tabindex", other === node ? "0" : "-1");
    if (focus) node?.focus({ preventScroll: false });
  }
  function take(node) {
    if (node?.dataset.address) choose?.(hexOf(node), node);
    else if (node?.dataset.folded) unfold?.(node);
  }
  function onClick(event) {
    const node = event.target.closest?.(".ks-node");
    if (node) { rove(node, true); take(node); }
  }
  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const node = event.target.closest?.(".ks-node"), nodes = svg ? nodesOf(svg) : [];
    const keys = {
      "+": () => stepZoom(1), "=": () => stepZoom(1), "-": () => stepZoom(-1), 0: () => setZoom(1),
      Escape: () => choose?.("", null),
      Enter: () => take(node), " ": () => take(node),
      Home: () => rove(nodes[0], true), End: () => rove(nodes.at(-1), true),
    };
    if (event.key.startsWith("Arrow") && node) {
      const next = neighbour(nodes, node, event.key);
      if (next) rove(next, true);
    } else if (keys[event.key]) keys[event.key]();
    else return;
    event.preventDefault();
  }

  function name(node) {
    const title = node.querySelector("title")?.textContent ?? "";
    const sentence = lines.find((line) => line.startsWith(title)) ?? title;
    node.setAttribute("aria-label", node.dataset.folded ? `${sentence} Opens it.` : sentence);
  }
  function mark() {
    for (const node of svg ? nodesOf(svg) : []) {
      const chosen = Boolean(node.dataset.address) && hexOf(node) === selected;
      node.setAttribute("aria-selected", String(chosen));
      node.classList.toggle("ksw-selected", chosen);
    }
  }
  function draw(text, inWords, summary) {
    const held = svg?.contains(document.activeElement) ? document.activeElement.id : "";
    const at = svg?.querySelector('[tabindex="0"]')?.id, first = !svg;
    const drawn = show(stage, text, zoom);
    if (!drawn) return;
    svg = drawn;
    twin = inWords;
    lines = inWords.split("\n");
    svg.setAttribute("role", "listbox");
    svg.setAttribute("aria-label", label || summary);
    const nodes = nodesOf(svg);
    for (const node of nodes) { node.setAttribute("role", "option"); name(node); }
    for (const part of svg.querySelectorAll(":scope > title, :scope > desc")) part.remove();
    const stop = nodes.find((n) => n.id === held) ?? nodes.find((n) => n.id === at) ?? nodes[0];
    rove(stop, Boolean(held));
    mark();
    fit();
    reveal(stage, svg, zoom, !first);
    fade();
    if (details.open) setText(words, twin);
  }
  const seen = new ResizeObserver(() => {
    if (!svg || stage.clientWidth === width) return;
    width = stage.clientWidth;
    fit();
    reveal(stage, svg, zoom, false);
    fade();
  });
  seen.observe(stage);
  return {
    show: draw,
    select: (address) => { selected = address; mark(); },
    unfolded: (open) => { refold.hidden = !open; },
    stop: () => seen.disconnect(),
  };
}
