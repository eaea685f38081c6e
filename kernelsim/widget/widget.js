/* What the widgets of kernelsim look like and how they are used; everything else is Python's.

   One file for all of them, plain JavaScript, no imports: `kind` says which function below draws a
   model. `show` needs no model, so that a page without a kernel can step through frames with it.
   State that both sides know is a trait (`model.set`); what the reader asks for is a message. */

const SVG = "http://www.w3.org/2000/svg";
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// An element with attributes (a function is a listener, true and false set or leave one out).
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

// Call `draw` now and whenever one of the traits changes, at most once per message from Python.
function watch(model, traits, draw) {
  let wanted = false;
  const later = () => {
    if (wanted) return;
    wanted = true;
    queueMicrotask(() => { wanted = false; draw(); });
  };
  traits.forEach((trait) => model.on(`change:${trait}`, later));
  draw();
  return () => traits.forEach((trait) => model.off(`change:${trait}`, later));
}

const set = (model, name, value) => { model.set(name, value); model.save_changes(); };
const setText = (element, text) => { if (element.textContent !== text) element.textContent = text; };

// A button that stays focusable when it cannot be used, so that the keyboard is never lost.
function button(label, act, attributes = {}) {
  const element = h("button", { type: "button", ...attributes, click: () => {
    if (element.getAttribute("aria-disabled") !== "true") act(element);
  } }, label);
  return element;
}
// A form that Enter in a field sends; inside a notebook the browser's own way of doing so is shut.
function asForm(attributes, send, ...children) {
  return h("form", { ...attributes,
    submit: (event) => { event.preventDefault(); send(); },
    keydown: (event) => {
      if (event.key === "Enter" && event.target.matches("input")) { event.preventDefault(); send(); }
      attributes.keydown?.(event);
    } }, ...children);
}
const enable = (element, can) => element.setAttribute("aria-disabled", String(!can));

/* ── Pictures ─────────────────────────────────────────────────────────────────────────────────── */

const STEP_MS = 320;
const nodesOf = (svg) => [...svg.querySelectorAll(".ks-node")];
const corner = (node) => {
  const face = node.querySelector(".ks-face");
  return ["x", "y", "width", "height"].map((name) => Number(face.getAttribute(name)));
};
const shape = (d) => d.replace(/-?[\d.]+/g, "#");

// Move what both drawings show from its old place to its new one; fade in and out what only one has.
function morph(old, svg) {
  const before = new Map([...old.querySelectorAll("[id]")].map((element) => [element.id, element]));
  const timing = { duration: STEP_MS, easing: "ease-in-out" };
  const appear = (element) =>
    element.animate([{ opacity: 0 }, { opacity: 0, offset: 0.5 }, { opacity: 1 }], timing);
  for (const element of svg.querySelectorAll(".ks-node, .ks-edge[id]")) {
    const was = before.get(element.id);
    before.delete(element.id);
    if (!was) appear(element);
    else if (element.matches(".ks-node")) moveNode(was, element, timing);
    else moveEdge(was, element, timing, appear);
  }
  for (const gone of before.values()) {
    const ghost = gone.cloneNode(true);
    for (const part of [ghost, ...ghost.querySelectorAll("[id]")]) part.removeAttribute("id");
    ghost.setAttribute("class", `${ghost.getAttribute("class")} ksw-ghost`);
    ghost.setAttribute("aria-hidden", "true");
    svg.append(ghost);
    ghost.animate([{ opacity: 1 }, { opacity: 0 }], { ...timing, fill: "forwards" }).finished
      .then(() => ghost.remove(), () => ghost.remove());
  }
}

function moveNode(was, node, timing) {
  const [x0, y0] = corner(was), [x1, y1] = corner(node);
  if (x0 === x1 && y0 === y1) return;
  const from = `translate(${x0 - x1}px, ${y0 - y1}px)`;
  node.animate([{ transform: from }, { transform: "none" }], timing);
}

// An edge of the same form bends over; line, tip and marks are moved alike, so they stay together.
function moveEdge(was, edge, timing, appear) {
  const pairs = [...edge.children].map((part, i) => [was.children[i], part]);
  const alike = ([a, b]) => a && a.tagName === b.tagName &&
    (b.tagName !== "path" || shape(a.getAttribute("d")) === shape(b.getAttribute("d")));
  if (!CSS.supports("d", 'path("M0 0")') || !pairs.every(alike)) {
    if (edge.outerHTML !== was.outerHTML) appear(edge);
    return;
  }
  for (const [a, b] of pairs) {
    const frames = [a, b].map((part) => {
      const value = (name) => part.getAttribute(name);
      if (part.tagName === "path") return { d: `path("${value("d")}")` };
      if (part.tagName === "circle") return { cx: `${value("cx")}px`, cy: `${value("cy")}px` };
      return { transform: `translate(${value("x") - b.getAttribute("x")}px, ${value("y") - b.getAttribute("y")}px)` };
    });
    if (JSON.stringify(frames[0]) !== JSON.stringify(frames[1])) b.animate(frames, timing);
  }
}

// Put a drawing on the stage in place of the one that is there.
function show(stage, text, zoom) {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  if (parsed.namespaceURI !== SVG) return null;
  const svg = document.importNode(parsed, true), old = stage.querySelector("svg");
  scale(svg, zoom);
  old ? old.replaceWith(svg) : stage.append(svg);
  if (old && !calm()) morph(old, svg);
  return svg;
}

function scale(svg, zoom) {
  const { width, height } = svg.viewBox.baseVal;
  svg.style.width = `${width * zoom}px`;
  svg.style.height = `${height * zoom}px`;
  svg.style.setProperty("--zoom", Math.min(zoom, 1));
}

// Scroll what the step is about into sight: what is new, else what is chosen, else what changed.
function reveal(stage, svg, zoom, smooth) {
  const about = svg.querySelector(".ks-node.ks-new") ?? svg.querySelector(".ks-node.ks-focus") ??
    svg.querySelector(".ks-node.ks-changed");
  if (!about) return;
  const [x, y, width, height] = corner(about).map((number) => number * zoom), margin = 24;
  const into = (low, size, from, view) => {
    if (low - margin >= from && low + size + margin <= from + view) return from;
    return low < from ? Math.max(low - margin, 0) : low + size + margin - view;
  };
  stage.scrollTo({
    left: into(x, width, stage.scrollLeft, stage.clientWidth),
    top: into(y, height, stage.scrollTop, stage.clientHeight),
    behavior: smooth && !calm() ? "smooth" : "instant",
  });
}

// The node that lies nearest in the direction of an arrow key.
function neighbour(nodes, from, key) {
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  const middle = (node) => { const [x, y, w, t] = corner(node); return [x + w / 2, y + t / 2]; };
  const [x0, y0] = middle(from);
  let best = null, least = Infinity;
  for (const node of nodes) {
    const [x, y] = middle(node);
    const along = (x - x0) * dx + (y - y0) * dy, across = Math.abs((x - x0) * dy) + Math.abs((y - y0) * dx);
    if (along > 1 && along + 2 * across < least) { best = node; least = along + 2 * across; }
  }
  return best;
}

const SMALLEST = 0.86; // of the sizes chosen by themselves: 14 px become 12
const ZOOMS = [0.5, 0.75, 1, 1.25, 1.5, 2, 3];

function picture(model, el) {
  let svg = null, zoom = 1, chosen = false, twin = []; // chosen: the reader has set the zoom
  const stage = h("div", { class: "ksw-stage", keydown: onKey, click: onClick, scroll: fade });
  const percent = button("100 %", () => setZoom(1), { title: "original size (key 0)" });
  const less = button("−", () => stepZoom(-1), { title: "smaller (key −)", "aria-label": "smaller" });
  const more = button("+", () => stepZoom(1), { title: "larger (key +)", "aria-label": "larger" });
  const refold = button("fold again", () => model.send({ do: "fold" }));
  const words = h("pre", { tabindex: "0" });
  const details = h("details", { toggle: () => setText(words, details.open ? model.get("words") : "") },
    h("summary", {}, "In words"), words);
  const tools = h("div", { class: "ksw-tools" }, details,
    h("span", { class: "ksw-zoom", role: "group", "aria-label": "Size of the picture" }, less, percent, more), refold);
  el.append(stage, tools);

  function setZoom(value, byReader = true) {
    chosen ||= byReader;
    const middle = (stage.scrollLeft + stage.clientWidth / 2) / zoom;
    zoom = value;
    setText(percent, `${Math.round(zoom * 100)} %`);
    if (svg) scale(svg, zoom);
    stage.scrollLeft = middle * zoom - stage.clientWidth / 2;
    fade();
  }
  // What almost fits is made to fit, as far as its text stays readable; then it stays so.
  function fit() {
    const width = svg?.viewBox.baseVal.width, room = stage.clientWidth;
    if (chosen || !width || !room) return;
    const value = Math.max(Math.floor(100 * room / width) / 100, SMALLEST);
    if (value < zoom) setZoom(value, false);
  }
  // Where there is more to scroll to, the picture fades out.
  function fade() {
    stage.classList.toggle("ksw-left", stage.scrollLeft > 2);
    stage.classList.toggle("ksw-right", stage.scrollLeft + stage.clientWidth < stage.scrollWidth - 2);
  }
  function stepZoom(by) {
    const next = by > 0 ? ZOOMS.find((value) => value > zoom) : ZOOMS.findLast((value) => value < zoom);
    if (next) setZoom(next);
  }

  // One stop for Tab, the arrows move on from there: the node chosen, else the one last visited.
  function rove(node, focus) {
    for (const other of nodesOf(svg)) other.setAttribute("tabindex", other === node ? "0" : "-1");
    if (focus) node?.focus({ preventScroll: false });
  }
  function choose(node) {
    if (node?.dataset.address) set(model, "selected", hex(node));
    else if (node?.dataset.folded) model.send({ do: "unfold" });
  }
  const hex = (node) => `0x${node.dataset.address.slice(2).replace(/^0+(?=.)/, "")}`;
  function onClick(event) {
    const node = event.target.closest?.(".ks-node");
    if (node) { rove(node, true); choose(node); }
  }
  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const node = event.target.closest?.(".ks-node"), nodes = svg ? nodesOf(svg) : [];
    const keys = {
      "+": () => stepZoom(1), "=": () => stepZoom(1), "-": () => stepZoom(-1), 0: () => setZoom(1),
      Escape: () => set(model, "selected", ""),
      Enter: () => choose(node), " ": () => choose(node),
      Home: () => rove(nodes[0], true), End: () => rove(nodes.at(-1), true),
    };
    if (event.key.startsWith("Arrow") && node) {
      const next = neighbour(nodes, node, event.key);
      if (next) rove(next, true);
    } else if (keys[event.key]) keys[event.key]();
    else return;
    event.preventDefault();
  }

  function label(node) {
    const name = node.querySelector("title")?.textContent ?? "";
    const sentence = twin.find((line) => line.startsWith(name)) ?? name;
    node.setAttribute("aria-label", node.dataset.folded ? `${sentence} Opens it.` : sentence);
  }
  function mark() {
    for (const node of nodesOf(svg)) {
      const chosen = Boolean(node.dataset.address) && hex(node) === model.get("selected");
      node.setAttribute("aria-selected", String(chosen));
      node.classList.toggle("ksw-selected", chosen);
    }
  }
  function draw() {
    const held = svg?.contains(document.activeElement) ? document.activeElement.id : "";
    const at = svg?.querySelector('[tabindex="0"]')?.id, first = !svg;
    svg = show(stage, model.get("svg"), zoom) ?? svg;
    if (!svg) return;
    svg.setAttribute("role", "listbox");
    svg.setAttribute("aria-label", model.get("summary"));
    twin = model.get("words").split("\n");
    const nodes = nodesOf(svg);
    for (const node of nodes) { node.setAttribute("role", "option"); label(node); }
    for (const part of svg.querySelectorAll(":scope > title, :scope > desc")) part.remove();
    const stop = nodes.find((n) => n.id === held) ?? nodes.find((n) => n.id === at) ?? nodes[0];
    rove(stop, Boolean(held));
    mark();
    fit();
    reveal(stage, svg, zoom, !first);
    fade();
    refold.hidden = !model.get("unfolded");
    if (details.open) setText(words, model.get("words"));
  }
  const stops = [watch(model, ["svg", "unfolded"], draw), watch(model, ["selected"], () => svg && mark())];
  let width = 0;
  const seen = new ResizeObserver(() => {
    if (!svg || stage.clientWidth === width) return;
    width = stage.clientWidth;
    fit();
    reveal(stage, svg, zoom, false);
    fade();
  });
  seen.observe(stage);
  return () => { seen.disconnect(); stops.forEach((stop) => stop()); };
}

/* ── System calls ─────────────────────────────────────────────────────────────────────────────── */

const MOST_CALLS = 8, FEW_CALLS = 6; // more than so many, and the others wait behind a button
const SIGNS = { result: "→", errno: "!", pending: "…", gone: "✝", oops: "✖", panic: "✖", refused: "?" };
let count = 0; // of ids that belong to forms

function panel(model, el) {
  let open = null, all = false; // the call whose form is shown; whether the rarer calls are
  const typed = {}; // what the reader has typed, by call
  const list = `ksw-pids-${++count}`;
  const task = h("select", { "aria-label": "Task that makes the call", change: () => set(model, "task", task.value) });
  const chips = h("span", { class: "ksw-chips", role: "group", "aria-label": "System call" });
  const pids = h("datalist", { id: list });
  const form = asForm({ class: "ksw-form", hidden: true,
    keydown: (event) => { if (event.key === "Escape") { const name = open.name; toggle(null); chip(name)?.focus(); } } }, () => fire(open));
  const hint = h("span", { class: "ksw-dim" });
  const rest = button("more", () => { all = !all; drawCalls(); }, { class: "ksw-more" });
  const answers = h("ol", { class: "ksw-answers", role: "log", "aria-live": "polite", "aria-label": "What came of the calls" });
  const lock = h("div", { class: "ksw-lock", role: "status" });
  el.append(h("div", { class: "ksw-row" }, h("label", { class: "ksw-task" }, "Task ", task), chips, rest), pids,
    h("div", { class: "ksw-ask" }, hint, form), h("div", { class: "ksw-said" }, answers, lock));

  const chip = (name) => chips.querySelector(`[data-call="${name}"]`);
  const inputs = () => [...form.querySelectorAll("input, select")];
  function fire(call) {
    if (!model.get("locked")) model.send({ do: "fire", call: call.name, texts: call.parameters.length ? inputs().map((i) => i.value) : [] });
  }
  function toggle(call) {
    open = call === open ? null : call;
    form.hidden = !open;
    hint.hidden = Boolean(open);
    for (const one of chips.children) if (one.hasAttribute("aria-expanded")) one.setAttribute("aria-expanded", String(one.dataset.call === open?.name));
    if (!open) return;
    form.replaceChildren(h("code", {}, `${open.name}(`), ...open.parameters.flatMap(field), h("code", {}, ")"),
      h("button", { type: "submit", class: "ksw-fire" }, `fire ${open.name}`), h("span", { class: "ksw-dim" }, open.words));
    lockIt();
    inputs()[0].focus();
    inputs()[0].select?.();
  }
  function field(parameter, i) {
    const known = (typed[open.name] ??= open.parameters.map((p) => p.default));
    const keep = (event) => { known[i] = event.target.value; };
    const attributes = { "aria-label": parameter.name, input: keep, autocomplete: "off", spellcheck: "false" };
    const input = parameter.choices.length
      ? h("select", attributes, ...parameter.choices.map((choice) => h("option", { selected: choice === known[i] }, choice)))
      : h("input", { ...attributes, value: known[i], size: parameter.kind === "bytes" ? 14 : 6, list: parameter.kind === "pid" && list });
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
  function drawTasks() {
    const now = model.get("tasks"), chosen = now.find(([address]) => address === model.get("task"));
    setText(hint, `Choose the call that ${chosen?.[1].split(",")[0] ?? "a task"} makes. One with “…” asks for its arguments first.`);
    task.replaceChildren(...now.map(([address, label]) => h("option", { value: address }, label)));
    task.value = model.get("task");
    pids.replaceChildren(...now.map(([, label]) => h("option", { value: label.match(/\d+/)?.[0] ?? "" }, label)));
  }
  function drawAnswers() {
    answers.replaceChildren(...model.get("answers").map(([kind, head, tail]) => h("li", { class: `ksw-${kind}` },
      h("span", { class: "ksw-sign", "aria-hidden": "true" }, SIGNS[kind] ?? ""), h("code", {}, head), " ", h("span", {}, tail))));
  }
  function lockIt() {
    const why = model.get("locked");
    el.classList.toggle("ksw-locked", Boolean(why));
    for (const one of [...chips.children, ...form.querySelectorAll("button")]) enable(one, !why);
    if (why && !lock.firstChild) {
      lock.append(h("span", {}, why), button("back to now", () => model.send({ do: "now" })), button("branch here", () => model.send({ do: "branch" })));
    } else if (!why) lock.replaceChildren();
  }
  const stops = [watch(model, ["calls"], drawCalls), watch(model, ["tasks", "task"], drawTasks),
    watch(model, ["answers"], drawAnswers), watch(model, ["locked"], lockIt)];
  return () => stops.forEach((stop) => stop());
}

/* ── Time ─────────────────────────────────────────────────────────────────────────────────────── */

function timeline(model, el) {
  const step = (by) => model.send({ do: "step", by });
  const first = button("|◀", () => step(-model.get("last")), { title: "to the beginning", "aria-label": "to the beginning" });
  const back = button("◀ back", () => step(-1), { class: "ksw-step" });
  const forward = button("forward ▶", () => step(1), { class: "ksw-step" });
  const now = button("now ▶|", () => step(model.get("last")), { title: "to the present" });
  const slider = h("input", { type: "range", min: 0, "aria-label": "Moment", input: () => set(model, "place", Number(slider.value)) });
  const where = h("span", { class: "ksw-where" });
  const sentence = h("div", { class: "ksw-sentence", role: "status", "aria-live": "polite" });
  const level = h("select", { "aria-label": "Step by", change: () => set(model, "level", level.value) },
    ...model.get("levels").map(([value, label]) => h("option", { value }, label)));
  const jump = h("select", { "aria-label": "Jump to a system call", change: () => {
    if (jump.value !== "") model.send({ do: "jump", number: Number(jump.value) });
    jump.value = "";
  } });
  const leave = button("leave the branch", () => model.send({ do: "leave" }));
  const onBranch = h("span", {});
  el.append(
    h("div", { class: "ksw-row" }, h("span", { class: "ksw-chips" }, first, back, forward, now), slider, where),
    sentence,
    h("div", { class: "ksw-row ksw-small" }, h("label", {}, "Step by ", level), h("label", {}, "Jump to ", jump), onBranch, leave),
  );

  function draw() {
    const place = model.get("place"), last = model.get("last"), past = place < last;
    slider.max = last;
    slider.value = place;
    slider.setAttribute("aria-valuetext", `step ${place} of ${last}, ${model.get("label")}`);
    for (const one of [first, back]) enable(one, place > 0);
    for (const one of [forward, now]) enable(one, past);
    el.classList.toggle("ksw-past", past);
    setText(where, `step ${place} of ${last} · ${model.get("label")}`);
    setText(sentence, model.get("sentence"));
    level.value = model.get("level");
    setText(onBranch, model.get("branch"));
    leave.hidden = !model.get("branch");
  }
  function drawCalls() {
    const calls = model.get("calls");
    jump.replaceChildren(h("option", { value: "" }, "a system call …"), ...calls.map((words, i) => h("option", { value: i }, words)));
    jump.value = "";
  }
  const stops = [watch(model, ["place", "last", "label", "sentence", "level", "branch"], draw), watch(model, ["calls"], drawCalls)];
  return () => stops.forEach((stop) => stop());
}

/* ── Predict, then see ────────────────────────────────────────────────────────────────────────── */

// Text with `code` between backquotes.
const prose = (text) => text.split("`").map((part, i) => (i % 2 ? h("code", {}, part) : part));

function predict(model, el) {
  const name = `ksw-predict-${++count}`;
  const options = model.get("options");
  const why = h("input", { type: "text", size: 40, maxlength: 200, "aria-label": "Why, in a word (optional)", placeholder: "why, in a word (optional)" });
  const commit = h("button", { type: "submit", class: "ksw-fire" }, "commit");
  const reveal = h("div", { class: "ksw-reveal", tabindex: "-1", role: "status", "aria-live": "polite" });
  const radios = options.map((text, i) => h("input", { type: "radio", name, value: i, change: () => enable(commit, true) }));
  const rows = options.map((text, i) => h("label", { class: "ksw-option" }, radios[i], h("b", {}, `${String.fromCharCode(97 + i)}) `), h("span", {}, ...prose(text))));
  const form = asForm({}, () => {
    const choice = radios.findIndex((radio) => radio.checked);
    if (choice >= 0 && model.get("chosen") < 0) model.send({ do: "commit", choice, why: why.value });
  }, h("fieldset", {}, h("legend", {}, ...prose(model.get("prompt"))), ...rows), h("div", { class: "ksw-row" }, why, commit), reveal);
  el.append(form);
  enable(commit, false);

  function draw() {
    const chosen = model.get("chosen"), found = model.get("revealed");
    if (model.get("trouble")) reveal.replaceChildren(h("p", {}, model.get("trouble")));
    if (chosen < 0 || found.right === undefined) return;
    radios.forEach((radio, i) => { radio.checked = i === chosen; radio.disabled = true; });
    rows.forEach((row, i) => {
      row.classList.toggle("ksw-it", i === found.right);
      row.classList.toggle("ksw-you", i === chosen);
      row.querySelector(".ksw-tagged")?.remove();
      const tags = [i === chosen && "you said", i === found.right && "it did"].filter(Boolean).join(", ");
      if (tags) row.append(h("span", { class: "ksw-tagged" }, tags));
    });
    why.value = model.get("why");
    why.readOnly = true;
    why.hidden = !why.value;
    commit.hidden = true;
    const drawn = found.svg ? h("div", { class: "ksw-stage" }) : null;
    reveal.replaceChildren(
      h("p", {}, h("b", {}, "You said: "), ...prose(options[chosen])), h("p", {}, h("b", {}, "It did: "), ...prose(options[found.right])),
      h("p", { class: "ksw-verdict" }, found.correct ? "✓ As you said." : "✗ Not as you said."),
      h("p", {}, ...prose(found.feedback ?? "")), ...(drawn ? [drawn] : found.words ? [h("pre", {}, found.words)] : []));
    if (drawn) show(drawn, found.svg, 1);
    if (form.contains(document.activeElement) || document.activeElement === document.body) reveal.focus({ preventScroll: true });
  }
  return watch(model, ["chosen", "revealed", "trouble"], draw);
}

const kinds = { picture, panel, timeline, predict };

export default {
  render({ model, el }) {
    el.classList.add("ksw", `ksw-${model.get("kind")}`);
    // JupyterLab's own keys (Enter, arrows, letters) stay out of here, but for those with Ctrl.
    const own = (event) => {
      if (el.contains(event.target)) event.target.toggleAttribute("data-lm-suppress-shortcuts", !(event.ctrlKey || event.metaKey));
    };
    window.addEventListener("keydown", own, true);
    const stop = kinds[model.get("kind")](model, el);
    return () => { window.removeEventListener("keydown", own, true); stop(); };
  },
};
