/* The picture of a widget: its traits shown by the viewer, what the reader does told to Python. */

import { set, watch } from "./base.js";
import { viewer } from "./viewer.js";

export function picture(model, el) {
  const seen = viewer(el, {
    choose: (address) => set(model, "selected", address),
    unfold: (node) => model.send({ do: "unfold", box: node.id.slice(2) }),
    fold: () => model.send({ do: "fold" }),
    find: model.get("finds") ? (text) => model.send({ do: "find", text }) : null,
  });
  const said = (message) => { if (typeof message?.said === "string") seen.say(message.said); };
  model.on("msg:custom", said);
  const stops = [
    watch(model, ["svg"], () => seen.show(model.get("svg"), model.get("words"), model.get("summary"))),
    watch(model, ["selected"], () => seen.select(model.get("selected"))),
    watch(model, ["unfolded"], () => seen.unfolded(model.get("unfolded"))),
  ];
  return () => { model.off("msg:custom", said); stops.forEach((stop) => stop()); seen.stop(); };
}
