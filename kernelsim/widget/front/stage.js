/* Drawings on a stage: shown, moved from one to the next, scaled, scrolled. No model, no reader. */

import { calm } from "./base.js";

export const SVG = "http://www.w3.org/2000/svg";
export const STEP_MS = 320;
export const nodesOf = (svg) => [...svg.querySelectorAll(".ks-node:not(.ksw-ghost)")];
// In a film a node is drawn in the corner of the sheet, and what holds it moves it to its place.
export const placed = (node) => node.parentNode.transform?.baseVal[0];
export const corner = (node) => { // or of a mark within a node
  const face = node.querySelector(".ks-face") ?? node, at = placed(node.closest(".ks-node"))?.matrix;
  const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => Number(face.getAttribute(name)));
  return [x + (at?.e ?? 0), y + (at?.f ?? 0), width, height];
};
export const shape = (d) => d.replace(/-?[\d.]+/g, "#");

// Move what both drawings show from its old place to its new one; fade in and out what only one has.
export function morph(old, svg) {
  const before = new Map([...old.querySelectorAll("[id]")].map((element) => [element.id, element]));
  const timing = { duration: STEP_MS, easing: "ease-in-out" };
  const appear = (element) =>
    element.animate([{ opacity: 0 }, { opacity: 0, offset: 0.5 }, { opacity: 1 }], timing);
  for (const element of svg.querySelectorAll(".ks-node, .ks-edge[id]")) {
    const was = before.get(element.id);
    before.delete(element.id);
    if (!was) appear(element);
    else if (element.matches(".ks-node")) moveNode(was, element, timing);
    else moveEdge(was, element, timing, appear);
  }
  for (const gone of before.values()) {
    const ghost = gone.cloneNode(true);
    for (const part of [ghost, ...ghost.querySelectorAll("[id]")]) part.removeAttribute("id");
    ghost.setAttribute("class", `${ghost.getAttribute("class")} ksw-ghost`);
    ghost.setAttribute("aria-hidden", "true");
    if (placed(gone)) ghost.setAttribute("transform", gone.parentNode.getAttribute("transform"));
    svg.append(ghost);
    ghost.animate([{ opacity: 1 }, { opacity: 0 }], { ...timing, fill: "forwards" }).finished
      .then(() => ghost.remove(), () => ghost.remove());
  }
}

export function moveNode(was, node, timing) {
  const [x0, y0] = corner(was), [x1, y1] = corner(node);
  if (x0 === x1 && y0 === y1) return;
  const from = `translate(${x0 - x1}px, ${y0 - y1}px)`;
  node.animate([{ transform: from }, { transform: "none" }], timing);
}

// An edge of the same form bends over; line, tip and marks are moved alike, so they stay together.
export function moveEdge(was, edge, timing, appear) {
  const pairs = [...edge.children].map((part, i) => [was.children[i], part]);
  const alike = ([a, b]) => a && a.tagName === b.tagName &&
    (b.tagName !== "path" || shape(a.getAttribute("d")) === shape(b.getAttribute("d")));
  if (!CSS.supports("d", 'path("M0 0")') || !pairs.every(alike)) {
    if (edge.outerHTML !== was.outerHTML) appear(edge);
    return;
  }
  for (const [a, b] of pairs) {
    const frames = [a, b].map((part) => {
      const value = (name) => part.getAttribute(name);
      if (part.tagName === "path") return { d: `path("${value("d")}")` };
      if (part.tagName === "circle") return { cx: `${value("cx")}px`, cy: `${value("cy")}px` };
      return { transform: `translate(${value("x") - b.getAttribute("x")}px, ${value("y") - b.getAttribute("y")}px)` };
    });
    if (JSON.stringify(frames[0]) !== JSON.stringify(frames[1])) b.animate(frames, timing);
  }
}

// Put a drawing on the stage in place of the one that is there.
export function show(stage, text, zoom) {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  if (parsed.namespaceURI !== SVG) return null;
  const svg = document.adoptNode(parsed), old = stage.querySelector("svg");
  scale(svg, zoom);
  old ? old.replaceWith(svg) : stage.append(svg);
  if (old && !calm()) morph(old, svg);
  return svg;
}

export function scale(svg, zoom) {
  const { width, height } = svg.viewBox.baseVal;
  svg.style.width = `${width * zoom}px`;
  svg.style.height = `${height * zoom}px`;
  svg.style.setProperty("--zoom", Math.min(zoom, 1));
}

// Scroll what the step is about into sight: what is new, else what is chosen, else what changed, be
// it a node or only a line of one.
export function reveal(stage, svg, zoom, smooth, node = null) {
  const about = node ?? svg.querySelector(".ks-node.ks-new") ?? svg.querySelector(".ks-node.ks-focus") ??
    svg.querySelector(".ks-node.ks-changed") ?? [...svg.querySelectorAll(".ks-node .ks-markbg")].at(-1);
  if (!about) return;
  const [x, y, width, height] = corner(about).map((number) => number * zoom), margin = 24;
  const into = (low, size, from, view) => {
    if (low - margin >= from && low + size + margin <= from + view) return from;
    return low < from ? Math.max(low - margin, 0) : low + size + margin - view;
  };
  stage.scrollTo({
    left: into(x, width, stage.scrollLeft, stage.clientWidth),
    top: into(y, height, stage.scrollTop, stage.clientHeight),
    behavior: smooth && !calm() ? "smooth" : "instant",
  });
}

// Call `act` whenever the stage changes its size.
export function follow(stage, act) {
  const seen = new ResizeObserver(act);
  seen.observe(stage);
  return () => seen.disconnect();
}

// The node that lies nearest in the direction of an arrow key.
export function neighbour(nodes, from, key) {
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  const middle = (node) => { const [x, y, w, t] = corner(node); return [x + w / 2, y + t / 2]; };
  const [x0, y0] = middle(from);
  let best = null, least = Infinity;
  for (const node of nodes) {
    const [x, y] = middle(node);
    const along = (x - x0) * dx + (y - y0) * dy, across = Math.abs((x - x0) * dy) + Math.abs((y - y0) * dx);
    if (along > 1 && along + 2 * across < least) { best = node; least = along + 2 * across; }
  }
  return best;
}
