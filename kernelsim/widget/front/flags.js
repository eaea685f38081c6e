/* A word of flags as checkboxes, each with what it does; and one of several values beside them. */

import { button, fresh, h, setText } from "./base.js";

const FLAG_BITS = 32, OPEN_GROUPS = 2;

// `{ el, text }`: the fields, and a function that gives what they say, as C writes it.
export function flagsField(parameter, start, keep) {
  const chosen = new Set(start.split("|"));
  const grouped = parameter.flags.some((flag) => flag.group);
  const rows = parameter.flags.map((flag) => flagRow(flag, grouped, chosen, changed));
  const other = !parameter.choices.length ? null : h("select", { change: changed, "aria-label": "exit signal" },
    ...parameter.choices.map(([name]) => h("option", { selected: chosen.has(name) }, name)));
  const word = h("code", {}), groups = new Map();
  for (const one of rows) {
    if (!groups.has(one.flag.group)) groups.set(one.flag.group, []);
    groups.get(one.flag.group).push(one.el);
  }
  const counts = new Map(), told = (set) => (set ? `${set} set` : "");
  // The first groups are open; the others say how many of their flags are set.
  function group([title, members], i) {
    const count = h("span", { class: "ksw-dim" });
    counts.set(title, count);
    return h("details", { open: i < OPEN_GROUPS || members.some((member) => member.querySelector("input").checked) },
      h("summary", {}, h("strong", {}, title), " ", count), ...members);
  }
  const text = () => {
    const names = rows.filter((one) => one.box.checked).map((one) => one.flag.name);
    return [...names, ...(other ? [other.value] : [])].join("|") || "0";
  };
  function changed() {
    let value = Object.fromEntries(parameter.choices)[other?.value] ?? 0;
    for (const one of rows) { one.show(); if (one.box.checked) value += one.flag.value; }
    for (const [title, count] of counts) setText(count, told(rows.filter((one) => one.flag.group === title && one.box.checked).length));
    setText(word, `${parameter.name} = 0x${value.toString(16).padStart(FLAG_BITS / 4, "0")}`);
    keep(text());
  }
  function set(names) {
    const wanted = new Set(names.split("|"));
    for (const one of rows) one.box.checked = wanted.has(one.flag.name);
    if (other) for (const option of other.options) if (wanted.has(option.value)) other.value = option.value;
    changed();
  }
  const presets = Object.entries(parameter.presets).map(([label, names]) => button(label, () => set(names)));
  const el = h("div", { class: grouped ? "ksw-flags" : "ksw-bits", role: "group", "aria-label": parameter.name },
    !presets.length ? null : h("div", { class: "ksw-presets" }, h("span", { class: "ksw-dim" }, "Set all "), ...presets),
    ...(grouped ? [h("div", { class: "ksw-groups" }, ...[...groups].map(group))] : [h("span", {}, `${parameter.name} `, ...groups.get(""))]),
    !grouped ? null : h("div", { class: "ksw-presets" }, other && h("label", {}, "exit signal, sent to the parent when it ends ", other), word));
  changed();
  return { el, text };
}

// A flag: the box, its name, and what it means as the box stands.
function flagRow(flag, grouped, chosen, changed) {
  const id = fresh("flag"), box = h("input", { type: "checkbox", "aria-describedby": grouped && id, checked: chosen.has(flag.name), change: changed });
  const words = h("span", { id, class: "ksw-means" }), note = !flag.note ? null : h("span", { class: "ksw-note" }, flag.note);
  const show = () => {
    setText(words, box.checked ? flag.on : flag.off);
    words.classList.toggle("ksw-dim", !box.checked);
  };
  const el = grouped
    ? h("div", { class: "ksw-flag" }, h("label", {}, box, h("code", {}, flag.name)), note, words)
    : h("label", { title: flag.on }, box, h("code", {}, flag.name));
  show();
  return { flag, box, el, show };
}
