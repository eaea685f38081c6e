/* The function graph of a call: a tree of which only the rows in sight exist as elements. */

import { button, enable, h, set, setText, watch } from "./base.js";
import { badge, bring, seen } from "./pane.js";

const ROW_PX = 28, MARGIN_ROWS = 12, OPEN_END = 1, BEGUN_BEFORE = 2, SWITCHED = 4;

export function graph(model, el) {
  const call = h("select", { "aria-label": "System call", change: () => set(model, "call", call.value === "" ? null : Number(call.value)) });
  const all = h("input", { type: "checkbox", change: () => set(model, "everyone", all.checked) });
  const search = h("input", { type: "search", size: 14, "aria-label": "Search a function", placeholder: "search", autocomplete: "off", spellcheck: "false",
    input: () => find(0), keydown: (event) => {
      if (event.key === "Enter") { find(event.shiftKey ? -1 : 1); event.preventDefault(); }
      if (event.key === "Escape") { search.value = ""; find(0); }
    } });
  const hits = h("span", { class: "ksw-dim ksw-hits", role: "status", "aria-live": "polite" });
  const before = button("▲", () => find(-1), { "aria-label": "previous match" }), after = button("▼", () => find(1), { "aria-label": "next match" });
  const heading = h("div", { class: "ksw-heading", role: "status", "aria-live": "polite" });
  const space = h("div", { class: "ksw-space", role: "none" });
  const box = h("div", { class: "ksw-box ksw-tree", role: "tree", "aria-label": "Functions", keydown: keys, scroll: render,
    mouseover: (event) => tell(event.target.closest("[data-i]")?.dataset.i), mouseleave: () => tell(at) }, space);
  const place = h("a", { target: "_blank", rel: "noopener noreferrer" }), about = h("span", {});
  const under = h("div", { class: "ksw-under" }, about, place);
  const note = h("div", { class: "ksw-under" });
  el.append(h("div", { class: "ksw-row" }, h("label", { class: "ksw-task ksw-pick" }, "Call ", call), h("label", { class: "ksw-pick" }, all, "other tasks too")), heading,
    h("div", { class: "ksw-row" }, h("span", { class: "ksw-chips" }, button("fold all", () => foldAll(true)), button("unfold all", () => foldAll(false))),
      search, before, after, hits), box, under, note);

  let rows = [], names = [], places = [], times = [], tasks = {}, key = null;
  let end = [], up = []; // of each row: the one after its last descendant, its parent
  let open = new Set(), shown = [], where = new Map(), at = 0, matches = [], match = -1;
  const parts = new Map(); // the elements there are, by row
  const folds = (i) => end[i] > i + 1;

  function load() {
    const graph = model.get("graph");
    if (!graph.rows) return;
    const again = graph.key === key, had = box.contains(document.activeElement);
    ({ rows, names, places, times, who: tasks, key } = graph);
    end = new Array(rows.length); up = new Array(rows.length);
    const line = [];
    rows.forEach(([, depth], i) => {
      while (line.length >= depth) end[line.pop()] = i;
      up[i] = line.at(-1) ?? -1;
      line.push(i);
    });
    line.forEach((i) => { end[i] = rows.length; });
    if (again) open = new Set([...open].filter((i) => i < rows.length));
    else {
      open = new Set([...rows.keys()].filter((i) => rows[i][1] < model.get("depth") || rows[i][4] & OPEN_END));
      at = 0;
      box.scrollTop = 0;
    }
    at = Math.min(at, Math.max(rows.length - 1, 0));
    for (const part of parts.values()) part.remove();
    parts.clear();
    find(0, false);
    settle();
    tell(at);
    if (had) parts.get(at)?.focus({ preventScroll: true });
  }
  // Which rows can be seen with the folds as they are, and where.
  function settle() {
    shown = [];
    for (let i = 0; i < rows.length; i = folds(i) && !open.has(i) ? end[i] : i + 1) shown.push(i);
    where = new Map(shown.map((i, n) => [i, n]));
    while (!where.has(at) && up[at] >= 0) at = up[at];
    space.style.height = `${shown.length * ROW_PX}px`;
    box.hidden = !rows.length;
    for (const [i, part] of parts) mark(i, part);
    render();
  }
  function render() {
    const first = Math.max(Math.floor(box.scrollTop / ROW_PX) - MARGIN_ROWS, 0);
    const last = Math.ceil((box.scrollTop + (box.clientHeight || 420)) / ROW_PX) + MARGIN_ROWS;
    const wanted = new Set(shown.slice(first, last));
    if (rows.length) wanted.add(at);
    for (const [i, part] of parts) if (!wanted.has(i)) { part.remove(); parts.delete(i); }
    let next = space.firstChild;
    for (const i of [...wanted].sort((a, b) => a - b)) {
      let part = parts.get(i);
      if (part && part === next) next = next.nextSibling;
      else {
        if (!part) parts.set(i, part = make(i));
        space.insertBefore(part, next);
      }
      part.style.top = `${(where.get(i) ?? 0) * ROW_PX}px`;
    }
  }
  function make(i) {
    const [name, depth, pid, other, kind] = rows[i], took = times[other], who = tasks[pid] ?? ["?", 0, `task ${pid}`], spot = places[name];
    const text = kind & SWITCHED ? `→ ${tasks[other]?.[2] ?? `task ${other}`} runs` : `${names[name]}()`;
    const part = h("div", { class: "ksw-fn", role: "treeitem", "data-i": i, "aria-level": depth, click: (event) => {
      if (event.target.closest("a")) return;
      go(i);
      toggle(i);
    }, focus: () => { if (i !== at) go(i, false); } },
    h("span", { class: "ksw-took" }, kind & SWITCHED ? "" : took || (kind & OPEN_END ? "…" : "")), badge(who),
    h("span", { class: "ksw-twist", "aria-hidden": "true" }), h("span", { class: kind & SWITCHED ? "ksw-dim" : "ksw-name" }, text),
    spot && h("a", { class: "ksw-spot", href: link(spot), target: "_blank", rel: "noopener noreferrer", tabindex: "-1" }, `${spot[0]}:${spot[1]}`));
    part.style.setProperty("--depth", depth - 1);
    mark(i, part);
    return part;
  }
  function mark(i, part) {
    if (folds(i)) part.setAttribute("aria-expanded", String(open.has(i)));
    part.tabIndex = i === at ? 0 : -1;
    part.setAttribute("aria-label", describe(i));
    part.children[2].textContent = folds(i) ? (open.has(i) ? "▾" : "▸") : "";
    part.classList.toggle("ksw-fnhit", hit.has(i));
    part.classList.toggle("ksw-fnhere", matches[match] === i);
  }
  let hit = new Set();
  const link = ([path, number]) => `${model.get("site")}${path}#L${number}`;
  function describe(i) {
    const [name, , pid, other, kind] = rows[i], took = times[other], who = tasks[pid]?.[2] ?? `task ${pid}`, spot = places[name];
    if (kind & SWITCHED) return `${who} leaves the CPU, ${tasks[other]?.[2] ?? `task ${other}`} runs`;
    const time = took ? `took ${took}` : kind & OPEN_END ? "has not returned" : kind & BEGUN_BEFORE ? "entered before" : "";
    const inside = folds(i) ? `${end[i] - i - 1} lines inside` : "";
    return [`${names[name]}()`, time, inside, who, spot && `${spot[0]} line ${spot[1]}`].filter(Boolean).join(", ");
  }
  function tell(i) {
    i = Number(i ?? at);
    if (!rows[i]) { setText(about, ""); setText(place, ""); return; }
    const spot = places[rows[i][0]];
    const words = describe(i);
    setText(about, spot ? words.slice(0, words.lastIndexOf(`, ${spot[0]}`)) + " · " : words);
    setText(place, spot ? `${spot[0]}:${spot[1]}` : "");
    spot ? place.setAttribute("href", link(spot)) : place.removeAttribute("href");
  }
  function go(i, focus = true) {
    const was = at;
    at = i;
    bring(box, where.get(i) * ROW_PX, (where.get(i) + 1) * ROW_PX);
    render();
    for (const one of [was, at]) if (parts.has(one)) mark(one, parts.get(one));
    if (focus) parts.get(at).focus({ preventScroll: true });
    tell(at);
  }
  function toggle(i, wide = !open.has(i)) {
    if (!folds(i) || wide === open.has(i)) return;
    wide ? open.add(i) : open.delete(i);
    settle();
  }
  function foldAll(narrow) {
    open = new Set(narrow ? [] : rows.keys());
    settle();
    if (where.has(at)) bring(box, where.get(at) * ROW_PX, (where.get(at) + 1) * ROW_PX);
    tell(at);
  }
  function keys(event) {
    if (event.target.closest("a") || !rows.length || event.ctrlKey || event.altKey || event.metaKey) return;
    const n = where.get(at), step = (to) => go(shown[Math.min(Math.max(to, 0), shown.length - 1)]);
    const acts = {
      ArrowDown: () => step(n + 1), ArrowUp: () => step(n - 1), PageDown: () => step(n + 12), PageUp: () => step(n - 12),
      Home: () => step(0), End: () => step(shown.length - 1), Enter: () => toggle(at), " ": () => toggle(at),
      ArrowRight: () => (folds(at) ? (open.has(at) ? step(n + 1) : toggle(at, true)) : null),
      ArrowLeft: () => (folds(at) && open.has(at) ? toggle(at, false) : up[at] >= 0 && go(up[at])),
      "*": () => { for (const i of rows.keys()) if (up[i] === up[at]) open.add(i); settle(); },
    };
    const letter = event.key.length === 1 && /[\w]/.test(event.key);
    if (acts[event.key]) acts[event.key]();
    else if (letter) {
      const to = [...shown.slice(n + 1), ...shown.slice(0, n)].find((i) => names[rows[i][0]].startsWith(event.key));
      if (to !== undefined) go(to);
    } else return;
    event.preventDefault();
    tell(at);
  }
  // Find what is typed: 0 begins anew, 1 and -1 go on to the next one and the one before.
  function find(by, move = true) {
    const wanted = search.value.trim().toLowerCase().replace(/\(\)$/, "");
    if (by === 0) {
      const good = names.map((name) => Boolean(wanted) && name.toLowerCase().includes(wanted));
      matches = wanted ? [...rows.keys()].filter((i) => good[rows[i][0]] && !(rows[i][4] & SWITCHED)) : [];
      hit = new Set(matches);
      match = matches.length && move ? 0 : -1;
    } else if (matches.length) match = (match + by + matches.length) % matches.length;
    if (match >= 0 && move) {
      const i = matches[match];
      for (let j = up[i]; j >= 0; j = up[j]) open.add(j);
      settle();
      go(i, false);
    }
    for (const [i, part] of parts) mark(i, part);
    setText(hits, !wanted ? "" : !matches.length ? "no match" : match < 0 ? `${matches.length} matches` : `${match + 1} of ${matches.length}`);
    for (const one of [before, after]) enable(one, matches.length > 0);
  }
  function drawCalls() {
    call.replaceChildren(h("option", { value: "" }, "the one of the moment shown"), ...model.get("calls").map(([t, words]) => h("option", { value: t }, words)).reverse());
    call.value = model.get("call") ?? "";
    all.checked = model.get("everyone");
  }
  const stops = [watch(model, ["graph"], load), watch(model, ["calls", "call", "everyone"], drawCalls),
    watch(model, ["heading", "note"], () => { setText(heading, model.get("heading")); setText(note, model.get("note")); })];
  seen(model);
  return () => stops.forEach((stop) => stop());
}
