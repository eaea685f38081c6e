/* A picture that lives: it moves into the next one, and its nodes can be chosen. */

import { button, h, set, setText, watch } from "./base.js";
import { corner, neighbour, nodesOf, reveal, scale, show } from "./stage.js";

const SMALLEST = 0.86; // of the sizes chosen by themselves: 14 px become 12
const ZOOMS = [0.5, 0.75, 1, 1.25, 1.5, 2, 3];

export function picture(model, el) {
  let svg = null, zoom = 1, chosen = false, twin = []; // chosen: the reader has set the zoom
  const stage = h("div", { class: "ksw-stage", keydown: onKey, click: onClick, scroll: fade });
  const percent = button("100 %", () => setZoom(1), { title: "original size (key 0)" });
  const less = button("−", () => stepZoom(-1), { title: "smaller (key −)", "aria-label": "smaller" });
  const more = button("+", () => stepZoom(1), { title: "larger (key +)", "aria-label": "larger" });
  const refold = button("fold again", () => model.send({ do: "fold" }));
  const words = h("pre", { tabindex: "0" });
  const details = h("details", { toggle: () => setText(words, details.open ? model.get("words") : "") },
    h("summary", {}, "In words"), words);
  const tools = h("div", { class: "ksw-tools" }, details,
    h("span", { class: "ksw-zoom", role: "group", "aria-label": "Size of the picture" }, less, percent, more), refold);
  el.append(stage, tools);

  function setZoom(value, byReader = true) {
    chosen ||= byReader;
    const middle = (stage.scrollLeft + stage.clientWidth / 2) / zoom;
    zoom = value;
    setText(percent, `${Math.round(zoom * 100)} %`);
    if (svg) scale(svg, zoom);
    stage.scrollLeft = middle * zoom - stage.clientWidth / 2;
    fade();
  }
  // What almost fits is made to fit, as far as its text stays readable; then it stays so.
  function fit() {
    const width = svg?.viewBox.baseVal.width, room = stage.clientWidth;
    if (chosen || !width || !room) return;
    const value = Math.max(Math.floor(100 * room / width) / 100, SMALLEST);
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
  function choose(node) {
    if (node?.dataset.address) set(model, "selected", hex(node));
    else if (node?.dataset.folded) model.send({ do: "unfold" });
  }
  const hex = (node) => `0x${node.dataset.address.slice(2).replace(/^0+(?=.)/, "")}`;
  function onClick(event) {
    const node = event.target.closest?.(".ks-node");
    if (node) { rove(node, true); choose(node); }
  }
  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const node = event.target.closest?.(".ks-node"), nodes = svg ? nodesOf(svg) : [];
    const keys = {
      "+": () => stepZoom(1), "=": () => stepZoom(1), "-": () => stepZoom(-1), 0: () => setZoom(1),
      Escape: () => set(model, "selected", ""),
      Enter: () => choose(node), " ": () => choose(node),
      Home: () => rove(nodes[0], true), End: () => rove(nodes.at(-1), true),
    };
    if (event.key.startsWith("Arrow") && node) {
      const next = neighbour(nodes, node, event.key);
      if (next) rove(next, true);
    } else if (keys[event.key]) keys[event.key]();
    else return;
    event.preventDefault();
  }

  function label(node) {
    const name = node.querySelector("title")?.textContent ?? "";
    const sentence = twin.find((line) => line.startsWith(name)) ?? name;
    node.setAttribute("aria-label", node.dataset.folded ? `${sentence} Opens it.` : sentence);
  }
  function mark() {
    for (const node of nodesOf(svg)) {
      const chosen = Boolean(node.dataset.address) && hex(node) === model.get("selected");
      node.setAttribute("aria-selected", String(chosen));
      node.classList.toggle("ksw-selected", chosen);
    }
  }
  function draw() {
    const held = svg?.contains(document.activeElement) ? document.activeElement.id : "";
    const at = svg?.querySelector('[tabindex="0"]')?.id, first = !svg;
    svg = show(stage, model.get("svg"), zoom) ?? svg;
    if (!svg) return;
    svg.setAttribute("role", "listbox");
    svg.setAttribute("aria-label", model.get("summary"));
    twin = model.get("words").split("\n");
    const nodes = nodesOf(svg);
    for (const node of nodes) { node.setAttribute("role", "option"); label(node); }
    for (const part of svg.querySelectorAll(":scope > title, :scope > desc")) part.remove();
    const stop = nodes.find((n) => n.id === held) ?? nodes.find((n) => n.id === at) ?? nodes[0];
    rove(stop, Boolean(held));
    mark();
    fit();
    reveal(stage, svg, zoom, !first);
    fade();
    refold.hidden = !model.get("unfolded");
    if (details.open) setText(words, model.get("words"));
  }
  const stops = [watch(model, ["svg", "unfolded"], draw), watch(model, ["selected"], () => svg && mark())];
  let width = 0;
  const seen = new ResizeObserver(() => {
    if (!svg || stage.clientWidth === width) return;
    width = stage.clientWidth;
    fit();
    reveal(stage, svg, zoom, false);
    fade();
  });
  seen.observe(stage);
  return () => { seen.disconnect(); stops.forEach((stop) => stop()); };
}
