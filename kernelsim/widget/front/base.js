/* What every part uses: elements, traits, buttons, and what a widget is to anywidget.

   A part is a plain ES module; scripts.py joins the parts that a widget needs into one script
   without imports, so names at the top of a part are unique among all parts (docs/adr/0009).
   State that both sides know is a trait (`model.set`); what the reader asks for is a message. */

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// An element with attributes (a function is a listener, true and false set or leave one out).
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

// Call `draw` now and whenever one of the traits changes, at most once per message from Python.
export function watch(model, traits, draw) {
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

export const set = (model, name, value) => { model.set(name, value); model.save_changes(); };
export const setText = (element, text) => { if (element.textContent !== text) element.textContent = text; };

// A button that stays focusable when it cannot be used, so that the keyboard is never lost.
export function button(label, act, attributes = {}) {
  const element = h("button", { type: "button", ...attributes, click: () => {
    if (element.getAttribute("aria-disabled") !== "true") act(element);
  } }, label);
  return element;
}
// A form that Enter in a field sends; inside a notebook the browser's own way of doing so is shut.
export function asForm(attributes, send, ...children) {
  return h("form", { ...attributes,
    submit: (event) => { event.preventDefault(); send(); },
    keydown: (event) => {
      if (event.key === "Enter" && event.target.matches("input")) { event.preventDefault(); send(); }
      attributes.keydown?.(event);
    } }, ...children);
}
export const enable = (element, can) => element.setAttribute("aria-disabled", String(!can));

export const fresh = (() => { let count = 0; return (stem) => `ksw-${stem}-${++count}`; })(); // ids of elements

// Text with `code` between backquotes.
export const prose = (text) => text.split("`").map((part, i) => (i % 2 ? h("code", {}, part) : part));

// A model whose kernel may be gone (restarted, shut down): nothing is thrown then, but `lost` is called.
export function guarded(model, lost) {
  const trying = (act) => { try { return act(); } catch { lost(); } };
  const own = {
    send: (...message) => trying(() => model.send(...message)),
    save_changes: () => trying(() => model.save_changes()),
  };
  model.on("comm_live_update", lost);
  return new Proxy(model, { get: (_, name) => own[name] ?? (typeof model[name] === "function" ? model[name].bind(model) : model[name]) });
}
// Say, once for all widgets of an explorer, that nothing answers any more.
function lose(el) {
  const first = el.closest(".kernelsim-explorer")?.querySelector(".ksw") ?? el;
  el.classList.add("ksw-gone");
  if (first.querySelector(".ksw-lost")) return;
  const note = h("div", { class: "ksw-lost", role: "status" });
  first.prepend(note);
  setText(note, "The kernel of this widget is gone. Run its cell again, and those before it.");
}

// What anywidget calls: `draw(model, el)` fills the element and returns what undoes it.
export const widget = (kind, draw) => ({
  render({ model, el }) {
    el.classList.add("ksw", `ksw-${kind}`);
    // JupyterLab's own keys (Enter, arrows, letters) stay out of here, but for those with Ctrl.
    const own = (event) => {
      if (el.contains(event.target)) event.target.toggleAttribute("data-lm-suppress-shortcuts", !(event.ctrlKey || event.metaKey));
    };
    window.addEventListener("keydown", own, true);
    const stop = draw(guarded(model, () => lose(el)), el);
    return () => { window.removeEventListener("keydown", own, true); stop?.(); };
  },
});
