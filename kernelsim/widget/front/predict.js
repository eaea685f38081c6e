/* Predict, then see: what all kinds of question share; each kind has a part of its own.

   A kind gives `predicting` a function of (form, given, changed): what Python says of the question,
   what was answered in an earlier view, and what to call when the answer changes.  It returns
   `parts`, the elements; `answer()`, null while there is none; `reveal(found)`, which shuts it and
   marks what was said and done; and, where there is need, `focus()` and `stop()`. */

import { asForm, calm, enable, fresh, h, prose, setText, watch } from "./base.js";
import { still } from "./still.js";

const PATIENCE = 8000; // milliseconds until a machine that does not answer is spoken of

export function predicting(model, el, kind) {
  const draft = { why: "", sure: "", ...model.get("draft") };
  const name = fresh("sure"), about = fresh("say");
  const pictures = [];
  let sent = false, waiting = 0, refusals = model.get("refusals"), told = false;
  const asked = kind(model.get("form"), draft.answer, changed);
  const why = h("input", { type: "text", maxlength: 200, class: "ksw-why", "aria-label": "Why, in a word", placeholder: "why, in a word", autocomplete: "off", value: draft.why, input: changed });
  const radios = model.get("confidence").map((label) => h("input", { type: "radio", name, value: label, checked: label === draft.sure, change: changed }));
  const sure = h("fieldset", { class: "ksw-sure" }, h("legend", {}, "How sure are you?"),
    ...radios.map((radio) => h("label", {}, radio, h("span", {}, radio.value))));
  const commit = h("button", { type: "submit", class: "ksw-fire", "aria-describedby": about }, "commit");
  const say = h("span", { id: about, class: "ksw-say", role: "status" });
  const last = h("div", { class: "ksw-last" }, sure, h("span", { class: "ksw-or" }, "or"), why, commit, say);
  const notice = h("p", { class: "ksw-notice ksw-dim", role: "status" });
  const outcome = h("div", { class: "ksw-reveal", tabindex: "-1", role: "group", "aria-label": "What came of it", hidden: true });
  el.classList.add("ksw-predict");
  el.append(asForm({}, send, h("fieldset", { class: "ksw-asked" }, h("legend", {}, ...prose(model.get("prompt"))), ...asked.parts), last, outcome));

  const chosen = () => radios.find((radio) => radio.checked)?.value ?? "";
  // What still keeps the reader from committing, in words; empty for nothing.
  function lacking() {
    if (asked.answer() === null) return "Answer first: one answer counts.";
    return chosen() || why.value.trim() ? "" : "Say how sure you are, or why.";
  }
  // The draft stays with the model in this page, so that another view of it goes on from here.
  function changed() {
    model.set("draft", { answer: asked.answer(), why: why.value, sure: chosen() });
    el.classList.remove("ksw-refused");
    enable(commit, !lacking());
    setText(say, "");
  }
  function send() {
    const lack = lacking();
    if (sent || model.get("revealed").said !== undefined) return;
    if (lack) { setText(say, lack); return; }
    sent = true;
    enable(commit, false);
    setText(say, "The machine runs …");
    model.send({ do: "commit", answer: asked.answer(), why: why.value.trim(), sure: chosen() });
    waiting = setTimeout(() => setText(say, "No answer yet. If the kernel was restarted, run this cell again."), PATIENCE);
  }
  function refuse() {
    refusals = model.get("refusals");
    clearTimeout(waiting);
    sent = false;
    el.classList.add("ksw-refused");
    enable(commit, true);
    setText(say, model.get("trouble"));
    asked.focus?.();
  }
  function tell(found) {
    told = true;
    clearTimeout(waiting);
    const held = el.contains(document.activeElement) || (sent && document.activeElement === document.body);
    asked.reveal(found);
    last.remove();
    outcome.hidden = false;
    pictures.push(...(found.pictures ?? []).map((one) => still(one, { tabindex: "0", role: "group", "aria-label": one.summary })));
    outcome.append(...outcomeOf(found, pictures), notice);
    if (held) outcome.focus({ preventScroll: true });
    if (held) outcome.scrollIntoView({ block: "nearest", behavior: calm() ? "instant" : "smooth" });
  }
  function draw() {
    const found = model.get("revealed");
    if (found.said === undefined) { if (model.get("refusals") !== refusals) refuse(); return; }
    if (!told) tell(found);
    setText(notice, model.get("notice"));
  }
  enable(commit, !lacking());
  const stop = watch(model, ["revealed", "refusals", "notice"], draw);
  return () => { stop(); clearTimeout(waiting); asked.stop?.(); pictures.forEach((one) => one.stop()); };
}

// What is told when the answer is in: calm, whatever it is.
function outcomeOf(found, pictures) {
  const line = (label, text, more = "") => h("div", { class: "ksw-line" }, h("dt", {}, label),
    h("dd", {}, ...prose(text), more ? h("div", { class: "ksw-dim" }, more) : ""));
  const how = [found.sure, found.why && `“${found.why}”`].filter(Boolean).join(", ");
  const notes = found.notes.filter(([, mark]) => mark !== "kept");
  return [
    h("p", { class: "ksw-verdict" }, h("span", { "aria-hidden": "true" }, found.correct ? "✓ " : "✗ "), found.correct ? "As you said." : "Not as you said."),
    h("dl", {}, line("You said", found.said, how), line("It did", found.did)),
    found.feedback && h("p", {}, ...prose(found.feedback)),
    notes.length && h("ul", {}, ...notes.map(([, , text]) => h("li", {}, ...prose(text)))),
    ...pictures.map((one) => one.el),
    found.words && h("pre", { tabindex: "0" }, found.words),
  ].filter(Boolean);
}

// A word beside what was said, and beside what was done.
export const tagsFor = (said, did) => [said && "you said", did && "it did"].filter(Boolean).join(", ");
