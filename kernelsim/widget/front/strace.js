/* Rows of strace: whose each is, what is still to come at the moment shown, filter, jump. */

import { button, h, set, setText, watch } from "./base.js";
import { badge, bring, seen } from "./pane.js";

const WAIT_MS = 200; // after the last letter typed

export function strace(model, el) {
  const who = h("select", { change: () => set(model, "who", who.value) });
  let timer = 0;
  const call = h("input", { type: "search", size: 12, placeholder: "fork", autocomplete: "off", spellcheck: "false", input: () => {
    clearTimeout(timer);
    timer = setTimeout(() => set(model, "call", call.value), WAIT_MS);
  } });
  const earlier = button("earlier rows", () => model.send({ do: "earlier" }));
  const later = button("later rows", () => model.send({ do: "later" }));
  const heading = h("div", { class: "ksw-under", role: "status", "aria-live": "polite" });
  const list = h("div", { class: "ksw-box ksw-rows", role: "listbox", "aria-label": "System calls, signals and deaths", keydown: keys });
  el.append(h("div", { class: "ksw-row" }, h("label", { class: "ksw-pick" }, "Task ", who), h("label", { class: "ksw-pick" }, "With ", call), earlier, later), list, heading);

  let shown = [], at = null; // the row that Tab comes to, by its time
  const row = (t) => list.querySelector(`[data-t="${t}"]`);
  const jump = (t) => { if (model.get("can_jump")) model.send({ do: "jump", t }); };
  function go(t, focus = true) {
    if (t == null) return;
    if (at != null && row(at)) row(at).tabIndex = -1;
    at = t;
    row(at).tabIndex = 0;
    if (focus) row(at).focus({ preventScroll: true });
    bring(list, row(at).offsetTop, row(at).offsetTop + row(at).offsetHeight);
  }
  function keys(event) {
    const place = shown.findIndex(([t]) => t === at);
    const to = { ArrowDown: place + 1, ArrowUp: place - 1, PageDown: place + 10, PageUp: place - 10, Home: 0, End: shown.length - 1 }[event.key];
    if (to !== undefined && shown.length) go(shown[Math.min(Math.max(to, 0), shown.length - 1)][0]);
    else if (event.key === "Enter" || event.key === " ") jump(at);
    else return;
    event.preventDefault();
  }
  function drawRows() {
    const had = list.contains(document.activeElement);
    shown = model.get("rows");
    list.replaceChildren(...shown.map(([t, , pid, letter, colour, words, text]) => h("div", { class: "ksw-call", role: "option", tabindex: "-1", "data-t": t,
      "aria-label": `${words}: ${text}`, click: () => { go(t); jump(t); }, focus: () => go(t, false) },
      badge([letter, colour, words]), h("span", { class: "ksw-pid" }, String(pid)), h("code", {}, h("span"), h("span", { class: "ksw-later" })))));
    list.setAttribute("role", shown.length ? "listbox" : "group");
    if (!shown.length) list.append(h("div", { class: "ksw-dim ksw-none" }, "No rows."));
    if (!shown.some(([t]) => t === at)) at = null;
    drawMoment();
    if (had && at != null) row(at).focus({ preventScroll: true });
  }
  // What is on the screen at the moment shown, and what only comes later.
  function drawMoment() {
    const until = model.get("until"), can = model.get("can_jump");
    let last = null;
    for (const [t, end, , , , , text, known] of shown) {
      const cut = t >= until ? 0 : end >= until ? known : text.length;
      const [now, to_come] = row(t).lastChild.children;
      setText(now, text.slice(0, cut));
      setText(to_come, text.slice(cut));
      row(t).classList.toggle("ksw-future", t >= until);
      row(t).classList.toggle("ksw-jump", can);
      row(t).setAttribute("aria-selected", "false");
      if (t < until) last = t;
    }
    const here = last ?? shown[0]?.[0];
    if (last != null) row(last).setAttribute("aria-selected", "true");
    if (here != null && !list.contains(document.activeElement)) go(here, false);
  }
  function drawFilter() {
    const choices = [["", "all tasks"], ...model.get("tasks").map(([pid, letter, , words]) => [pid, `${letter}  ${words}`])];
    who.replaceChildren(...choices.map(([value, label]) => h("option", { value }, label)));
    who.value = model.get("who");
    if (document.activeElement !== call) call.value = model.get("call");
    const first = model.get("first");
    earlier.hidden = first === 0;
    later.hidden = first + model.get("rows").length >= model.get("total");
    setText(heading, model.get("heading"));
  }
  const stops = [watch(model, ["rows"], drawRows), watch(model, ["until", "can_jump"], drawMoment),
    watch(model, ["tasks", "who", "call", "first", "total", "rows", "heading"], drawFilter)];
  seen(model);
  return () => { clearTimeout(timer); stops.forEach((stop) => stop()); };
}
