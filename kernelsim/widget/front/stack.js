/* The kernel stack of a task: frames, innermost on top, and the text of /proc/PID/stack. */

import { h, setText, watch } from "./base.js";
import { seen } from "./pane.js";

const FRAME_TAGS = { scheduler: "scheduler, not in /proc", wchan: "wchan: it sleeps here" };

export function stack(model, el) {
  const task = h("select", { "aria-label": "Task whose stack is shown", change: () => model.send({ do: "choose", task: task.value }) });
  const heading = h("div", { class: "ksw-heading", role: "status", "aria-live": "polite" });
  const note = h("div", { class: "ksw-under" });
  const frames = h("ol", { class: "ksw-frames", "aria-label": "Frames, the innermost first" });
  const text = h("pre", { class: "ksw-box", tabindex: "0", "aria-label": "/proc/PID/stack" });
  const proc = h("div", { class: "ksw-proc" }, h("div", { class: "ksw-dim" }, "/proc/PID/stack"), text);
  const body = h("div", { class: "ksw-stacked" }, frames, proc);
  el.append(h("div", { class: "ksw-row" }, h("label", { class: "ksw-task ksw-pick" }, "Task ", task)), heading, note, body);

  function draw() {
    task.replaceChildren(...model.get("tasks").map(([address, label]) => h("option", { value: address }, label)));
    task.value = model.get("chosen");
    setText(heading, model.get("heading"));
    setText(note, model.get("note"));
    note.hidden = !model.get("note");
    body.hidden = !model.get("frames").length;
    frames.replaceChildren(...model.get("frames").map(([name, place, link, kind]) => h("li", { class: `ksw-frame ksw-${kind || "plain"}` },
      link ? h("a", { href: link, target: "_blank", rel: "noopener noreferrer", title: place }, name) : h("span", {}, name),
      h("span", { class: "ksw-dim" }, place), h("span", { class: "ksw-tag" }, FRAME_TAGS[kind] ?? ""))));
    setText(text, model.get("text"));
  }
  seen(model);
  return watch(model, ["tasks", "chosen", "frames", "note", "text", "heading"], draw);
}
