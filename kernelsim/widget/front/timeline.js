/* Time: step back and forth, jump. */

import { button, enable, h, set, setText, watch } from "./base.js";

export function timeline(model, el) {
  const step = (by) => model.send({ do: "step", by });
  const first = button("|◀", () => step(-model.get("last")), { title: "to the beginning", "aria-label": "to the beginning" });
  const back = button("◀ back", () => step(-1), { class: "ksw-step" });
  const forward = button("forward ▶", () => step(1), { class: "ksw-step" });
  const now = button("now ▶|", () => step(model.get("last")), { title: "to the present" });
  const slider = h("input", { type: "range", min: 0, "aria-label": "Moment", input: () => set(model, "place", Number(slider.value)) });
  const where = h("span", { class: "ksw-where" });
  const sentence = h("div", { class: "ksw-sentence", role: "status", "aria-live": "polite" });
  const level = h("select", { "aria-label": "Step by", change: () => set(model, "level", level.value) },
    ...model.get("levels").map(([value, label]) => h("option", { value }, label)));
  const jump = h("select", { "aria-label": "Jump to a system call", change: () => {
    if (jump.value !== "") model.send({ do: "jump", number: Number(jump.value) });
    jump.value = "";
  } });
  el.append(
    h("div", { class: "ksw-row" }, h("span", { class: "ksw-chips" }, first, back, forward, now), slider, where),
    sentence,
    h("div", { class: "ksw-row ksw-small" }, h("label", {}, "Step by ", level), h("label", {}, "Jump to ", jump)),
  );

  function draw() {
    const place = model.get("place"), last = model.get("last"), past = place < last;
    slider.max = last;
    slider.value = place;
    slider.setAttribute("aria-valuetext", `step ${place} of ${last}, ${model.get("label")}`);
    for (const one of [first, back]) enable(one, place > 0);
    for (const one of [forward, now]) enable(one, past);
    el.classList.toggle("ksw-past", past);
    setText(where, `step ${place} of ${last} · ${model.get("label")}`);
    setText(sentence, model.get("sentence"));
    level.value = model.get("level");
  }
  function drawCalls() {
    const calls = model.get("calls");
    jump.replaceChildren(h("option", { value: "" }, "a system call …"), ...calls.map((words, i) => h("option", { value: i }, words)));
    jump.value = "";
  }
  const stops = [watch(model, ["place", "last", "label", "sentence", "level"], draw), watch(model, ["calls"], drawCalls)];
  return () => stops.forEach((stop) => stop());
}
