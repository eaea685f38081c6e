/* A picture that stands still, in its own size, and its words. */

import { h } from "./base.js";
import { show } from "./stage.js";

export function still({ svg, words, summary, caption = "" }, attributes = {}) {
  const stage = h("div", { class: "ksw-stage", scroll: fade, ...attributes });
  const el = h("figure", { class: "ksw-still" }, caption ? h("figcaption", {}, caption) : null, stage,
    h("details", {}, h("summary", {}, "In words"), h("pre", { tabindex: "0" }, words)));
  const drawn = show(stage, svg, 1);
  drawn?.setAttribute("aria-label", summary);
  // Where there is more to scroll to, the picture fades out.
  function fade() {
    stage.classList.toggle("ksw-left", stage.scrollLeft > 2);
    stage.classList.toggle("ksw-right", stage.scrollLeft + stage.clientWidth < stage.scrollWidth - 2);
  }
  const seen = new ResizeObserver(fade);
  seen.observe(stage);
  return { el, stage, drawn, stop: () => seen.disconnect() };
}
