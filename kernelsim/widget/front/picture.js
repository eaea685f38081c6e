/* The picture of a widget: its traits shown by the viewer, what the reader does told to Python. */

import { set, watch } from "./base.js";
import { corner, nodesOf } from "./stage.js";
import { hexOf, viewer } from "./viewer.js";

const UNLIKE = "Differs in the other future.";

export function picture(model, el) {
  const seen = viewer(el, {
    choose: (address) => set(model, "selected", address),
    unfold: (node) => model.send({ do: "unfold", box: node.id.slice(2) }),
    fold: () => model.send({ do: "fold" }),
    find: model.get("finds") ? (text) => model.send({ do: "find", text }) : null,
  });
  const said = (message) => { if (typeof message?.said === "string") seen.say(message.said); };
  model.on("msg:custom", said);
  // The tasks that differ from those of another machine: a sign at the corner, and a word.
  function differ() {
    const marked = new Set(model.get("differs"));
    for (const sign of el.querySelectorAll(".ksw-unlike-sign")) sign.remove();
    for (const node of nodesOf(el)) {
      const is = marked.has(hexOf(node)), label = node.getAttribute("aria-label") ?? "";
      node.classList.toggle("ksw-unlike", is);
      if (is !== label.endsWith(UNLIKE)) node.setAttribute("aria-label", is ? `${label} ${UNLIKE}` : label.replace(` ${UNLIKE}`, ""));
      if (!is) continue;
      const [x, y] = corner(node), sign = document.createElementNS("http://www.w3.org/2000/svg", "text");
      sign.setAttribute("class", "ksw-unlike-sign");
      sign.setAttribute("x", x - 4);
      sign.setAttribute("y", y + 6);
      sign.textContent = "≠";
      node.append(sign);
    }
  }
  const stops = [
    watch(model, ["svg"], () => seen.show(model.get("svg"), model.get("words"), model.get("summary"))),
    watch(model, ["selected"], () => seen.select(model.get("selected"))),
    watch(model, ["svg", "differs"], differ),
    watch(model, ["unfolded"], () => seen.unfolded(model.get("unfolded"))),
  ];
  return () => { model.off("msg:custom", said); stops.forEach((stop) => stop()); seen.stop(); };
}
