/* Little-endian, drawn: the bytes as they lie in memory, and the number that they are, turned round. */

import { h } from "./base.js";
import { bytesOf, hex2 } from "./hexdump.js";

const WIDE = 46, HIGH = 30, LEFT = 84, GAP = 46; // pixels

export const vector = (tag, attributes, text) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
};

// The bytes of a number of 1 to 8 bytes, `hex` in the order of memory, the first one at `offset`.
export function byteorder(hex, offset) {
  const bytes = [...bytesOf(hex)].map(hex2), n = bytes.length, parts = [];
  const x = (i) => LEFT + i * WIDE, above = 22, below = above + HIGH + GAP, base = below + HIGH + 18;
  const words = (y, text) => parts.push(vector("text", { x: 0, y: y + HIGH / 2 + 5 }, text));
  const box = (i, y, byte, low) => parts.push(
    vector("rect", { x: x(i) + 2, y, width: WIDE - 4, height: HIGH, rx: 4, class: low ? "ksi-lowest" : "" }),
    vector("text", { x: x(i) + WIDE / 2, y: y + HIGH / 2 + 5, class: "ksi-mid" }, byte));
  words(above, "memory");
  words(below, "number 0x");
  bytes.forEach((byte, i) => {
    const to = n - 1 - i, low = i === 0;
    parts.push(vector("path", { class: low ? "ksi-lowest" : "",
      d: `M${x(i) + WIDE / 2} ${above + HIGH}C${x(i) + WIDE / 2} ${above + HIGH + GAP * 0.6} ${x(to) + WIDE / 2} ${below - GAP * 0.6} ${x(to) + WIDE / 2} ${below}` }));
    parts.push(vector("text", { x: x(i) + WIDE / 2, y: above - 7, class: "ksi-mid ksi-dim" }, `+${(offset + i).toString(16)}`));
    box(i, above, byte, low);
    box(to, below, byte, low);
  });
  parts.push(vector("text", { x: x(n - 1) + WIDE - 2, y: base, class: "ksi-end ksi-dim" }, n > 1 ? "the lowest byte ▲ lies first" : ""));
  const svg = vector("svg", { viewBox: `0 0 ${Math.max(x(n), LEFT + 230)} ${base + 6}`, width: Math.max(x(n), LEFT + 230), height: base + 6, role: "img",
    "aria-label": `In memory, from the lowest address on: ${bytes.join(" ")}. As a number: 0x${bytes.toReversed().join("")}. The lowest byte lies first.` });
  svg.append(...parts);
  return h("div", { class: "ksi-order" }, svg);
}
