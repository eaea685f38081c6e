/* Predict, then see. */

import { asForm, enable, fresh, h, prose, watch } from "./base.js";
import { show } from "./stage.js";

export function predict(model, el) {
  const name = fresh("predict");
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
