/* A picture for its reader: zoomed, moved, searched, walked through by arrows, chosen from, read in
   words.

   It knows no model, so that a widget, a player on a static page and a question can all use it:
   `viewer(el, options)` fills `el`; what the reader does is told to the options' functions, each of
   which may be left out: `choose(address, node)` (a hex string; "" chooses none), `unfold(node)`,
   `fold()`, `find(text)` for what the picture does not show; `label` names the picture for screen
   readers in place of its summary. */

import { button, calm, h, setText } from "./base.js";
import { follow, neighbour, nodesOf, reveal, scale, show } from "./stage.js";

const ZOOMS = [0.5, 0.75, 1, 1.25, 1.5, 2, 3];
const PLAIN = 1, LARGE = 1.15, LARGEST = 1.25; // chosen by themselves: words are 14 px, 16 px, 17 px
const SMALLEST = 0.25; // the whole of a large picture
const DRAGGED = 5; // pixels from which on a press is no click any more
const PAN = 80;
export const hexOf = (node) =>
  (node?.dataset.address ? `0x${node.dataset.address.slice(2).replace(/^0+(?=.)/, "")}` : "");

export function viewer(el, { choose, unfold, fold, find, label = "" } = {}) {
  let svg = null, zoom = 1, sized = false; // sized: the reader has set the zoom
  let twin = "", lines = [], selected = "", width = 0, settling = 0;
  const stage = h("div", { class: "ksw-stage", keydown: onKey, click: onClick, scroll: fade });
  const key = h("div", { class: "ksw-key" });
  const percent = button("100 %", () => setZoom(PLAIN), { title: "original size (key 0)" });
  const less = button("−", () => stepZoom(-1), { title: "smaller (key −)", "aria-label": "smaller" });
  const more = button("+", () => stepZoom(1), { title: "larger (key +)", "aria-label": "larger" });
  const whole = button("fit", () => setZoom(fitting()), { title: "the whole picture (key f)", "aria-label": "fit the picture into its place" });
  const tall = button("tall", heighten, { title: "as high as the window (key h)", "aria-pressed": "false" });
  const refold = button("fold again", () => fold?.());
  refold.hidden = true;
  const words = h("pre", { tabindex: "0" });
  const details = h("details", { toggle: () => setText(words, details.open ? twin : "") },
    h("summary", {}, "In words"), words);
  const search = finder();
  const tools = h("div", { class: "ksw-tools" }, search.el,
    h("span", { class: "ksw-zoom", role: "group", "aria-label": "Size of the picture" }, less, percent, more, whole, tall),
    refold, details);
  el.append(stage, key, tools);
  const undo = [moving(stage, () => zoom, setZoom), follow(stage, () => {
    if (!svg || stage.clientWidth === width) return;
    width = stage.clientWidth;
    fit();
    reveal(stage, svg, zoom, false);
    fade();
  })];

  // -- size and place ---------------------------------------------------------------------------

  // The point (x, y) of the stage, its middle by default, stays where it is.
  function setZoom(value, byReader = true, x = stage.clientWidth / 2, y = 0) {
    sized ||= byReader;
    const left = (stage.scrollLeft + x) / zoom, top = (stage.scrollTop + y) / zoom;
    zoom = Math.min(Math.max(value, SMALLEST), ZOOMS.at(-1));
    setText(percent, `${Math.round(zoom * 100)} %`);
    if (svg) scale(svg, zoom);
    stage.scrollTo({ left: left * zoom - x, top: top * zoom - y, behavior: "instant" });
    fade();
  }
  const across = () => stage.clientWidth / svg.viewBox.baseVal.width;
  function fitting() {
    const { height } = svg.viewBox.baseVal, tallest = parseFloat(getComputedStyle(stage).maxHeight) || Infinity;
    return Math.floor(100 * Math.min(across(), tallest / height)) / 100;
  }
  // Words are never smaller than 14 px, and larger where there is room; what is wider is scrolled.
  function fit() {
    if (sized || !svg || !stage.clientWidth) return;
    const roomy = innerWidth >= 1600 && stage.clientWidth >= 1000;
    const value = Math.max(Math.min(Math.floor(100 * across()) / 100, roomy ? LARGEST : PLAIN), roomy ? LARGE : PLAIN);
    if (value !== zoom && (!width || value < zoom || zoom === PLAIN)) setZoom(value, false, stage.scrollLeft ? undefined : 0);
  }
  // Where there is more to scroll to, the picture fades out.
  function fade() {
    stage.classList.toggle("ksw-left", stage.scrollLeft > 2);
    stage.classList.toggle("ksw-right", stage.scrollLeft + stage.clientWidth < stage.scrollWidth - 2);
  }
  function stepZoom(by) {
    const next = by > 0 ? ZOOMS.find((value) => value > zoom + 0.01) : ZOOMS.findLast((value) => value < zoom - 0.01);
    if (next) setZoom(next);
  }
  function heighten() {
    const high = el.classList.toggle("ksw-tall");
    tall.setAttribute("aria-pressed", String(high));
    if (high) { setZoom(fitting()); el.scrollIntoView({ block: "start", behavior: calm() ? "instant" : "smooth" }); }
    else { sized = false; setZoom(PLAIN, false); fit(); }
  }

  // -- search -----------------------------------------------------------------------------------

  // A field whose hits are counted and marked; Enter goes on to the next, Shift+Enter back.
  function finder() {
    let hits = [], at = -1, asked = "";
    const input = h("input", { type: "search", "aria-label": "Find in the picture", placeholder: "find in the picture",
      input: () => { asked = input.value; at = -1; seek(); }, keydown: onFind });
    const said = h("output", { class: "ksw-dim", "aria-live": "polite" });
    function seek() {
      const text = asked.trim().toLowerCase();
      hits = text && svg ? nodesOf(svg).filter((node) => meant(node, text)) : [];
      for (const node of svg ? nodesOf(svg) : []) {
        node.classList.toggle("ksw-hit", hits.includes(node));
        node.classList.toggle("ksw-here", node === hits[at]);
      }
      const none = find ? "not shown: Enter looks for it" : "not in this picture";
      setText(said, !text ? "" : hits.length ? `${at < 0 ? "" : `${at + 1} of `}${hits.length} found` : none);
    }
    function onFind(event) {
      if (event.key === "Escape") { input.value = asked = ""; at = -1; seek(); }
      else if (event.key === "Enter" && hits.length) {
        at = (Math.max(at, event.shiftKey ? 0 : -1) + (event.shiftKey ? -1 : 1) + hits.length) % hits.length;
        seek();
        rove(hits[at], false);
        reveal(stage, svg, zoom, true, hits[at]);
      } else if (event.key === "Enter" && asked.trim()) find?.(asked.trim());
      else return;
      event.preventDefault();
      event.stopPropagation();
    }
    return { el: h("span", { class: "ksw-find", role: "search" }, input, said), input,
      again: () => { at = Math.min(at, 0); if (asked) seek(); },
      say: (text) => setText(said, text) };
  }
  // A number is meant as a whole (a pid, a value), not as digits of an address or of a count.
  const meant = (node, text) => (/^\d+$/.test(text)
    ? !node.dataset.folded && new RegExp(`(^|[^0-9a-z…])${text}($|[^0-9a-z])`).test(wordsOf(node))
    : wordsOf(node).includes(text));
  const wordsOf = (node) => [...node.querySelectorAll("title, text")].map((part) => part.textContent).join(" ").toLowerCase();

  // -- walking and choosing -----------------------------------------------------------------------

  // One stop for Tab, the arrows move on from there: the node chosen, else the one last visited.
  function rove(node, focus) {
    for (const other of nodesOf(svg)) other.setAttribute("tabindex", other === node ? "0" : "-1");
    if (!focus || !node) return;
    node.focus({ preventScroll: true });
    reveal(stage, svg, zoom, false, node);
  }
  function take(node) {
    if (node?.dataset.address) choose?.(hexOf(node), node);
    else if (node?.dataset.folded) unfold?.(node);
  }
  function onClick(event) {
    const node = event.target.closest?.(".ks-node");
    if (node) { rove(node, true); take(node); }
  }
  const PANS = { ArrowLeft: [-PAN, 0], ArrowRight: [PAN, 0], ArrowUp: [0, -PAN], ArrowDown: [0, PAN] };
  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const node = event.target.closest?.(".ks-node"), nodes = svg ? nodesOf(svg) : [];
    const keys = {
      "+": () => stepZoom(1), "=": () => stepZoom(1), "-": () => stepZoom(-1), 0: () => setZoom(PLAIN),
      f: () => setZoom(fitting()), h: heighten, "/": () => search.input.focus(),
      Escape: () => choose?.("", null),
      Enter: () => take(node), " ": () => take(node),
      Home: () => rove(nodes[0], true), End: () => rove(nodes.at(-1), true),
    };
    if (PANS[event.key] && event.shiftKey) stage.scrollBy(...PANS[event.key]);
    else if (PANS[event.key] && node) {
      const next = neighbour(nodes, node, event.key);
      if (next) rove(next, true);
    } else if (keys[event.key]) keys[event.key]();
    else return;
    event.preventDefault();
  }

  // -- the picture --------------------------------------------------------------------------------

  // The words are a summary, then a line for each node in the same order.
  function name(node, place) {
    const title = node.querySelector("title")?.textContent ?? "", own = lines[place + 1] ?? "";
    const sentence = own.startsWith(title) ? own : lines.find((line) => line.startsWith(title)) ?? title;
    node.setAttribute("aria-label", node.dataset.folded ? `${sentence} Opens it.` : sentence);
  }
  function mark() {
    for (const node of svg ? nodesOf(svg) : []) {
      const chosen = Boolean(node.dataset.address) && hexOf(node) === selected;
      node.setAttribute("aria-selected", String(chosen));
      node.classList.toggle("ksw-selected", chosen);
    }
  }
  // The legend moves from the picture's foot to below the stage, where it stays in sight.
  function explain() {
    const foot = svg.querySelector(".ks-foot");
    if (!foot) { key.replaceChildren(); return; }
    const entries = [...foot.querySelectorAll(".ks-key")].map((entry) => {
      const own = svg.cloneNode(false), text = entry.querySelector("text").textContent;
      for (const attribute of ["style", "role", "aria-label"]) own.removeAttribute(attribute);
      entry.querySelector("text").remove();
      entry.removeAttribute("transform");
      own.setAttribute("viewBox", "0 -9 38 18");
      own.setAttribute("width", "38");
      own.setAttribute("height", "18");
      own.setAttribute("aria-hidden", "true");
      own.append(entry);
      return h("span", {}, own, text);
    });
    const notes = [...foot.querySelectorAll(".ks-note")].map((note) => h("span", { class: "ksw-note" }, note.textContent));
    if (key.textContent !== [...entries, ...notes].map((entry) => entry.textContent).join("")) key.replaceChildren(...entries, ...notes);
    const { width: wide } = svg.viewBox.baseVal, high = Number(foot.dataset.top);
    foot.remove();
    svg.setAttribute("viewBox", `0 0 ${wide} ${high}`);
    svg.querySelector(".ks-ground")?.setAttribute("height", high);
    scale(svg, zoom);
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
    nodes.forEach((node, place) => { node.setAttribute("role", "option"); name(node, place); });
    for (const part of svg.querySelectorAll(":scope > title, :scope > desc")) part.remove();
    explain();
    const stop = nodes.find((n) => n.id === held) ?? nodes.find((n) => n.id === at) ?? nodes[0];
    rove(stop, Boolean(held));
    mark();
    search.again();
    // Where it is to lie is measured once before it is painted, however many pictures came since.
    cancelAnimationFrame(settling);
    if (first) settle(false);
    else settling = requestAnimationFrame(() => settle(true));
    if (details.open) setText(words, twin);
  }
  function settle(smooth) {
    fit();
    reveal(stage, svg, zoom, smooth);
    fade();
  }
  return {
    show: draw,
    select: (address) => { selected = address; mark(); },
    unfolded: (open) => { refold.hidden = !open; },
    say: search.say,
    stop: () => { cancelAnimationFrame(settling); undo.forEach((end) => end()); },
  };
}

// Drag the picture with the mouse, zoom it with Ctrl and the wheel or with two fingers.
export function moving(stage, zoomOf, setZoom) {
  const points = new Map();
  let from = null, spread = 0, dragged = false;
  const place = (x, y) => { const box = stage.getBoundingClientRect(); return [x - box.left, y - box.top]; };
  const apart = () => { const [a, b] = [...points.values()]; return Math.hypot(a.x - b.x, a.y - b.y); };
  const on = {
    wheel: (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      setZoom(zoomOf() * Math.exp(-Math.max(Math.min(event.deltaY, 60), -60) / 200), true, ...place(event.clientX, event.clientY));
    },
    pointerdown: (event) => {
      points.set(event.pointerId, { x: event.clientX, y: event.clientY });
      dragged = false;
      if (points.size === 2) spread = apart() / zoomOf();
      else if (event.pointerType === "mouse" && event.button === 0) {
        from = { x: event.clientX, y: event.clientY, left: stage.scrollLeft, top: stage.scrollTop };
      }
    },
    pointermove: (event) => {
      if (points.has(event.pointerId)) points.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (points.size === 2) {
        const [a, b] = [...points.values()];
        setZoom(apart() / spread, true, ...place((a.x + b.x) / 2, (a.y + b.y) / 2));
      } else if (from) {
        const dx = event.clientX - from.x, dy = event.clientY - from.y;
        if (!dragged && Math.hypot(dx, dy) < DRAGGED) return;
        dragged = true;
        stage.classList.add("ksw-dragged");
        stage.scrollTo({ left: from.left - dx, top: from.top - dy, behavior: "instant" });
      }
    },
    pointerup: (event) => { points.delete(event.pointerId); from = null; stage.classList.remove("ksw-dragged"); },
    // What was a drag is no click.
    click: (event) => { if (dragged) { event.stopPropagation(); event.preventDefault(); dragged = false; } },
  };
  on.pointercancel = on.pointerup;
  const listening = [
    [stage, "wheel", on.wheel, { passive: false }], [stage, "pointerdown", on.pointerdown, {}], [stage, "click", on.click, { capture: true }],
    [window, "pointermove", on.pointermove, {}], [window, "pointerup", on.pointerup, {}], [window, "pointercancel", on.pointercancel, {}],
  ];
  for (const [target, name, heard, options] of listening) target.addEventListener(name, heard, options);
  return () => listening.forEach(([target, name, heard, options]) => target.removeEventListener(name, heard, options));
}
