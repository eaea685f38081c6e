/* A question with options, one of which is chosen. */

import { fresh, h, prose } from "./base.js";
import { predicting, tagsFor } from "./predict.js";

const SHORT = 24; // characters; options no longer than this stand in columns

export function asksOne(model, el) {
  return predicting(model, el, oneOf);
}

function oneOf({ options }, given, changed) {
  const name = fresh("option");
  const radios = options.map((_, i) => h("input", { type: "radio", name, value: i, checked: i === given, change: changed }));
  const rows = options.map(([label, text], i) => h("label", { class: "ksw-option" }, radios[i], h("b", {}, `${label}) `), h("span", {}, ...prose(text))));
  const few = options.length > 4 && options.every(([, text]) => text.length <= SHORT);
  const chosen = () => radios.findIndex((radio) => radio.checked);
  return {
    parts: [h("div", { class: few ? "ksw-options ksw-columns" : "ksw-options" }, ...rows)],
    answer: () => (chosen() < 0 ? null : chosen()),
    reveal(found) {
      rows.forEach((row, i) => {
        const said = i === found.answer, did = i === found.right, tags = tagsFor(said, did);
        radios[i].checked = said;
        radios[i].disabled = true;
        row.classList.toggle("ksw-you", said);
        row.classList.toggle("ksw-it", did);
        if (tags) row.append(h("span", { class: "ksw-tagged" }, tags));
      });
    },
  };
}
