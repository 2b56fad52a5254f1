// What Streamlit's own widgets say wrongly, or not at all, to a screen reader and to the keyboard, put right from
// outside. Each entry: what it is found by, and what is done with it; done again whenever the page has changed.
const MENDS = [
  // the area to drop a file into has a name, which a presentational element may not have
  ['[data-testid="stFileUploaderDropzone"][role="presentation"]', (e) => e.setAttribute("role", "group")],
  // on a narrow page the navigation is a list whose sections are no items: links in order say the same
  ['[data-testid="stSidebarNavItems"]:not([role])', (e) => e.setAttribute("role", "none")],
  ['[data-testid="stSidebarNavItems"] li:not([role])', (e) => e.setAttribute("role", "none")],
  // and its sections open by pointer only
  ['[data-testid="stNavSectionHeader"] > span:not([role])', (e) => {
    e.setAttribute("role", "button");
    e.tabIndex = 0;
    e.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      e.click();
    });
  }],
  // the menu of a section of the navigation hangs outside of every landmark
  ['[data-floating-ui-portal]:not([role]):has(a)', (e) => {
    e.setAttribute("role", "navigation");
    e.setAttribute("aria-label", document.querySelector('[data-testid="stTopNavSection"][aria-expanded="true"]')?.textContent || "Menu");
  }],
  // a button whose words a narrow page hides keeps them as its name
  ['[data-testid="stPopoverButton"]:not([aria-label])', (e) => {
    const words = e.querySelector('[data-testid="stMarkdownContainer"]');
    if (words?.textContent && !words.querySelector("p")?.getClientRects().length) e.setAttribute("aria-label", words.textContent);
  }],
  // what a closed drawer holds is not on the way; who opens it goes in, who closes it comes back to its handle
  ['[data-testid="stSidebar"]', (e) => {
    const [shut, before] = [e.dataset.collapsed === "true", e.vizkvShut];
    if (shut === before) return;
    const here = document.activeElement;
    const away = here === document.body || e.contains(here) || here.matches('[data-testid="stExpandSidebarButton"]');
    [e.inert, e.vizkvShut, e.tabIndex] = [shut, shut, -1];
    if (before === undefined || !away) return;
    setTimeout(() => (shut ? document.querySelector('[data-testid="stExpandSidebarButton"]') : e)?.focus({preventScroll: true}), 50);
  }],
  // a chart's values, and what a click on one opens: chart_keys.js
  [".js-plotly-plot", chartKeys],
  // a table's headers: table_keys.js
  [GRID, tableKeys],
  // the drawer's edge: drawer_width.js
  ['[data-testid="stSidebarResizeHandle"]', drawerWidth],
  // a table's cells are walked on its canvas: the box that scrolls it is no stop of its own
  [".dvn-scroller:not([tabindex])", (e) => { e.tabIndex = -1; }],
  // whoever scrolls with the keyboard has to get there first
  ['[data-testid="stCode"]:not([tabindex]) pre:not([tabindex])', (e) => { e.tabIndex = 0; }],
  // the button that copies it goes away with the focus that has called it: Enter presses it from where one is
  ['[data-testid="stCodeCopyButton"]:not([tabindex="-1"])', (e) => { e.tabIndex = -1; }],
  ['[data-testid="stCode"][tabindex]:not([data-keys])', (e) => {
    e.dataset.keys = "1";
    e.addEventListener("keydown", (event) => event.key === "Enter" && e.querySelector('[data-testid="stCodeCopyButton"]')?.click());
  }],
  ['[data-testid="stMarkdownContainer"] .katex-display:not([tabindex])', (e) => { e.tabIndex = 0; }],
];

// What a button opens hangs at the end of the document: Tab goes into it behind its button, and back out of it.
const STOPS = 'a[href], button:not([disabled]), input:not([disabled]), textarea, select, summary, [tabindex="0"]';
function tab(event) {
  if (event.key !== "Tab" || event.ctrlKey || event.altKey || event.metaKey) return;
  // the button comes into being with the focus, and Tab may be quicker than what is put right at the next frame
  document.querySelectorAll('[data-testid="stCode"] button').forEach((e) => { e.tabIndex = -1; });
  const target = event.composedPath()[0];
  const hanging = [...document.querySelectorAll('[data-testid="stPopoverBody"]')].at(-1);
  const opener = document.querySelector('[data-testid="stPopoverButton"][aria-expanded="true"]');
  if (!hanging || !opener || !(hanging.contains(event.target) || opener.contains(target))) return;
  const all = (root) => [...root.querySelectorAll("*")].flatMap((e) => [...(e.matches(STOPS) ? [e] : []), ...(e.shadowRoot ? all(e.shadowRoot) : [])]);
  const stops = all(hanging).filter((e) => e.tabIndex >= 0 && e.checkVisibility({visibilityProperty: true}));
  const [at, before] = [stops.indexOf(target), opener.contains(target)];
  if (!stops.length || (before && event.shiftKey)) return;
  if (before) stops[0].focus();
  else if (event.shiftKey && at <= 0) opener.focus();
  else if (!event.shiftKey && at === stops.length - 1) return void opener.focus(); // and from there on by the browser
  else return;
  event.preventDefault();
  event.stopPropagation();
}

if (!window.vizkvMends) {
  window.vizkvMends = true;
  window.addEventListener("keydown", tab, true);
  let due = 0;
  const mend = () => {
    due = 0;
    for (const [selector, put] of MENDS) document.querySelectorAll(selector).forEach(put);
  };
  let late = 0; // once more when styles have come in
  new MutationObserver(() => {
    due ||= requestAnimationFrame(mend);
    clearTimeout(late);
    late = setTimeout(mend, 400);
  }).observe(document.body, {childList: true, subtree: true, attributes: true, attributeFilter: ["data-collapsed"]});
  mend();
}
