/* A film, stepped through in the page: all frames are there, no kernel is asked.

   `film(data, el)` fills `el`; it knows no model, so that a static page can use it too.  The data are
   those of `kernelsim.view.film`: a pool of texts, and for each frame what differs from the one
   before. What it cannot read, it throws back. */

import { button, enable, h, setText, watch } from "./base.js";
import { viewer } from "./viewer.js";

const FILM_VERSION = 1, ONE_LINE = 84; // characters that a slide has room for in a line
const PACES = [["4", "4 s"], ["2", "2 s"], ["1", "1 s"], ["0.5", "½ s"], ["0.25", "¼ s"]], PACE = "2";

// The list with edits made to it: where, how many go, how many come, and these; the last ones first.
export function edited(list, edits) {
  const steps = [], found = list.slice();
  for (let at = 0; at < edits.length; at += 3 + edits[at + 2]) {
    const [where, gone, come] = edits.slice(at, at + 3), fresh = edits.slice(at + 3, at + 3 + come);
    const whole = [where, gone, come].every((n) => Number.isInteger(n) && n >= 0);
    if (!whole || where + gone > list.length || fresh.length !== come) throw new Error("its frames are broken");
    steps.push([where, gone, ...fresh]);
  }
  for (const step of steps.reverse()) found.splice(...step);
  return found;
}

// The frames of a film, each with all that it shows.
export function unrolled(data) {
  if (data?.kernelsim !== "player" || data.version !== FILM_VERSION) throw new Error("it is not a film of this version");
  const { pool, elements, sheet, frames } = data, end = String(sheet).lastIndexOf("</svg>");
  if (![pool, elements, frames].every(Array.isArray) || end < 0) throw new Error("it is no film");
  const text = (number) => {
    if (typeof pool[number] !== "string") throw new Error("its texts are broken");
    return pool[number];
  };
  const drawn = elements.map((lines) => lines.map(text).join("\n"));
  const element = (number) => {
    if (drawn[number] === undefined) throw new Error("its drawings are broken");
    return drawn[number];
  };
  let parts = [], lines = [];
  return frames.map(([shown, said, sentence, call]) => {
    const [own, words] = [parts = edited(parts, shown), lines = edited(lines, said)];
    own.forEach(element);
    words.forEach(text);
    return {
      svg: () => `${sheet.slice(0, end)}${own.map(element).join("\n")}\n</svg>`,
      words: () => words.map(text).join("\n"),
      summary: text(words[0]), sentence: text(sentence), call: text(call),
    };
  });
}

export function film(data, el, { place = 0, moved } = {}) {
  const frames = unrolled(data), last = frames.length - 1;
  let now = -1, timer = 0, wanted = 0; // the frame shown; while it plays; a frame asked for
  if (last < 0) {
    el.append(h("p", { class: "ksw-dim" }, `${data.title}: there is nothing to play.`));
    return { go() {}, stop() {} };
  }
  const first = button("|◀ reset", reset, { title: "to the beginning (Home)", "aria-label": "reset: to the beginning" });
  const back = button("◀ back", () => go(now - 1), { title: "one step back (←)" });
  const run = button("▶ play", () => (timer ? pause() : start()), { class: "ksw-fire ksw-run", title: "play or pause (space on the slider)" });
  const forward = button("forward ▶", () => go(now + 1), { title: "one step on (→)" });
  const final = button("▶|", () => go(last), { title: "to the end (End)", "aria-label": "to the end" });
  const slider = h("input", { type: "range", min: 0, max: last, "aria-label": "Step", input: () => soon(Number(slider.value)) });
  const number = h("input", { type: "number", min: 0, max: last, "aria-label": "Go to step", change: () => {
    if (number.value !== "") go(Math.round(Number(number.value)));
    number.value = now;
  } });
  const long = frames.some((frame) => frame.sentence.length > ONE_LINE);
  const sentence = h("div", { class: `ksw-told${long ? " ksw-long" : ""}`, role: "status", "aria-live": "polite" });
  const pace = h("select", { "aria-label": "Time for a step", change: () => { if (timer) start(); } },
    ...PACES.map(([seconds, label]) => h("option", { value: seconds, selected: seconds === PACE }, label)));
  const jump = h("select", { "aria-label": "Jump to a system call", change: () => {
    if (jump.value !== "") go(Number(jump.value));
    jump.value = "";
  } }, h("option", { value: "" }, "a system call …"));
  frames.forEach((frame, i) => { if (frame.call) jump.append(h("option", { value: i }, frame.call)); });
  const controls = h("div", { class: "ksw-controls", keydown: onKey, hidden: last === 0 },
    h("div", { class: "ksw-row" }, h("span", { class: "ksw-chips" }, first, back, run, forward, final), slider,
      h("label", { class: "ksw-dim" }, "step ", number, ` of ${last}`)),
    h("div", { class: "ksw-row ksw-small" }, h("label", {}, "a step every ", pace),
      jump.length > 1 ? h("label", {}, "Jump to ", jump) : null));
  const stage = h("div", { class: "ksw-screen" });
  el.setAttribute("role", "group");
  el.setAttribute("aria-label", `Player: ${data.title}`);
  el.append(controls, sentence, stage);
  const seen = viewer(stage);

  function draw(to) {
    if (to === now) return;
    now = to;
    const frame = frames[now], running = Boolean(timer);
    seen.show(frame.svg(), frame.words(), frame.summary);
    slider.value = now;
    slider.setAttribute("aria-valuetext", `step ${now} of ${last}`);
    number.value = now;
    for (const one of [first, back]) enable(one, now > 0);
    for (const one of [forward, final]) enable(one, now < last);
    sentence.setAttribute("aria-live", running ? "off" : "polite"); // a running film is not read out
    setText(sentence, frame.sentence || "…");
    moved?.(now);
  }
  const within = (to) => Math.min(Math.max(to, 0), last);
  // What the reader does by hand stops the film.
  function go(to) {
    pause();
    wanted = 0;
    draw(within(to));
  }
  function reset() {
    go(0);
    stage.querySelector(".ksw-stage").scrollTo({ left: 0, top: 0, behavior: "instant" });
  }
  // A slider that is dragged asks for many frames: one for each picture of the screen is enough.
  function soon(to) {
    pause();
    if (!wanted) requestAnimationFrame(() => { if (wanted) { draw(within(wanted - 1)); wanted = 0; } });
    wanted = to + 1;
  }
  function start() {
    clearTimeout(timer);
    if (now === last) draw(0);
    timer = setTimeout(step, Number(pace.value) * 1000);
    setText(run, "❚❚ pause");
  }
  function step() {
    if (!el.isConnected) return pause();
    draw(within(now + 1));
    return now < last ? start() : pause();
  }
  function pause() {
    clearTimeout(timer);
    timer = 0;
    sentence.setAttribute("aria-live", "polite");
    setText(run, "▶ play");
  }
  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select, [type=number]")) return;
    const act = { ArrowLeft: () => go(now - 1), ArrowRight: () => go(now + 1), Home: reset, End: () => go(last) }[event.key] ??
      (event.key === " " && event.target === slider ? () => run.click() : null);
    if (!act) return;
    act();
    event.preventDefault();
  }
  draw(within(place));
  if (!stage.querySelector("svg")) { seen.stop(); throw new Error("its pictures are broken"); }
  return { go: (to) => { if (within(to) !== now) go(to); }, stop: () => { pause(); seen.stop(); } };
}

export function player(model, el) {
  let shown = null;
  const places = () => shown?.go(model.get("place"));
  // Where the reader is stays in the page: another view of this player goes there too, Python is not asked.
  const moved = (place) => model.set("place", place);
  const stops = [watch(model, ["data"], () => {
    shown?.stop();
    el.replaceChildren();
    try {
      shown = film(model.get("data"), el, { place: model.get("place"), moved });
    } catch (error) {
      shown = null;
      el.replaceChildren(h("p", {}, `This film cannot be shown: ${error.message}.`));
    }
  }), watch(model, ["place"], places)];
  return () => { stops.forEach((stop) => stop()); shown?.stop(); };
}
