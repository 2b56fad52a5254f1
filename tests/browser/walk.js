// What has the focus at each press of Tab, through every shadow root, and what answers to a pointer and never has it.
() => {
  const up = (e) => e.parentElement ?? e.getRootNode().host ?? null;
  const roots = (root) => [root, ...[...root.querySelectorAll("*")].filter((e) => e.shadowRoot).flatMap((e) => roots(e.shadowRoot))];
  for (const root of roots(document)) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("*, *::before, *::after { transition: none !important; animation: none !important; }");
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  }
  const one = (e, part) => {
    const c = getComputedStyle(e, part);
    return [c.outlineStyle === "none" ? "" : c.outlineWidth, c.boxShadow, c.borderColor, c.borderWidth, c.backgroundColor].join();
  };
  const look = (e) => { // of the element, of what it lies in and of what stands beside it: a ring may be drawn there
    const near = [e.previousElementSibling, e.nextElementSibling, e.firstElementChild];
    for (let x = e; x && near.length < 8; x = up(x)) near.push(x);
    return near.filter(Boolean).map((x) => ["", "::before", "::after"].map((part) => one(x, part)).join()).join();
  };
  const where = (e) => `${e.localName}.${[...e.classList].slice(0, 2).join(".")} "${(e.getAttribute("aria-label") || e.textContent || "").trim().slice(0, 40)}"`;
  const nameOf = (e) => {
    const by = (e.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => e.getRootNode().getElementById(id)?.textContent ?? "").join("");
    return (by || e.getAttribute("aria-label") || e.labels?.[0]?.textContent || e.textContent || e.title || e.placeholder || "").trim();
  };
  const seen = new Set();
  const found = [];
  let last = null;
  window.walked = {
    found,
    async step() {
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))); // what was lit is lit no more
      let e = document.activeElement;
      while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
      if (last && last.e !== e && last.e.isConnected && look(last.e) === last.look) found.push(`no ring: ${where(last.e)}`);
      last = null;
      if (!e || e === document.body) return seen.size > 0;
      if (e.dataset.testid === "data-grid-canvas" || e.localName === "main") return void seen.add(e);
      const {left, right, top, bottom, width} = e.getBoundingClientRect();
      if (seen.has(e)) found.push(`comes twice: ${where(e)}`);
      if (!nameOf(e)) found.push(`no name: ${where(e)}`);
      if (!width || right <= 0 || bottom <= 0 || left >= innerWidth || top >= innerHeight) found.push(`out of sight: ${where(e)}`);
      seen.add(e);
      last = {e, look: look(e)};
      return false;
    },
    beyond() { // what answers to a pointer and is no stop, in no stop and around none
      const stops = "button, a, summary, select, input, textarea, [role=button], [role=slider], [role=option], tr, label";
      const around = new Set([...seen].flatMap((e) => { const all = []; for (let x = e; x; x = up(x)) all.push(x); return all; }));
      const same = (e) => // one of several that the arrows walk, and Streamlit's arrow of a select box, whose field is a stop
        (e.matches('[tabindex="-1"]') && (e.closest(".tokens, .queue, .block-table, .bar") || e.parentElement.querySelector("input"))) ||
        (e.matches('[role="radio"], label:has([type="radio"])') && [...seen].some((x) => x.closest('[role="radiogroup"]')?.contains(e))) ||
        e.matches(".logical, .code-part"); // the same as a row of the table, and as a part of the sum
      const reached = (e) => {
        if (around.has(e) || same(e)) return true;
        for (let x = e; x; x = up(x)) if (seen.has(x) && x.matches(stops)) return true;
        return [...(e.labels ?? []), e.control].some((x) => x && around.has(x));
      };
      const clicked = (e) => e.matches("button, a[href], summary, select, input, textarea, [role=button], [role=slider], canvas") ||
        (["pointer", "crosshair"].includes(getComputedStyle(e).cursor) && getComputedStyle(up(e) ?? e).cursor !== getComputedStyle(e).cursor);
      const there = (e) => e.checkVisibility({visibilityProperty: true}) && !e.disabled && !e.closest("[inert], [aria-hidden=true], .stDataFrame") &&
        getComputedStyle(e).pointerEvents !== "none" && e.getBoundingClientRect().width > 3;
      return roots(document).flatMap((root) => [...root.querySelectorAll("body *, *")])
        .filter((e) => there(e) && clicked(e) && !reached(e)).map((e) => `beyond reach: ${where(e)}`);
    },
  };
}
