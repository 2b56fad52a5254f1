// Corrections to Streamlit's own widgets for screen readers and the keyboard.
// Each entry is [selector, correction]. All entries are applied again whenever the page has changed.
const MENDS = [
  // the drop area of a file has a name, but an element with the role "presentation" must not have one
  ['[data-testid="stFileUploaderDropzone"][role="presentation"]', (e) => e.setAttribute("role", "group")],
  // on a narrow page the navigation is a list with headings between its items, which is not a valid list: drop the roles
  ['[data-testid="stSidebarNavItems"]:not([role])', (e) => e.setAttribute("role", "none")],
  ['[data-testid="stSidebarNavItems"] li:not([role])', (e) => e.setAttribute("role", "none")],
  // the sections of that navigation open by pointer only: make them buttons
  ['[data-testid="stNavSectionHeader"] > span:not([role])', (e) => {
    e.setAttribute("role", "button");
    e.tabIndex = 0;
    e.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      e.click();
    });
  }],
  // the menu of a navigation section is attached to the body, outside of every landmark
  ['[data-floating-ui-portal]:not([role]):has(a)', (e) => {
    e.setAttribute("role", "navigation");
    e.setAttribute("aria-label", document.querySelector('[data-testid="stTopNavSection"][aria-expanded="true"]')?.textContent || "Menu");
  }],
  // a narrow page hides a button's text: keep the text as its accessible name
  ['[data-testid="stPopoverButton"]:not([aria-label])', (e) => {
    const words = e.querySelector('[data-testid="stMarkdownContainer"]');
    if (words?.textContent && !words.querySelector("p")?.getClientRects().length) e.setAttribute("aria-label", words.textContent);
  }],
  // a closed drawer takes no focus; opening it moves the focus into it, closing it moves the focus to its handle
  ['[data-testid="stSidebar"]', (e) => {
    const [shut, before] = [e.dataset.collapsed === "true", e.vizkvShut];
    if (shut === before) return;
    const here = document.activeElement;
    const away = here === document.body || e.contains(here) || here.matches('[data-testid="stExpandSidebarButton"]');
    [e.inert, e.vizkvShut, e.tabIndex] = [shut, shut, -1];
    if (before === undefined || !away) return;
    setTimeout(() => (shut ? document.querySelector('[data-testid="stExpandSidebarButton"]') : e)?.focus({preventScroll: true}), 50);
  }],
  // values of a chart by keyboard: chart_keys.js
  [".js-plotly-plot", chartKeys],
  // headers of a table by keyboard: table_keys.js
  [GRID, tableKeys],
  // width of the drawer by keyboard: drawer_width.js
  ['[data-testid="stSidebarResizeHandle"]', drawerWidth],
  // the canvas of a table takes the focus: its scrolling box must not be a tab stop, too
  [".dvn-scroller:not([tabindex])", (e) => { e.tabIndex = -1; }],
  // the copy button of a code block vanishes when it has the focus: Enter on the block presses it instead
  ['[data-testid="stCode"] button:not([tabindex="-1"])', (e) => { e.tabIndex = -1; }],
  ['[data-testid="stCode"][tabindex]:not([data-keys])', (e) => {
    e.dataset.keys = "1";
    e.addEventListener("keydown", (event) => event.key === "Enter" && e.querySelector("button")?.click());
  }],
  ['[data-testid="stMarkdownContainer"] .katex-display:not([tabindex])', (e) => { e.tabIndex = 0; }],
];

// A popover's content is attached to the end of the document. Tab moves from its button into it, and out of it again.
const STOPS = 'a[href], button:not([disabled]), input:not([disabled]), textarea, select, summary, [tabindex="0"]';
function tab(event) {
  if (event.key !== "Tab" || event.ctrlKey || event.altKey || event.metaKey) return;
  // a code block adds its copy button when it gets the focus, perhaps after the last correction
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
  else if (!event.shiftKey && at === stops.length - 1) return void opener.focus(); // the browser moves on from here
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
  let late = 0; // timer: correct once more when late style sheets have been applied
  new MutationObserver(() => {
    due ||= requestAnimationFrame(mend);
    clearTimeout(late);
    late = setTimeout(mend, 400);
  }).observe(document.body, {childList: true, subtree: true, attributes: true, attributeFilter: ["data-collapsed"]});
  mend();
}
