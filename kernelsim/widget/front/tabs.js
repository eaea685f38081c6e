/* Tabs: arrows move from one to the next, as everywhere. */

import { button, h, set, watch } from "./base.js";

const TAB_KEYS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

export function tabs(model, el) {
  const row = h("div", { class: "ksw-tabs", role: "tablist", "aria-label": "Panes", keydown: (event) => {
    const by = TAB_KEYS[event.key];
    if (!by) return;
    const last = model.get("titles").length - 1;
    choose(Math.min(Math.max(model.get("chosen") + by, 0), last));
    row.children[model.get("chosen")].focus();
    event.preventDefault();
  } });
  el.append(row);
  const choose = (number) => { set(model, "chosen", number); draw(); };
  function draw() {
    const titles = model.get("titles"), chosen = model.get("chosen");
    if (row.children.length !== titles.length) row.replaceChildren(...titles.map((title, i) => button(title, () => choose(i), { role: "tab" })));
    [...row.children].forEach((tab, i) => {
      tab.setAttribute("aria-selected", String(i === chosen));
      tab.setAttribute("tabindex", i === chosen ? "0" : "-1");
    });
  }
  return watch(model, ["titles", "chosen"], draw);
}
