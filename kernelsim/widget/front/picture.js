/* The picture of a widget: its traits shown by the viewer, what the reader does told to Python. */

import { set, watch } from "./base.js";
import { viewer } from "./viewer.js";

export function picture(model, el) {
  const seen = viewer(el, {
    choose: (address) => set(model, "selected", address),
    unfold: () => model.send({ do: "unfold" }),
    fold: () => model.send({ do: "fold" }),
  });
  const stops = [
    watch(model, ["svg"], () => seen.show(model.get("svg"), model.get("words"), model.get("summary"))),
    watch(model, ["selected"], () => seen.select(model.get("selected"))),
    watch(model, ["unfolded"], () => seen.unfolded(model.get("unfolded"))),
  ];
  return () => { stops.forEach((stop) => stop()); seen.stop(); };
}
