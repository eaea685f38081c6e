/* A question that is answered by putting steps in order; what does not belong is left out. */

import { button, calm, enable, fresh, h, prose, setText } from "./base.js";
import { predicting } from "./predict.js";

const OUT = -1; // in `line`: what stands behind it is left out
const MARKS = { kept: ["✓", "in order"], early: ["↓", "too early"], late: ["↑", "too late"], stray: ["✗", "does not belong"], missing: ["✗", "missing"] };

export function asksOrder(model, el) {
  return predicting(model, el, inOrder);
}

function inOrder({ steps }, given, changed) {
  let line = given ? [...given, OUT, ...[...steps.keys()].filter((i) => !given.includes(i))] : [...steps.keys(), OUT];
  let at = line[0], touched = Boolean(given), held = null, shut = false; // held: the order before a step was picked up
  const plain = (i) => steps[i].replaceAll("`", "");
  const place = () => line.indexOf(OUT);
  const isOut = (i) => line.indexOf(i) > place();
  const items = steps.map((text, i) => h("li", { role: "option", "data-step": i, pointerdown: grab, focus: () => choose(i) },
    h("span", { class: "ksw-grip", "aria-hidden": "true" }, "⠿"), h("span", { class: "ksw-step" }, ...prose(text))));
  const help = fresh("help");
  const list = (label, more) => h("ul", { role: "listbox", "aria-label": label, "aria-describedby": help, class: more });
  const chosen = list("Your order, from first to last", "ksw-in"), rest = list("Left out", "ksw-out");
  const nothing = h("p", { class: "ksw-dim" }, "nothing");
  const moved = h("span", { role: "status", class: "ksw-dim" });
  const up = button("▲ up", () => move(at, -1)), down = button("▼ down", () => move(at, 1)), leave = button("leave out", toggle);
  const sorting = h("div", { class: "ksw-sorting", keydown: onKey }, h("p", { class: "ksw-dim ksw-head" }, "Your order, from first to last"), chosen,
    h("p", { class: "ksw-dim ksw-head" }, "Left out, for it does not belong"), rest, nothing);
  const tools = h("div", { class: "ksw-row" }, up, down, leave, moved);
  const words = h("p", { id: help, class: "ksw-small" }, "Drag a step, or choose it and press Space, move it with the arrow keys and press Space again. Delete leaves it out, or puts it back.");
  render();

  function choose(i) {
    at = i;
    for (const [step, item] of items.entries()) {
      item.setAttribute("tabindex", step === at ? "0" : "-1");
      item.setAttribute("aria-selected", String(step === at));
    }
    const here = line.indexOf(at);
    enable(up, here > 0 && !shut);
    enable(down, here < line.length - 1 && !shut);
    setText(leave, isOut(at) ? "put back" : "leave out");
  }
  // Put the items where `line` says; each slides from its old place to its new one.
  function render(focus = false) {
    const before = items.map((item) => item.offsetTop), end = line.indexOf(OUT);
    const order = (parent, numbers) => numbers.forEach((n, i) => { if (parent.children[i] !== items[n]) parent.insertBefore(items[n], parent.children[i] ?? null); });
    order(chosen, line.slice(0, end));
    order(rest, line.slice(end + 1));
    nothing.hidden = end < line.length - 1;
    rest.hidden = !nothing.hidden;
    if (focus) items[at].focus({ preventScroll: !held });
    choose(at);
    if (calm() || !sorting.isConnected) return;
    items.forEach((item, i) => {
      const from = before[i] - item.offsetTop;
      if (from && !item.classList.contains("ksw-carried")) item.animate([{ transform: `translateY(${from}px)` }, { transform: "none" }], { duration: 140, easing: "ease-out" });
    });
  }
  function where(i) {
    const end = line.indexOf(OUT);
    return isOut(i) ? `“${plain(i)}” is left out.` : `“${plain(i)}” is step ${line.indexOf(i) + 1} of ${end}.`;
  }
  function put(i, to, focus = true) {
    const next = line.filter((n) => n !== i);
    next.splice(to, 0, i);
    if (shut || next.every((n, k) => n === line[k])) return;
    line = next;
    at = i;
    touched = true;
    render(focus);
    setText(moved, where(i));
    changed();
  }
  function move(i, by) { put(i, Math.min(Math.max(line.indexOf(i) + by, 0), line.length - 1), sorting.contains(document.activeElement)); }
  function toggle() { put(at, isOut(at) ? place() : line.length - 1, sorting.contains(document.activeElement)); }
  function hold(on) {
    held = on ? [...line] : null;
    items.forEach((item, i) => item.classList.toggle("ksw-held", on && i === at));
    setText(moved, on ? `“${plain(at)}” is picked up: move it with the arrow keys, Space puts it down, Escape takes it back.` : where(at));
  }
  function visit(by) {
    const numbers = line.filter((n) => n !== OUT), next = numbers[numbers.indexOf(at) + by];
    if (next !== undefined) items[next].focus();
  }
  function onKey(event) {
    if (shut || event.ctrlKey || event.metaKey || !event.target.matches("li")) return;
    const go = (by) => (held || event.altKey ? move(at, by) : visit(by));
    const keys = { ArrowUp: () => go(-1), ArrowDown: () => go(1), " ": () => hold(!held), Enter: () => hold(!held), Delete: toggle, Backspace: toggle,
      Home: () => visit(-line.indexOf(at)), End: () => items[line.findLast((n) => n !== OUT)].focus(),
      Escape: () => { if (held) { line = held; render(true); hold(false); changed(); } } };
    if (!keys[event.key]) return;
    keys[event.key]();
    event.preventDefault();
  }
  // Carry a step with the pointer: it takes its place among the others while it is carried.
  function grab(event) {
    const item = event.currentTarget, i = Number(item.dataset.step);
    if (shut || event.button || !event.isPrimary) return;
    if (held) hold(false);
    const start = event.clientY;
    let carried = false;
    const go = (now) => {
      if (!carried && Math.abs(now.clientY - start) < 5) return;
      if (!carried) { carried = true; item.classList.add("ksw-carried"); }
      const y = now.clientY - sorting.getBoundingClientRect().top;
      const middle = (element) => element.offsetTop + element.offsetHeight / 2;
      const others = line.filter((n) => n !== i);
      const after = others.filter((n) => middle(n === OUT ? chosen.nextElementSibling : items[n]) < y);
      put(i, after.length, true);
    };
    const end = () => {
      for (const [name, act] of [["pointermove", go], ["pointerup", end], ["pointercancel", end]]) window.removeEventListener(name, act);
      item.classList.remove("ksw-carried");
    };
    for (const [name, act] of [["pointermove", go], ["pointerup", end], ["pointercancel", end]]) window.addEventListener(name, act);
  }
  return {
    parts: [sorting, tools, words],
    answer: () => (touched && place() > 0 ? line.slice(0, place()) : null),
    focus: () => items[at].focus(),
    reveal(found) {
      line = [...found.answer, OUT, ...[...steps.keys()].filter((i) => !found.answer.includes(i))];
      held = null;
      shut = true;
      render();
      for (const one of [chosen, rest]) one.removeAttribute("aria-describedby");
      tools.remove();
      words.remove();
      for (const [i, mark] of found.notes) {
        const [sign, word] = MARKS[mark];
        items[i].classList.add(`ksw-${mark}`);
        items[i].append(h("span", { class: "ksw-tagged" }, `${sign} ${word}`));
      }
    },
  };
}
