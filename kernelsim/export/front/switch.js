/* What pages and decks share: the switch of the look, and scrolling by keyboard where there is more than is seen. */
(() => {
  const select = document.getElementById("look");
  select.closest("label").hidden = false;
  select.value = kernelsimLook.get();
  select.addEventListener("change", () => kernelsimLook.set(select.value));

  const wide = (box) => {
    const over = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
    if (over === box.hasAttribute("tabindex")) return;
    if (over) {
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", box.matches(".picture") ? "Picture" : box.matches(".scroll") ? "Table" : "Text");
    } else ["tabindex", "role", "aria-label"].forEach((name) => box.removeAttribute(name));
  };
  const boxes = document.querySelectorAll(".scroll, .picture, .source pre, .output pre, .text pre");
  const watcher = new ResizeObserver((entries) => entries.forEach((entry) => wide(entry.target)));
  boxes.forEach((box) => watcher.observe(box));
})();
