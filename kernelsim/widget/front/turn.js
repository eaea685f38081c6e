/* Who runs and who waits for the CPU, and who is to run next. */

import { button, h, setText, watch } from "./base.js";

export function turn(model, el) {
  const list = h("ul", { class: "ksw-turns", "aria-label": "Who runs and who waits for the CPU" });
  const more = h("span", { class: "ksw-dim" });
  const choose = button("let the scheduler choose", () => model.send({ do: "run", task: "" }),
    { title: "a timer interrupt comes; the task with the least vruntime runs next" });
  el.append(h("div", { class: "ksw-row ksw-small" }, h("span", { class: "ksw-turn-title" }, "On the CPU"), list, more, choose));
  function one([address, label, vruntime, what, action]) {
    const words = [h("span", { class: "ksw-turn-who" }, label), h("span", { class: "ksw-dim" }, vruntime), what ? h("strong", {}, what) : null];
    return h("li", { class: what ? "ksw-turn-marked" : "" }, ...words.filter(Boolean),
      action ? button(action, () => model.send({ do: "run", task: address }), { "aria-label": `${action}: ${label}` }) : null);
  }
  function draw() {
    const rows = model.get("rows"), held = [...list.querySelectorAll("button")].indexOf(document.activeElement);
    list.replaceChildren(...(rows.length ? rows.map(one) : [h("li", {}, "nobody: all tasks sleep")]));
    if (held >= 0) (list.querySelectorAll("button")[held] ?? choose).focus();
    setText(more, model.get("more"));
    choose.hidden = !model.get("scheduler");
  }
  return watch(model, ["rows", "more", "scheduler"], draw);
}
