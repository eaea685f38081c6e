/* A picture that stands still, as wide as there is room while it stays readable, and its words. */

import { h } from "./base.js";
import { scale, show } from "./stage.js";

const LEAST = 0.86; // 14 px become 12

export function still({ svg, words, summary, caption = "" }, attributes = {}) {
  const stage = h("div", { class: "ksw-stage", ...attributes });
  const el = h("figure", { class: "ksw-still" }, caption ? h("figcaption", {}, caption) : null, stage,
    h("details", {}, h("summary", {}, "In words"), h("pre", { tabindex: "0" }, words)));
  const drawn = show(stage, svg, 1);
  drawn?.setAttribute("aria-label", summary);
  const fit = () => {
    const room = stage.clientWidth, wide = drawn?.viewBox.baseVal.width;
    if (!room || !wide) return;
    scale(drawn, Math.min(Math.max(room / wide, LEAST), 1));
    stage.toggleAttribute("data-wide", wide * LEAST > room);
  };
  const seen = new ResizeObserver(fit);
  seen.observe(stage);
  return { el, stage, drawn, stop: () => seen.disconnect() };
}
