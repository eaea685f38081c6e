/* The inspector: the members of a structure, its bytes beside them; pointers are followed. */

import { asForm, button, h, set, setText, watch } from "./base.js";
import { byteorder } from "./byteorder.js";
import { hexdump } from "./hexdump.js";
import { subtraction } from "./subtraction.js";

const FEW_ROWS = 40; // a structure of so few is shown unfolded

export function inspector(model, el) {
  let seen = {}, rows = [], byPath = new Map(), open = new Set(), chosen = "", over = null, drawn = new Map(), lost = false; // lost: the focus
  const opened = new Map(); // what the reader has unfolded, by type
  const send = (message) => model.send(message);

  // -- parts
  const type = h("strong", {}), words = h("span", {}), place = h("code", {}), moment = h("span", { class: "ksw-dim ksi-moment" });
  const source = h("a", { target: "_blank", rel: "noopener" }, "definition ↗");
  const trail = h("ol", { class: "ksi-trail", "aria-label": "The way here" });
  const banner = h("div", { class: "ksi-banner", role: "status" });
  const text = h("input", { "aria-label": "Address, symbol or task to go to", placeholder: "0xffff…, init_task, task 3", autocomplete: "off", spellcheck: "false", size: 24 });
  const goTo = asForm({ class: "ksi-form" }, () => send({ do: "go", text: text.value }), text, h("button", { type: "submit" }, "go to"));
  const search = h("input", { "aria-label": "Find a member", placeholder: "find a member", autocomplete: "off", spellcheck: "false", size: 14,
    input: () => draw(), keydown: onSearch });
  const changes = button("", () => {
    const all = rows.filter((row) => row.was), next = all[(all.indexOf(byPath.get(chosen)) + 1) % all.length];
    unfold(next);
    visit(next.path);
  }, { title: "next change (key n)" });
  const matches = h("span", { class: "ksw-dim", role: "status" });
  const said = h("div", { class: "ksi-said", role: "status", "aria-live": "polite" });
  const grid = h("div", { class: "ksi-grid", role: "treegrid", "aria-label": "Members", keydown: onKey, click: onClick, focusin: onFocus,
    mousemove: (event) => point(event.target.closest(".ksi-row")?.dataset.path ?? null), mouseleave: () => point(null) });
  const dump = hexdump({ say: sayByte, point: (at) => point(at === null ? null : memberAt(at)?.path ?? null), choose: (at) => {
    const row = memberAt(at);
    if (row) { unfold(row); choose(row.path, false); reveal(row.path); }
  } });
  const detail = h("div", { class: "ksi-detail", role: "region", "aria-label": "The chosen member", tabindex: "-1" });
  const counts = h("table", { class: "ksi-counts" });
  const minus = subtraction({ ask: (t, m) => send({ do: "subtract", type: t, member: m }), go: () => send({ do: "contain" }) });
  const heads = h("div", { role: "row", class: "ksi-row ksi-heads" }, ...["offset", "member", "type", "size", "value"].map((name) =>
    h("span", { role: "columnheader", class: `ksi-c ksi-${name === "offset" ? "at" : name}` }, name)));
  el.append(h("div", { class: "ksw-row ksi-title" }, type, words, place, source), trail,
    h("div", { class: "ksw-row" }, goTo, search, matches, changes, moment), said, banner,
    h("div", { class: "ksi-body" }, grid, dump.element, detail), minus.element, counts);

  // -- rows
  const matching = (row, term) => row.kind !== "gap" && (/[.[]/.test(term) ? row.path : row.name).toLowerCase().includes(term);
  const term = () => search.value.trim().toLowerCase();
  const above = (row) => { const found = []; for (let one = row; one; one = one.up) found.push(one); return found; };
  // The rows to be seen: those of unfolded groups, or those that the search finds and what is around them.
  function visible() {
    if (!term()) {
      setText(matches, "");
      return rows.filter((row) => above(row.up).every((one) => open.has(one.path)));
    }
    const found = rows.filter((row) => matching(row, term())), shown = new Set(found.flatMap(above));
    setText(matches, found.length === 1 ? "1 member" : `${found.length} members`);
    return rows.filter((row) => shown.has(row));
  }
  const isOpen = (row) => Boolean(term()) || open.has(row.path);
  function make(row) {
    const sign = row.kind === "group" ? (isOpen(row) ? "▾" : "▸") : "";
    const value = row.value && h("span", row.to && row.to !== "0x0" ? { class: "ksi-to" } : {}, row.value);
    const cell = (name, ...parts) => h("span", { role: "gridcell", class: `ksi-c ksi-${name}` }, ...parts);
    return h("div", { role: "row", class: `ksi-row ksi-${row.kind}`, tabindex: "-1", "data-path": row.path,
      "aria-level": row.depth + 1, "aria-expanded": row.kind === "group" ? String(isOpen(row)) : null },
    cell("at", `+0x${row.at.toString(16)}`),
    cell("name", h("span", { class: "ksi-sign", "aria-hidden": "true", style: `margin-left:${row.depth * 16}px` }, sign), row.name),
    cell("type", row.type), cell("size", row.size),
    cell("value", row.changed ? h("span", { class: "ksi-mark", role: "img", "aria-label": "changed" }, "◆ ") : null, value, row.words ? h("span", { class: "ksi-words" }, row.words) : null,
      row.was ? h("span", { class: "ksi-was" }, `was ${row.was}`) : null));
  }
  function draw() {
    const held = grid.contains(document.activeElement), next = new Map();
    const elements = visible().map((row) => {
      const key = JSON.stringify([{ ...row, up: 0 }, isOpen(row)]), old = drawn.get(row.path);
      const kept = old?.key === key ? old : { key, element: make(row) };
      next.set(row.path, kept);
      return kept.element;
    });
    drawn = next;
    const all = [heads, ...elements];
    if (all.length !== grid.children.length || !all.every((element, i) => element === grid.children[i])) grid.replaceChildren(...all);
    for (const element of elements) {
      element.setAttribute("aria-selected", String(element.dataset.path === chosen));
      element.tabIndex = -1;
    }
    const stop = drawn.get(chosen)?.element ?? elements[0];
    if (stop) stop.tabIndex = 0;
    if (held) focus();
  }
  const focus = () => { lost = false; grid.querySelector("[tabindex='0']")?.focus({ preventScroll: true }); };
  function toggle(row, wanted = !open.has(row.path)) {
    if (row.kind !== "group" || term()) return;
    wanted ? open.add(row.path) : open.delete(row.path);
    draw();
  }
  function unfold(row) {
    if (!drawn.has(row.path)) search.value = "";
    for (const one of above(row.up)) open.add(one.path);
    draw();
  }
  function reveal(path) {
    const element = drawn.get(path)?.element;
    if (!element) return;
    const top = element.offsetTop - grid.offsetTop, bottom = top + element.offsetHeight;
    if (top - 26 < grid.scrollTop) grid.scrollTop = top - 26;
    else if (bottom > grid.scrollTop + grid.clientHeight) grid.scrollTop = bottom - grid.clientHeight;
  }
  // The innermost member that a byte belongs to; of a union the first.
  function memberAt(at) {
    let found = null;
    for (const row of rows) if (row.at <= at && at < row.at + row.size && row.depth > (found?.depth ?? -1)) found = row;
    return found;
  }
  const isNumber = (row) => row.kind === "field" && !row.text && row.size > 1 && row.size <= 8;
  function sayByte(at, value) {
    const row = memberAt(at);
    const which = row && isNumber(row) ? `, byte ${at - row.at + 1} of ${row.size}${at === row.at ? ", the lowest" : ""}` : "";
    return `byte at +0x${at.toString(16)}: 0x${value.toString(16).padStart(2, "0")}${row ? `, ${row.kind === "gap" ? "padding" : row.path}${which}` : ""}`;
  }

  // -- marks
  function point(path) {
    if (path === over) return;
    over = path;
    let row = path === null ? null : byPath.get(path);
    dump.mark("over", row ? [[row.at, row.size]] : []);
    for (const one of grid.querySelectorAll(".ksi-pointed")) one.classList.remove("ksi-pointed");
    if (path === chosen) row = null;
    above(row).map((one) => drawn.get(one.path)?.element).find(Boolean)?.classList.add("ksi-pointed");
  }
  function choose(path, take) {
    chosen = path;
    for (const { element } of drawn.values()) {
      const is = element.dataset.path === path;
      element.setAttribute("aria-selected", String(is));
      element.tabIndex = is ? 0 : -1;
    }
    if (!drawn.get(path)) heads.nextElementSibling?.setAttribute("tabindex", "0");
    if (take) focus();
    mark();
  }
  function mark() {
    const row = byPath.get(chosen), number = row && isNumber(row);
    const raw = chosen.startsWith("@") ? [[parseInt(chosen.slice(1), 16), 1]] : [];
    dump.mark("on", row ? [[row.at, row.size]] : raw);
    dump.mark("low", number ? [[row.at, 1]] : []);
    if (row) { dump.reveal(row.at, Math.min(row.size, 64)); dump.move(row.at); }
    lost ||= detail.contains(document.activeElement);
    detail.replaceChildren(...(row ? explain(row, number) : [h("span", { class: "ksw-dim" }, "Choose a member, or a byte.")]));
  }
  function explain(row, number) {
    const hex = seen.bytes.slice(2 * row.at, 2 * (row.at + row.size));
    const line = (...parts) => h("div", {}, ...parts), dim = (words) => h("span", { class: "ksw-dim" }, words);
    const { size } = row, base = BigInt(seen.address) + BigInt(row.at);
    const bits = row.bits && line(`bit ${row.bits[0]}${row.bits[1] > 1 ? ` to ${row.bits[0] + row.bits[1] - 1}` : ""} of these ${size} bytes`);
    return [
      line(h("code", { class: "ksi-path" }, row.path), " ", h("code", { class: "ksw-dim" }, row.type)),
      line(dim(`at 0x${base.toString(16)}, ${size === 1 ? "1 byte" : `${size} bytes`}`)),
      line(h("code", {}, row.value), row.value && row.words ? ": " : "", row.words ?? ""), bits,
      row.was ? line(h("span", { class: "ksi-mark" }, "◆ "), "was ", h("code", {}, row.was)) : null,
      row.to ? button("follow", () => follow(row), { class: "ksw-fire" }) : null,
      row.text ? line(dim("One byte for each character: nothing to turn round.")) : null,
      number && !/ … /.test(row.name) ? byteorder(hex, row.at) : null,
    ].filter(Boolean);
  }
  const follow = (row) => send({ do: "follow", path: row.path });

  const visit = (path) => { choose(path, true); reveal(path); };

  // -- the reader
  function onFocus(event) {
    const path = event.target.closest(".ksi-row")?.dataset.path;
    if (path !== undefined && path !== chosen) choose(path, false);
  }
  function onClick(event) {
    const row = byPath.get(event.target.closest(".ksi-row")?.dataset.path);
    if (!row) return;
    choose(row.path, true);
    if (event.target.closest(".ksi-to")) follow(row);
    else if (row.kind === "group" && event.target.closest(".ksi-name")) toggle(row);
  }
  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const row = byPath.get(chosen), all = [...drawn.keys()], at = all.indexOf(chosen);
    const to = (i) => visit(all[Math.max(0, Math.min(i, all.length - 1))]);
    const keys = {
      ArrowDown: () => to(at + 1), ArrowUp: () => to(at - 1), Home: () => to(0), End: () => to(all.length - 1),
      PageDown: () => to(at + 12), PageUp: () => to(at - 12), Enter: () => row && (row.to ? follow(row) : toggle(row)), " ": () => row && toggle(row),
      ArrowRight: () => row && (row.kind === "group" && !isOpen(row) ? toggle(row, true) : to(at + 1)),
      ArrowLeft: () => { if (row?.kind === "group" && open.has(row.path)) toggle(row, false);
        else if (row?.up) visit(row.up.path); },
      Backspace: () => send({ do: "back", to: model.get("trail").length - 2 }), "/": () => search.focus(), n: () => changes.hidden || changes.click(),
    };
    if (!keys[event.key]) return;
    keys[event.key]();
    event.preventDefault();
  }
  function onSearch(event) {
    if (event.key === "Escape") { search.value = ""; draw(); }
    else if (event.key === "Enter" || event.key === "ArrowDown") {
      const row = rows.find((one) => drawn.has(one.path) && matching(one, term()));
      if (row) visit(row.path);
    } else return;
    event.preventDefault();
  }

  // -- what Python says
  function drawShown() {
    const before = seen;
    seen = model.get("shown");
    const around = [];
    rows = (seen.rows ?? []).map((given) => {
      const row = around[given.depth] = { value: "", words: "", type: "", path: "", name: "", size: 0, ...given };
      row.up = around[row.depth - 1];
      return row;
    });
    byPath = new Map(rows.map((row) => [row.path, row]));
    if (before.type !== seen.type) {
      search.value = "";
      if (!opened.has(seen.type)) opened.set(seen.type, new Set(rows.length <= FEW_ROWS ? rows.filter((row) => row.kind === "group").map((row) => row.path) : []));
      open = opened.get(seen.type);
    }
    if (!byPath.has(chosen) && !chosen.startsWith("@")) chosen = "";
    setText(type, seen.type || "nothing");
    for (const [part, value] of [[words, seen.words], [place, seen.address], [moment, seen.moment], [banner, seen.banner]]) setText(part, value ?? "");
    source.hidden = !seen.link;
    source.href = seen.link;
    banner.hidden = !seen.banner;
    el.classList.toggle("ksi-freed", Boolean(seen.freed));
    over = undefined;
    dump.show(seen.bytes ?? "");
    const old = rows.filter((row) => row.was);
    dump.mark("old", old.map((row) => [row.at, row.size]));
    changes.hidden = !old.length;
    setText(changes, `◆ ${old.length} changed`);
    draw();
    point(null);
    mark();
    minus.offer(seen.contain ?? {}, `${seen.type} ${seen.address}`);
    drawCounts();
    if (lost && before.address === seen.address) focus();
  }
  function drawCounts() {
    const found = seen.counts ?? [];
    counts.hidden = !found.length && seen.counted;
    const line = (count) => h("tr", {}, h("th", { scope: "row" }, count.member), h("td", {}, String(count.value ?? 0)),
      h("td", { class: count.odd ? "ksi-odd" : "" }, count.words));
    counts.replaceChildren(h("caption", {}, "Reference counts: who holds it"), h("tbody", {}, ...(seen.counted ? found.map(line)
      : [h("tr", {}, h("td", {}, "There are many tasks. "), h("td", {}, button("ask them all", () => send({ do: "holders" }))))])));
  }
  function drawTrail() {
    const steps = model.get("trail");
    lost ||= trail.contains(document.activeElement);
    trail.replaceChildren(...steps.map(([label, via], i) => h("li", {}, i ? h("span", { class: "ksi-via" }, via ? `— ${via} →` : "→") : null,
      i < steps.length - 1 ? button(label, () => send({ do: "back", to: i })) : h("span", { "aria-current": "location" }, label))));
  }
  function drawChosen() {
    const path = model.get("chosen").path;
    if (path === undefined) return;
    const row = byPath.get(path), held = lost || (el.contains(document.activeElement) && document.activeElement !== text);
    lost = false;
    if (row) unfold(row);
    choose(row || path.startsWith("@") ? path : rows[0]?.path ?? "", held);
    if (row) reveal(path);
    else grid.scrollTop = 0;
  }
  function drawContained() {
    const found = model.get("contained");
    if (!found.type) lost ||= minus.element.contains(document.activeElement);
    minus.show(found);
  }
  const drawSaid = () => { said.textContent = model.get("said").text ?? ""; };
  const stops = [watch(model, ["shown"], drawShown), watch(model, ["trail"], drawTrail), watch(model, ["chosen"], drawChosen),
    watch(model, ["contained"], drawContained), watch(model, ["said"], drawSaid)];
  const size = new ResizeObserver(() => { const hidden = !el.clientWidth; if (hidden !== model.get("hidden")) set(model, "hidden", hidden); });
  size.observe(el);
  return () => { size.disconnect(); minus.stop(); stops.forEach((stop) => stop()); };
}
