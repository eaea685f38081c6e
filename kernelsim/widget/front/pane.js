/* What the panes share: whose a row is, and that the pane is seen. */

import { h } from "./base.js";

// A task's letter in its colour; the words say which task it is.
export const badge = ([letter, colour, words]) => h("span", { class: `ksw-badge ksw-c${colour}`, title: words, "aria-hidden": "true" }, letter);

// Python draws a pane when it is first seen.
export const seen = (model) => model.send({ do: "seen" });

// Scroll a box so that a row of it can be seen, and nothing else on the page.
export function bring(box, top, bottom) {
  if (top < box.scrollTop) box.scrollTop = top;
  else if (bottom > box.scrollTop + box.clientHeight) box.scrollTop = bottom - box.clientHeight;
}
