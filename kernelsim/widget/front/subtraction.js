/* container_of, as a subtraction over the bytes: from the member back to the beginning, step by step. */

import { button, calm, enable, h, setText } from "./base.js";
import { vector } from "./byteorder.js";
import { bytesOf, dumpLine } from "./hexdump.js";

const CUT_PX = 22, PAUSE_MS = 1100, LAST_STEP = 3;

// `ask(type, member)` computes, `go()` goes to the result.
export function subtraction({ ask, go }) {
  let known = {}, now, step = 0, timer = 0;
  const type = h("select", { "aria-label": "Structure", change: () => { fill(); begin(); } });
  const member = h("select", { "aria-label": "Member", change: begin });
  const back = button("◀", () => to(step - 1), { "aria-label": "one step back" });
  const on = button("▶", () => to(step + 1), { "aria-label": "one step on" });
  const visit = button("go there", () => go());
  const sums = h("pre", { class: "ksi-sums" }), said = h("div", { class: "ksi-told", role: "status", "aria-live": "polite" });
  const bytes = h("div", { class: "ksi-cut", role: "img" }), found = h("div", { class: "ksi-found" });
  const element = h("section", { class: "ksi-contain", "aria-label": "container_of" },
    h("div", { class: "ksw-row" }, h("code", {}, "container_of(link, struct "), type, h("code", {}, ", "), member, h("code", {}, ")"),
      button("subtract", begin, { class: "ksw-fire" }), h("span", { class: "ksw-chips" }, back, on), visit),
    h("div", { class: "ksi-work" }, h("div", {}, sums, said, found), bytes));

  function fill(chosen) {
    member.replaceChildren(...(known[type.value] ?? []).map((path) => h("option", {}, path)));
    if (chosen) member.value = chosen;
  }
  function begin() { element.dataset.begun = ""; ask(type.value, member.value); }
  function offer(contain, key) {
    element.hidden = !contain.types;
    if (!contain.types || element.dataset.key === key) return;
    element.dataset.key = key;
    delete element.dataset.begun;
    known = contain.types;
    type.replaceChildren(...Object.keys(known).map((name) => h("option", {}, name)));
    type.value = contain.type;
    fill(contain.member);
  }
  function to(wanted) {
    clearTimeout(timer);
    step = Math.max(0, Math.min(wanted, LAST_STEP));
    const digits = (text, sign, words) => `${sign} ${text.padStart(18)}  ${words}`;
    setText(sums, [digits(now.link, " ", "link"), step > 0 && digits(`0x${now.offset.toString(16)}`, "−", `offset of ${now.member}`),
      step > 1 && digits(now.result, "=", `struct ${now.type} *`)].filter(Boolean).join("\n"));
    setText(said, now.says[step]);
    said.className = `ksi-told${step === LAST_STEP ? { true: " ksi-right", false: " ksi-wrong" }[now.right] ?? "" : ""}`;
    found.replaceChildren(...(step === LAST_STEP ? now.found : []).map(([name, value, words]) =>
      h("div", {}, h("code", {}, `${name} = ${value}`), words && ` ${words}`)));
    bytes.className = `ksi-cut ksi-step${step}`;
    enable(back, step > 0);
    enable(on, step < LAST_STEP);
    visit.hidden = step < LAST_STEP;
  }
  // The lines, a gap where lines are left out, and the bracket from the member to the beginning.
  function lay() {
    const lines = [], places = new Map();
    let last = -8;
    for (const [offset, hex] of now.lines) {
      if (offset > last + 8) lines.push(`        ⋮ ${offset - last - 8} bytes`);
      places.set(offset, lines.length);
      lines.push(dumpLine(`+${offset.toString(16).padStart(3, "0")}`, bytesOf(hex)) + (hex ? "" : "nothing is mapped here"));
      last = offset;
    }
    const line = places.get(now.offset - now.offset % 8);
    const from = (line + 0.5) * CUT_PX, mark = (name, at, height) => h("i", { class: name, style: `top:${at * CUT_PX}px;height:${height * CUT_PX}px` });
    const svg = vector("svg", { width: 44, height: lines.length * CUT_PX });
    const path = vector("path", { d: `M42 ${from}H14V${CUT_PX / 2}H34` });
    const tip = vector("path", { class: "ksi-tip", d: `M42 ${CUT_PX / 2}l-10 -5v10z` });
    svg.append(path, tip);
    bytes.replaceChildren(svg, h("div", {}, mark("ksi-link", line, Math.min(Math.ceil(now.size / 8), lines.length - line)), mark("ksi-start", 0, 1), h("pre", {}, lines.join("\n"))));
    bytes.setAttribute("aria-label", `The bytes from the structure's beginning to its member ${now.member}, ${now.offset} bytes on.`);
    return { path, tip, from };
  }
  function show(result) {
    clearTimeout(timer);
    for (const one of [bytes, visit]) one.hidden = !result.type;
    if (!result.type) {
      sums.textContent = said.textContent = found.textContent = "";
      for (const one of [back, on]) enable(one, false);
      return;
    }
    now = result;
    type.value = now.type;
    fill(now.member);
    const drawing = lay();
    if (calm() || element.dataset.begun === undefined) to(LAST_STEP);
    else play(drawing);
    delete element.dataset.begun;
  }
  function play({ path, tip, from }) {
    const long = from + 60, next = () => {
      to(step + 1);
      if (step === 1) {
        path.animate([{ strokeDasharray: `0 ${long}` }, { strokeDasharray: `${long} ${long}` }], PAUSE_MS * 0.9);
        tip.animate([{ opacity: 0 }, { opacity: 0, offset: 0.9 }, { opacity: 1 }], PAUSE_MS * 0.9);
      }
      if (step < LAST_STEP) timer = setTimeout(next, PAUSE_MS);
    };
    to(0);
    timer = setTimeout(next, PAUSE_MS * 0.7);
  }
  return { element, offer, show, stop: () => clearTimeout(timer) };
}
