/* The page's look, light or dark, before anything is painted: the reader's choice, else the system's. */
(() => {
  const root = document.documentElement, key = "kernelsim-look";
  const system = matchMedia("(prefers-color-scheme: dark)");
  let look = "";
  try { look = localStorage.getItem(key) || ""; } catch { look = ""; } // a page may be denied storage
  const apply = () => {
    const dark = look ? look === "dark" : system.matches;
    root.dataset.theme = dark ? "dark" : "light";
    root.dataset.jpThemeLight = String(!dark); // what the widgets' style looks at
    root.style.colorScheme = root.dataset.theme;
  };
  system.addEventListener("change", apply);
  apply();
  window.kernelsimLook = {
    get: () => look,
    set: (wanted) => {
      look = ["light", "dark"].includes(wanted) ? wanted : "";
      try { localStorage.setItem(key, look); } catch { /* then it is for this page only */ }
      apply();
    },
  };
})();
