/* A deck: every slide made to fit, then reveal.js started, and keys for the player on a slide. */
(() => {
  const deck = document.querySelector(".reveal"), ROOM = 2; // pixels that rounding may take
  const LARGEST = 1.6; // of its size as drawn, to which a picture grows where there is room
  const LEAST = 0.85; // of its width, to which a picture shrinks before it gets a slide of its own
  const SCROLLED = 0.5; // of its height, to which the place of a player's picture shrinks: it scrolls there
  const make = (tag, className, ...children) => {
    const element = document.createElement(tag);
    element.className = className;
    element.append(...children);
    return element;
  };
  const leaves = () => [...deck.querySelectorAll(".slides > section > section")];
  const HEADING = "h1, h2, h3";

  // Cells lie in a slide as what they are made of, so that a slide can end between two parts of one.
  function flatten(section) {
    for (const cell of section.querySelectorAll(".cell")) {
      if (cell.closest("aside.notes")) continue;
      for (const code of cell.querySelectorAll("details.source")) { // what it makes is what is shown
        if (cell.matches(".asleep")) code.before(make("p", "sleeps", code.querySelector("summary").textContent));
        code.remove();
      }
      if (!cell.matches(".asleep")) cell.replaceWith(...cell.children);
    }
  }

  // What is folded away: boxes on Linux, and pictures in words. While slides are made to fit, it has
  // no size and stays with what it belongs to; then it goes to the slide's foot.
  const ASIDE = ".box, .words", NOTES = "aside.notes";
  function fold(section) {
    for (const words of section.querySelectorAll(".words")) {
      const box = make("div", "box", ...words.querySelectorAll("pre"));
      box.setAttribute("aria-label", words.querySelector("summary").textContent);
      words.replaceWith(box);
    }
    const boxes = [...section.querySelectorAll(".box")].filter((box) => !box.closest(NOTES));
    if (!boxes.length) return;
    const names = [...new Set(boxes.map((box) => box.getAttribute("aria-label")))];
    section.append(make("details", "sources", make("summary", "", names.join(" · ")), make("div", "", ...boxes)));
    for (const fragment of section.querySelectorAll(".fragment")) if (!fragment.children.length) fragment.remove();
  }

  const parts = (section) => [...section.children].filter((part) => !part.matches(`${ASIDE}, ${NOTES}`));

  // Where a slide's text has to end, and whether it does.
  function foot(section) {
    const links = section.querySelector(ASIDE) ? 34 : 0;
    return section.getBoundingClientRect().top + section.clientHeight - parseFloat(getComputedStyle(section).paddingBottom) - links;
  }
  const fits = (section) => !parts(section).length || parts(section).at(-1).getBoundingClientRect().bottom <= foot(section) + ROOM;

  // Shrink a slide's pictures, no more than needed and not below LEAST.
  function shrunk(section) {
    const pictures = [...section.querySelectorAll(".picture svg, figure:not(.kernelsim-alive) > img")];
    const stages = [...section.querySelectorAll(".kernelsim-alive .ksw-stage")];
    pictures.forEach((picture) => { picture.style.width = ""; });
    stages.forEach((stage) => { enlarge(stage, LARGEST * stage.querySelector("svg").viewBox.baseVal.height); });
    if (fits(section)) return true;
    const widths = pictures.map((picture) => picture.getBoundingClientRect().width);
    const heights = stages.map((stage) => stage.getBoundingClientRect().height);
    // What was enlarged before gets back to its size as drawn first, and then below it as far as LEAST.
    const least = [
      ...pictures.map((picture, i) => LEAST * (picture.viewBox?.baseVal.width ?? picture.naturalWidth) / widths[i]),
      ...stages.map((stage, i) => SCROLLED * stage.querySelector("svg").viewBox.baseVal.height / heights[i]),
    ].map((value) => Math.min(value, LEAST));
    for (let scale = 0.98; least.length && scale >= Math.min(...least) - 0.01; scale -= 0.02) {
      pictures.forEach((picture, i) => { picture.style.width = `${widths[i] * Math.max(scale, least[i])}px`; });
      stages.forEach((stage, i) => enlarge(stage, heights[i] * Math.max(scale, least[pictures.length + i])));
      if (fits(section)) return true;
    }
    return false;
  }
  // A player's picture as large as its place allows; what is too wide for that stays readable, and
  // the player scrolls to what is new. `f` and `0` are the picture's own keys.
  function enlarge(stage, height) {
    const press = (key) => stage.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }));
    const svg = stage.querySelector("svg");
    stage.style.maxHeight = `${Math.floor(height)}px`;
    press("f");
    if (parseFloat(svg.style.width) < LEAST * svg.viewBox.baseVal.width) press("0");
    stage.scrollLeft = 0;
  }

  // The code that draws a picture makes room for it: it goes to the slide's foot.
  function stow(section) {
    const codes = [...section.querySelectorAll(":scope > .source")].filter((code) => {
      let next = code.nextElementSibling;
      while (next?.matches(".output") && !next.querySelector("figure")) next = next.nextElementSibling;
      return next?.matches(".output");
    });
    const boxes = codes.map((code) => {
      const box = make("div", "box", ...[...code.children].map((child) => child.cloneNode(true)));
      box.setAttribute("aria-label", "The code");
      code.replaceWith(box);
      return box;
    });
    if (boxes.length && close(section)) return true;
    boxes.forEach((box, i) => box.replaceWith(codes[i]));
    return false;
  }
  // As it is, or else with its lines a little closer.
  function close(section) {
    if (shrunk(section)) return true;
    section.classList.add("snug");
    if (shrunk(section)) return true;
    section.classList.remove("snug");
    return false;
  }

  // Make a slide fit: smaller pictures, closer lines, code in the foot, else its last parts go to a
  // slide behind it.
  function fit(section) {
    if (close(section) || stow(section)) return;
    const next = make("section", section.className);
    const first = section.querySelector(":scope > .running") ? 2 : 1;
    const give = () => {
      const last = parts(section).at(-1), behind = [...section.children].slice([...section.children].indexOf(last));
      next.prepend(...behind.filter((part) => !part.matches(NOTES)));
    };
    while (!close(section) && parts(section).length > first) give();
    while (parts(section).length > first && parts(section).at(-1).matches(`${HEADING}, .source`)) give();
    if (!next.children.length) { alone(section, first); return; }
    section.after(next);
    head(next);
    if (next.children[1]?.matches(".fragment")) next.children[1].replaceWith(...next.children[1].children);
    const notes = section.querySelector(`:scope > ${NOTES}`);
    if (notes) next.append(notes.cloneNode(true)); // they are on both
    shrunk(section);
    fit(next);
  }
  // One part that is too large by itself: taken apart if it can be, else set smaller.
  function alone(section, first) {
    const part = parts(section)[first - 1];
    if (part && part.matches(".fragment, .output, div.text") && part.children.length > 1 && !part.matches(".asleep *")) {
      part.replaceWith(...part.children);
      fit(section);
      return;
    }
    section.classList.add("dense");
    if (shrunk(section)) return;
    const long = part?.matches("pre") ? part : part?.querySelector("pre");
    if (long) {
      const over = part.getBoundingClientRect().bottom - foot(section);
      long.style.maxHeight = `${Math.max(long.getBoundingClientRect().height - over, 100)}px`;
    }
    (long ?? section).classList.add("scrolls");
  }

  // A slide without a heading says under which it stands.
  function head(section) {
    if (parts(section)[0]?.matches(HEADING)) return;
    let found = null;
    for (const heading of deck.querySelectorAll(HEADING)) {
      if (heading.compareDocumentPosition(section) & Node.DOCUMENT_POSITION_FOLLOWING && !section.contains(heading)) found = heading;
    }
    if (found) section.prepend(make("p", "running", found.textContent));
  }

  function prepare() {
    deck.classList.add("measured");
    for (const section of leaves()) { flatten(section); head(section); }
    leaves().forEach(fit);
    leaves().forEach(fold);
    deck.classList.remove("measured");
  }

  // ── Keys ──
  // A player on the slide is stepped by n, p and r without having the focus; with the focus its own
  // keys are its own, and Escape gives them back to the deck.
  const player = () => Reveal.getCurrentSlide()?.querySelector(".kernelsim-alive .ksw-controls:not([hidden])");
  function step(key, otherwise) {
    const controls = player();
    if (controls) controls.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }));
    else otherwise?.();
  }
  function bind() {
    const keys = [
      ["N", "ArrowRight", () => Reveal.next(), "Next step of the player on the slide; without one, next slide"],
      ["P", "ArrowLeft", () => Reveal.prev(), "Step back in the player; without one, previous slide"],
      ["R", "Home", null, "Reset the player"],
    ];
    for (const [key, sent, otherwise, description] of keys) {
      Reveal.addKeyBinding({ keyCode: key.charCodeAt(0), key, description }, () => step(sent, otherwise));
    }
    Reveal.addKeyBinding({ keyCode: "D".charCodeAt(0), key: "D", description: "Dark or light" }, () => {
      kernelsimLook.set(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
      document.getElementById("look").value = kernelsimLook.get();
    });
    Reveal.addKeyBinding({ keyCode: 35, key: "End", description: "Last slide" }, () => {
      const { h, v } = Reveal.getIndices(leaves().at(-1));
      Reveal.slide(h, v);
    });
    addEventListener("keydown", leave, true);
  }
  // Out of a player or the bar: Escape leaves it, and a presenter's remote turns slides as ever.
  function leave(event) {
    const within = event.target.closest?.(".ksw, .bar, .sources, [role=region]");
    if (!within || document.querySelector(".r-overlay")) return;
    const turn = { PageDown: () => Reveal.next(), PageUp: () => Reveal.prev() }[event.key];
    if (turn) turn();
    else if (event.key === "Escape" && !event.target.matches("[type=search]")) event.target.blur();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  // Which keys are the deck's; the speaker's window sends some that come from no element.
  function ours(event) {
    const from = event.target;
    if (!from?.closest) return true;
    if (from.closest("select, input, textarea")) return false;
    if (from.closest("[role=region]") && /^Arrow/.test(event.key)) return false; // it scrolls
    return !(from.closest("button, summary, a") && [" ", "Enter"].includes(event.key));
  }

  function start() {
    if (/\breceiver\b/.test(location.search)) document.body.classList.add("receiver"); // in the speaker's window
    prepare();
    const count = document.getElementById("count");
    const tell = () => { count.textContent = `${Reveal.getSlidePastCount() + 1} / ${Reveal.getTotalSlides()}`; };
    Reveal.initialize({
      width: 1280, height: 680, margin: 0, minScale: 0.1, maxScale: 8, center: false, hash: true,
      navigationMode: "linear", transition: "none", backgroundTransition: "none", controls: false, scrollActivationWidth: 0,
      plugins: [RevealNotes], keyboardCondition: ours,
    }).then(() => { bind(); tell(); });
    Reveal.on("slidechanged", tell);
    const press = (id, act) => document.getElementById(id).addEventListener("click", act);
    press("back", () => Reveal.prev());
    press("on", () => Reveal.next());
    press("keys", () => Reveal.toggleHelp());
  }
  addEventListener("DOMContentLoaded", start);
})();
