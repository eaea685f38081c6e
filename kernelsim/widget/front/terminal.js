/* The terminal: what was written, as text, and who wrote which part. */

import { h, setText, watch } from "./base.js";
import { badge, seen } from "./pane.js";

const NEAR = 12; // so near to the end, the reader follows it
const LINES = { 0: "ttyS0", 1: "", 2: "ttyS2" };

export function terminal(model, el) {
  const tell = h("input", { type: "checkbox", checked: true, change: () => screen.classList.toggle("ksw-untold", !tell.checked) });
  const heading = h("span", { class: "ksw-dim" });
  const screen = h("div", { class: "ksw-box ksw-console", role: "log", "aria-live": "polite", "aria-label": "Terminal", tabindex: "0" });
  const note = h("div", { class: "ksw-under" });
  const legend = h("div", { class: "ksw-under ksw-legend", role: "group", "aria-label": "Who wrote" });
  el.append(h("div", { class: "ksw-row" }, h("label", { class: "ksw-pick" }, tell, "who wrote what"), heading), screen, legend, note);

  let old = [];
  function draw() {
    const pieces = model.get("pieces").map((piece) => JSON.stringify(piece));
    const follows = screen.scrollTop + screen.clientHeight >= screen.scrollHeight - NEAR;
    let same = 0;
    while (same < old.length && same < pieces.length && old[same] === pieces[same]) same += 1;
    while (screen.children.length > same) screen.lastChild.remove();
    screen.append(...model.get("pieces").slice(same).map(piece));
    old = pieces;
    if (follows) screen.scrollTop = screen.scrollHeight;
    drawLegend();
    setText(heading, model.get("heading"));
    setText(note, model.get("note"));
  }
  function piece([who, line, parts]) {
    const where = LINES[line] ?? `line ${line}`;
    const words = (who.length ? who[2] : "who wrote this is not recorded") + (where && `, to ${where}`);
    return h("span", { class: `ksw-piece ksw-c${who[1] ?? 0}`, title: words },
      h("span", { class: "ksw-by" }, who.length ? badge(who) : "", where && h("span", { class: "ksw-tty" }, where)),
      ...parts.map(([sign, text]) => (sign ? h("span", { class: "ksw-ctl" }, text) : text)));
  }
  function drawLegend() {
    const found = new Map(model.get("pieces").filter(([who]) => who.length).map(([who]) => [who[2], who]));
    legend.replaceChildren(...[...found.values()].map((who) => h("span", { class: "ksw-writer" }, badge(who), " ", who[2])));
  }
  const stop = watch(model, ["pieces", "heading", "note"], draw);
  seen(model);
  return stop;
}
