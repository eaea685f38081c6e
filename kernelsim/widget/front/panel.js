/* System calls: a task, a call, its arguments, and what came of it. */

import { asForm, button, enable, fresh, h, set, setText, watch } from "./base.js";
import { flagsField } from "./flags.js";

const MOST_CALLS = 8, FEW_CALLS = 7; // more than so many, and the others wait behind a button
const SIGNS = { result: "→", errno: "!", pending: "…", gone: "✝", oops: "✖", panic: "✖", refused: "?" };
const SOON = 300; // ms after which a call that has no answer yet is said to be under way

export function panel(model, el) {
  let open = null, all = false, busy = 0; // the call whose form is shown; whether the rarer calls are
  let read = []; // how each argument's text is got out of the form
  const typed = {}; // what the reader has typed, by call
  const pidList = fresh("pids"), programList = fresh("programs");
  const task = h("select", { "aria-label": "Task that makes the call", change: () => set(model, "task", task.value) });
  const chips = h("span", { class: "ksw-chips", role: "group", "aria-label": "System call" });
  const pids = h("datalist", { id: pidList }), programs = h("datalist", { id: programList });
  const form = asForm({ class: "ksw-form", hidden: true,
    keydown: (event) => { if (event.key === "Escape") { const name = open.name; toggle(null); chip(name)?.focus(); } } }, () => fire(open));
  const hint = h("span", { class: "ksw-dim" });
  const rest = button("more", () => { all = !all; drawCalls(); }, { class: "ksw-more" });
  const answers = h("ol", { class: "ksw-answers" });
  const log = h("div", { role: "log", "aria-live": "polite", "aria-label": "What came of the calls" }, answers);
  const lock = h("div", { class: "ksw-lock", role: "status" });
  el.append(h("div", { class: "ksw-row" }, h("label", { class: "ksw-task" }, "Task ", task), chips, rest), pids, programs,
    h("div", { class: "ksw-ask" }, hint, form), h("div", { class: "ksw-said" }, log, lock));

  const chip = (name) => chips.querySelector(`[data-call="${name}"]`);
  function fire(call) {
    if (model.get("locked")) return;
    model.send({ do: "fire", call: call.name, texts: call === open ? read.map((text) => text()) : [] });
    busy ||= setTimeout(() => { el.setAttribute("aria-busy", "true"); setText(hint, `The kernel is at work: ${call.name} …`); hint.hidden = false; }, SOON);
  }
  function answered() {
    clearTimeout(busy);
    busy = 0;
    el.removeAttribute("aria-busy");
    hint.hidden = Boolean(open);
    tell();
  }
  function toggle(call) {
    open = call === open ? null : call;
    form.hidden = !open;
    hint.hidden = Boolean(open);
    for (const one of chips.children) if (one.hasAttribute("aria-expanded")) one.setAttribute("aria-expanded", String(one.dataset.call === open?.name));
    if (!open) return;
    read = [];
    const wide = open.parameters.some((parameter) => parameter.presets && Object.keys(parameter.presets).length);
    const fields = open.parameters.flatMap(field);
    const go = h("button", { type: "submit", class: "ksw-fire" }, `fire ${open.name}`), words = h("span", { class: "ksw-dim" }, open.words);
    form.classList.toggle("ksw-wide", wide);
    form.replaceChildren(...(wide ? [words, ...fields, go] : [h("code", {}, `${open.name}(`), ...fields, h("code", {}, ")"), go, words]));
    lockIt();
    const first = form.querySelector("input, select");
    first.focus();
    first.select?.();
  }
  function field(parameter, i) {
    const known = (typed[open.name] ??= open.parameters.map((p) => p.default));
    if (parameter.flags.length) {
      const part = flagsField(parameter, known[i], (text) => { known[i] = text; });
      read.push(part.text);
      return [i ? ", " : "", part.el];
    }
    const keep = (event) => { known[i] = event.target.value; };
    const attributes = { "aria-label": parameter.name, input: keep, autocomplete: "off", spellcheck: "false" };
    const list = { pid: pidList, text: programList }[parameter.kind];
    const input = parameter.choices.length
      ? h("select", attributes, ...parameter.choices.map(([choice]) => h("option", { selected: choice === known[i] }, choice)))
      : h("input", { ...attributes, value: known[i], size: parameter.kind === "int" || parameter.kind === "pid" ? 6 : 14, list });
    read.push(() => input.value);
    return [i ? ", " : "", h("label", {}, h("span", { class: "ksw-dim" }, `${parameter.name} `), input)];
  }
  function drawCalls() {
    toggle(null);
    const calls = model.get("calls"), few = calls.length > MOST_CALLS && !all;
    rest.hidden = calls.length <= MOST_CALLS;
    setText(rest, few ? `more (${calls.length - FEW_CALLS})` : "fewer");
    rest.setAttribute("aria-expanded", String(!few));
    chips.replaceChildren(...calls.slice(0, few ? FEW_CALLS : undefined).map((call) => button(call.name + (call.parameters.length ? "…" : ""),
      () => (call.parameters.length ? toggle(call) : (toggle(null), fire(call))),
      { "data-call": call.name, title: call.words, "aria-expanded": call.parameters.length > 0 && "false" })));
    lockIt();
  }
  function tell() {
    const chosen = model.get("tasks").find(([address]) => address === model.get("task"));
    setText(hint, model.get("doing") || `Choose the call that ${chosen?.[1].split(",")[0] ?? "a task"} makes. One with “…” asks for its arguments first.`);
  }
  function drawTasks() {
    const now = model.get("tasks");
    tell();
    task.replaceChildren(...now.map(([address, label]) => h("option", { value: address }, label)));
    task.value = model.get("task");
    pids.replaceChildren(...now.map(([, label]) => h("option", { value: label.match(/\d+/)?.[0] ?? "" }, label)));
    programs.replaceChildren(...model.get("programs").map((name) => h("option", { value: name })));
  }
  function drawAnswers() {
    answered();
    answers.replaceChildren(...model.get("answers").map(([kind, head, tail]) => h("li", { class: `ksw-${kind}` },
      h("span", { class: "ksw-sign", "aria-hidden": "true" }, SIGNS[kind] ?? ""), h("code", {}, head), " ", h("span", {}, tail))));
  }
  function lockIt() {
    const why = model.get("locked");
    el.classList.toggle("ksw-locked", Boolean(why));
    for (const one of [...chips.children, ...form.querySelectorAll(".ksw-fire")]) enable(one, !why);
    if (why && !lock.firstChild) {
      lock.append(h("span", {}, why), button("back to now", () => model.send({ do: "now" })), button("branch here", () => model.send({ do: "branch" })));
    } else if (!why) lock.replaceChildren();
  }
  const stops = [watch(model, ["calls"], drawCalls), watch(model, ["tasks", "task", "doing", "programs"], drawTasks),
    watch(model, ["answers", "fired"], drawAnswers), watch(model, ["locked"], lockIt)];
  return () => { clearTimeout(busy); stops.forEach((stop) => stop()); };
}
