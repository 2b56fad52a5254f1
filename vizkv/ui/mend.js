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
  // what a closed drawer holds, and a menu that is put away, is not on the way
  ['[data-testid="stSidebar"]', (e) => e.toggleAttribute("inert", e.getAttribute("aria-expanded") === "false")],
  // a chart's values, and what a click on one opens: chart_keys.js
  [".js-plotly-plot", chartKeys],
  // whoever scrolls with the keyboard has to get there first
  ['[data-testid="stCode"] pre:not([tabindex])', (e) => { e.tabIndex = 0; }],
  ['[data-testid="stMarkdownContainer"] .katex-display:not([tabindex])', (e) => { e.tabIndex = 0; }],
];

if (!window.vizkvMends) {
  window.vizkvMends = true;
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
  }).observe(document.body, {childList: true, subtree: true, attributes: true, attributeFilter: ["aria-expanded"]});
  mend();
}
