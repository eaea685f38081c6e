/* A heading with a sentence and buttons; an explorer's first one tells Python whether it is seen. */

import { button, h, setText, watch } from "./base.js";

export function head(model, el) {
  const title = h("strong", {}), text = h("span", {});
  const said = h("div", { class: "ksw-head-said", role: model.get("look") === "alarm" ? "alert" : "status" });
  const actions = h("span", { class: "ksw-actions" });
  const box = h("div", { class: "ksw-head-box" }, said, actions);
  el.append(box);
  function draw() {
    const now = model.get("actions"), held = actions.contains(document.activeElement);
    const there = Boolean(model.get("title") || model.get("text") || now.length);
    el.classList.toggle("ksw-nothing", !there);
    el.classList.toggle("ksw-alarm", model.get("look") === "alarm");
    setText(title, model.get("title"));
    setText(text, model.get("text"));
    if (there && !title.parentNode) said.append(title, " ", text);
    else if (!there) said.replaceChildren();
    if (JSON.stringify(now) === actions.dataset.now) return;
    actions.dataset.now = JSON.stringify(now);
    actions.replaceChildren(...now.map(([name, label]) => button(label, () => model.send({ do: name }))));
    if (held) actions.firstChild?.focus();
  }
  const stop = watch(model, ["title", "text", "actions"], draw);
  model.send({ do: "shown" });
  return () => { stop(); model.send({ do: "hidden" }); };
}
