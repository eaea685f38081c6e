/* A question that is answered by choosing a task in a drawn tree: by a click, or by keys. */

import { h, setText } from "./base.js";
import { predicting, tagsFor } from "./predict.js";
import { corner, neighbour, nodesOf, SVG } from "./stage.js";
import { still } from "./still.js";

const NOBODY = "Nobody is chosen yet: click a task, or walk to it with the arrow keys and press Enter.";

export function asksParent(model, el) {
  return predicting(model, el, pointedAt);
}

function pointedAt(form, given, changed) {
  const { names } = form;
  let chosen = names[given] ? given : "", shut = false;
  const picture = still(form, { click: onClick, keydown: onKey });
  const said = h("p", { class: "ksw-pointed", role: "status" });
  // By its address in hex; boxes that stand for many have none, and cannot be chosen.
  const address = (node) => (node.dataset.address ? `0x${node.dataset.address.slice(2).replace(/^0+(?=.)/, "")}` : "");
  const nodes = nodesOf(picture.drawn).filter((node) => names[address(node)]);
  picture.drawn.setAttribute("role", "listbox");
  picture.drawn.setAttribute("aria-label", `${form.summary} Choose a task.`);
  picture.drawn.querySelectorAll(":scope > title, :scope > desc").forEach((part) => part.remove());
  for (const node of nodes) {
    node.setAttribute("role", "option");
    setText(node.querySelector("title"), names[address(node)]); // its name, for who hears it too
  }
  rove(nodes.find((node) => address(node) === chosen) ?? nodes[0]);
  mark();

  function rove(node) {
    for (const other of nodes) other.setAttribute("tabindex", other === node ? "0" : "-1");
  }
  function choose(node) {
    if (shut || !node) return;
    chosen = address(node);
    mark();
    changed();
  }
  function mark() {
    for (const node of nodes) {
      node.setAttribute("aria-selected", String(address(node) === chosen));
      node.classList.toggle("ksw-selected", address(node) === chosen);
    }
    setText(said, chosen ? `You choose ${names[chosen]}.` : NOBODY);
  }
  function onClick(event) {
    const node = nodes.find((one) => one.contains(event.target));
    if (!node) return;
    rove(node);
    node.focus({ preventScroll: true });
    choose(node);
  }
  function onKey(event) {
    const node = nodes.find((one) => one === event.target);
    if (!node || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") choose(node);
    else {
      const next = event.key.startsWith("Arrow") ? neighbour(nodes, node, event.key) : { Home: nodes[0], End: nodes.at(-1) }[event.key];
      if (next === undefined) return;
      if (next) { rove(next); next.focus(); }
    }
    event.preventDefault();
  }
  // A word on the lower edge of a node's box.
  function tag(node, text, kind) {
    const [x, y, width, height] = corner(node), wide = 8.5 * text.length + 14;
    const draw = (name, attributes) => {
      const part = document.createElementNS(SVG, name);
      for (const [key, value] of Object.entries({ ...attributes, class: kind })) part.setAttribute(key, value);
      return part;
    };
    const word = draw("text", { x: x + width - wide / 2 - 4, y: y + height + 5, "text-anchor": "middle" });
    word.textContent = text;
    node.append(draw("rect", { x: x + width - wide - 4, y: y + height - 9, width: wide, height: 19, rx: 9 }), word);
  }
  return {
    parts: [picture.el, said],
    answer: () => chosen || null,
    focus: () => nodes.find((node) => node.getAttribute("tabindex") === "0")?.focus(),
    stop: picture.stop,
    reveal(found) {
      chosen = found.answer;
      mark();
      shut = true;
      said.hidden = true;
      for (const node of nodes) {
        const you = address(node) === found.answer, it = address(node) === found.right;
        if (you || it) tag(node, tagsFor(you, it), it ? "ksw-did" : "ksw-said");
        node.classList.toggle("ksw-itdid", it);
      }
    },
  };
}
