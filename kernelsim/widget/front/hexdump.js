/* Bytes as a dump, eight to a line: which of them are a member's, and which member a byte belongs to.

   The text is one node, however long; what is marked lies over it, placed in characters. */

import { fresh, h } from "./base.js";

const PER_LINE = 8, FIRST = 8, LETTERS = FIRST + 3 * PER_LINE + 1, COLUMNS = LETTERS + PER_LINE; // characters
const LINE_PX = 22;

export const bytesOf = (hex) => Uint8Array.from({ length: hex.length / 2 }, (_, i) => parseInt(hex.substr(2 * i, 2), 16));
export const hex2 = (byte) => byte.toString(16).padStart(2, "0");
const letter = (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·");
export const dumpLine = (label, bytes) => `${label.padEnd(FIRST - 1)} ${
  [...bytes].map(hex2).join(" ").padEnd(3 * PER_LINE)} ${[...bytes].map(letter).join("")}`;

// The boxes over `size` bytes from `from` on: [column, line, width, lines], as few as can be.
export function boxes(from, size) {
  const found = [], end = from + size;
  for (let at = from; at < end;) {
    const line = Math.floor(at / PER_LINE), column = at % PER_LINE;
    const whole = column ? 0 : Math.floor((end - at) / PER_LINE);
    const n = whole ? PER_LINE : Math.min(PER_LINE - column, end - at), lines = whole || 1;
    found.push([FIRST + 3 * column, line, 3 * n - 1, lines], [LETTERS + column, line, n, lines]);
    at += whole ? whole * PER_LINE : n;
  }
  return found;
}

// `point(offset)` is called for the byte under the pointer (null: none), `choose(offset)` for a click or Enter.
export function hexdump({ point, choose, say }) {
  let bytes = new Uint8Array(), cursor = 0;
  const text = h("pre", { "aria-hidden": "true" });
  const layers = Object.fromEntries(["old", "over", "on", "low"].map((name) => [name, h("div", { class: `ksi-${name}`, "aria-hidden": "true" })]));
  const byte = h("div", { id: fresh("byte"), role: "option", class: "ksi-byte", "aria-selected": "true" });
  const sheet = h("div", { class: "ksi-sheet" }, ...Object.values(layers), byte, text);
  const list = h("div", { class: "ksi-bytes", role: "listbox", tabindex: "0", "aria-label": "Bytes", "aria-activedescendant": byte.id,
    keydown: onKey, mousemove: (event) => point(at(event)), mouseleave: () => point(null),
    click: (event) => { const offset = at(event); if (offset !== null) { move(offset); choose(offset); } } }, sheet);
  const head = h("pre", { class: "ksi-head", "aria-hidden": "true" }, `${"offset".padEnd(FIRST - 1)}  0  1  2  3  4  5  6  7  as text`);
  const element = h("div", { class: "ksi-dump" }, head, list);

  // The byte under the pointer, null between them.
  function at(event) {
    const box = sheet.getBoundingClientRect();
    const line = Math.floor((event.clientY - box.top) / box.height * Math.ceil(bytes.length / PER_LINE));
    const column = Math.floor((event.clientX - box.left) / box.width * COLUMNS);
    const place = column >= LETTERS ? column - LETTERS : column >= FIRST ? Math.floor((column - FIRST) / 3) : -1;
    const offset = line * PER_LINE + place;
    return place >= 0 && place < PER_LINE && offset >= 0 && offset < bytes.length ? offset : null;
  }
  function paint(layer, places) {
    layers[layer].replaceChildren(...places.flatMap(([from, size]) => boxes(from, size)).map(([x, y, width, lines]) => h("i", {
      style: `left:${x}ch;top:${y * LINE_PX}px;width:${width}ch;height:${lines * LINE_PX}px` })));
  }
  function move(offset) {
    cursor = Math.max(0, Math.min(offset, bytes.length - 1));
    byte.style.cssText = `left:${FIRST + 3 * (cursor % PER_LINE)}ch;top:${Math.floor(cursor / PER_LINE) * LINE_PX}px`;
    byte.setAttribute("aria-label", bytes.length ? say(cursor, bytes[cursor]) : "no bytes");
    byte.setAttribute("aria-posinset", cursor + 1);
    byte.setAttribute("aria-setsize", bytes.length);
  }
  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -PER_LINE, ArrowDown: PER_LINE, PageUp: -16 * PER_LINE, PageDown: 16 * PER_LINE,
      Home: -bytes.length, End: bytes.length }[event.key];
    if (by) { move(cursor + by); reveal(cursor, 1); point(cursor); }
    else if (event.key === "Enter" || event.key === " ") choose(cursor);
    else return;
    event.preventDefault();
  }
  // Scroll the bytes into sight, without moving the page.
  function reveal(from, size) {
    const top = Math.floor(from / PER_LINE) * LINE_PX, bottom = (Math.floor((from + size - 1) / PER_LINE) + 1) * LINE_PX;
    if (top < list.scrollTop || bottom > list.scrollTop + list.clientHeight) list.scrollTop = top - 3 * LINE_PX;
  }
  return {
    element, mark: paint, move, reveal,
    show(hex) {
      bytes = bytesOf(hex);
      const lines = [];
      for (let i = 0; i < bytes.length; i += PER_LINE) lines.push(dumpLine(`+${i.toString(16).padStart(3, "0")}`, bytes.subarray(i, i + PER_LINE)));
      const whole = lines.join("\n");
      if (text.textContent !== whole) text.textContent = whole;
      sheet.style.cssText = `width:${COLUMNS}ch;height:${lines.length * LINE_PX}px`;
      move(cursor);
    },
  };
}
