/* A question that is answered by typing: a number, or text of several lines. */

import { h } from "./base.js";
import { predicting } from "./predict.js";

export function asksText(model, el) {
  return predicting(model, el, typedIn);
}

function typedIn({ hint, lines = 1 }, given, changed) {
  const shared = { class: "ksw-typed", "aria-label": `Your answer${hint ? `: ${hint}` : ""}`, autocomplete: "off", spellcheck: "false",
    input: () => { field.removeAttribute("aria-invalid"); changed(); } };
  const field = lines > 1 ? h("textarea", { ...shared, rows: lines, maxlength: 10000 })
    : h("input", { ...shared, type: "text", size: 24, maxlength: 60 });
  field.value = given ?? "";
  return {
    parts: [h("div", { class: "ksw-row" }, field, hint ? h("span", { class: "ksw-dim" }, hint) : null)],
    answer: () => (field.value.trim() ? field.value : null),
    focus() { field.setAttribute("aria-invalid", "true"); field.focus(); },
    reveal(found) {
      field.value = found.said;
      field.readOnly = true;
    },
  };
}
