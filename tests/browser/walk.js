// The way of Tab through a page: what has the focus at each press, through every shadow root, and what never has it.
() => {
  const up = (e) => e.parentElement ?? e.getRootNode().host ?? null;
  const roots = (root) => [root, ...[...root.querySelectorAll("*")].filter((e) => e.shadowRoot).flatMap((e) => roots(e.shadowRoot))];
  for (const root of roots(document)) {
    const sheet = new CSSStyleSheet(); // a ring that fades in is there at once, and what scrolls smoothly has arrived
    sheet.replaceSync("*, *::before, *::after { transition: none !important; animation: none !important; scroll-behavior: auto !important; }");
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
  const key = (e) => { // the same stop, also where a rerun has built it anew
    const words = (e.getAttribute("aria-label") || e.labels?.[0]?.textContent || e.textContent || e.title || "").trim().slice(0, 50);
    return `${e.localName} "${words}" ${e.closest('[class*="st-key-"]')?.className.match(/st-key-\S+/) ?? ""}`;
  };
  const nameOf = (e) => {
    const by = (e.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => e.getRootNode().getElementById(id)?.textContent ?? "").join("");
    return (by || e.getAttribute("aria-label") || e.labels?.[0]?.textContent || e.textContent || e.title || e.placeholder || "").trim();
  };
  const focused = () => {
    let e = document.activeElement;
    while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
    return e;
  };
  const [seen, keys, found] = [new Set(), new Set(), []];
  let [last, round] = [null, new Set()];
  window.walked = {
    found,
    async quiet() { // a page that is still being built takes elements away, and with them the focus
      let [since, most] = [performance.now(), performance.now() + 8000];
      const watch = new MutationObserver(() => { since = performance.now(); });
      watch.observe(document.body, {childList: true, subtree: true});
      while (performance.now() < since + 400 && performance.now() < most) await new Promise((done) => setTimeout(done, 50));
      watch.disconnect();
    },
    async step() { // true: the way is at its end
      const frame = () => new Promise((done) => requestAnimationFrame(done));
      await frame();
      let e = focused();
      if (last && last.e !== e && last.e.isConnected && look(last.e) === last.look) found.push(`no ring: ${key(last.e)}`);
      last = null;
      if (!e || e === document.body) {
        const over = round.size > 0;
        round = new Set();
        return over;
      }
      e = e.closest("canvas") ?? e; // a cell has no box of its own, the table has
      if (round.has(e) && e.localName !== "canvas") found.push(`comes twice: ${key(e)}`);
      round.add(e);
      seen.add(e);
      keys.add(key(e));
      if (e.localName === "main" || e.localName === "canvas" || e.dataset.testid === "stMain") return false;
      if (!nameOf(e)) found.push(`no name: ${key(e)}`);
      const out = () => {
        const {left, right, top, bottom, width} = e.getBoundingClientRect();
        return !width || right <= 0 || bottom <= 0 || left >= innerWidth || top >= innerHeight;
      };
      for (let i = 0; i < 20 && out(); i++) await frame(); // the browser is still scrolling there
      if (out()) found.push(`out of sight: ${key(e)}`);
      last = {e, look: look(e)};
      return false;
    },
    beyond() { // buttons, fields and links that are there and never had the focus
      const same = (e) => // one of several that the arrows walk, or what the keys of its field do
        (e.matches('[tabindex="-1"]') && e.closest('.tokens, .queue, .block-table, .bar, [data-testid="stCode"], [data-testid="stNumberInput"], [data-testid="stSelectbox"], [data-testid="stMultiSelect"]')) ||
        (e.matches('[role="radio"], [type="radio"]') && [...seen].some((x) => x.closest('[role="radiogroup"]')?.contains(e)));
      const there = (e) => e.checkVisibility({visibilityProperty: true, opacityProperty: false}) && !e.disabled && e.getClientRects().length &&
        !e.closest("[inert], [aria-hidden=true], .stDataFrame") && e.getBoundingClientRect().width > 3;
      return roots(document).flatMap((root) => [...root.querySelectorAll("button, a[href], summary, select, input:not([type=hidden]), textarea, [role=button], [role=slider]")])
        .filter((e) => there(e) && !seen.has(e) && !keys.has(key(e)) && !same(e)).map((e) => `beyond reach: ${key(e)}`);
    },
  };
}
