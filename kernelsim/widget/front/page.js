/* What brings the figures of a static page to life: no kernel, no network, no modules.

   A figure names what it is (`data-kernelsim="player"`) and carries its data. What cannot be
   understood, or is of a kind that this script does not know, stays as it is: a picture. */

import { h } from "./base.js";
import { film } from "./player.js";

// By kind: fills `el` from the data, and throws if it cannot.
const FIGURES = { player: (data, el) => film(data, el) };
const TAKEN = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", " ", "Enter", "Escape"]);

export function upgrade(figure) {
  const draw = FIGURES[figure.dataset.kernelsim], stored = figure.querySelector(":scope > script.kernelsim-data");
  if (!draw || !stored || figure.classList.contains("kernelsim-alive")) return;
  const el = h("div", { class: `ksw ksw-${figure.dataset.kernelsim}`, "data-prevent-swipe": true });
  // The keys of the figure are its own: a slide show around it must not turn its page.
  el.addEventListener("keydown", (event) => { if (TAKEN.has(event.key) || event.defaultPrevented) event.stopPropagation(); });
  figure.append(el);
  try {
    draw(JSON.parse(stored.textContent), el);
  } catch (error) {
    el.remove();
    console.warn(`kernelsim: a figure stays a picture (${error.message})`);
    return;
  }
  figure.classList.add("kernelsim-alive");
}

export const upgradeAll = () => document.querySelectorAll("figure[data-kernelsim]").forEach(upgrade);

export function whenReady(act) {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", act);
  else act();
}
