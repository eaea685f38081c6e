/* Drills: which question, of which topic and level, and how it goes. */

import { button, enable, h, setText, watch } from "./base.js";

export function drill(model, el) {
  const back = button("◀ previous", () => model.send({ do: "previous" }), { title: "previous question (Page Up)" });
  const next = button("next ▶", () => model.send({ do: "next" }), { title: "next question (Page Down)" });
  const topic = h("select", { "aria-label": "Topic", change: () => model.send({ do: "topic", topic: topic.value }) });
  const level = h("select", { "aria-label": "Level", change: () => model.send({ do: "level", level: Number(level.value) }) },
    ...["1, easy", "2", "3, hard"].map((label, i) => h("option", { value: i + 1 }, label)));
  const about = h("label", {}, "Topic ", topic), grade = h("label", {}, "Level ", level);
  const score = h("div", { class: "ksw-score", role: "status", "aria-live": "polite" });
  const trouble = h("div", { class: "ksw-small", role: "status" });
  el.append(h("div", { class: "ksw-row" }, h("span", { class: "ksw-chips" }, back, next), about, grade), score, trouble);

  // Page Up and Page Down work in the question too; it goes, so the button is where the keyboard is then.
  const turn = (event) => {
    const by = { PageUp: back, PageDown: next }[event.key];
    const box = el.closest(".kernelsim-turn");
    if (!by || !box?.contains(event.target) || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    by.focus();
    by.click();
  };
  window.addEventListener("keydown", turn, true);

  const stops = [
    watch(model, ["topics"], () => {
      topic.replaceChildren(h("option", { value: "" }, "all of these in turn"), ...model.get("topics").map((name) => h("option", { value: name }, name)));
      about.hidden = model.get("topics").length < 2;
      grade.hidden = !model.get("topics").length;
      topic.value = model.get("topic");
    }),
    watch(model, ["topic", "level", "number", "score", "trouble"], () => {
      topic.value = model.get("topic");
      level.value = model.get("level");
      enable(back, model.get("number") > 1);
      setText(score, model.get("score"));
      setText(trouble, model.get("trouble"));
    }),
  ];
  return () => { window.removeEventListener("keydown", turn, true); stops.forEach((stop) => stop()); };
}
