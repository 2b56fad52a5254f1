// What our components may ask of the page around them, which Streamlit draws.
window.vizkvPage = {
  /** Whether no run of the page's script is under way. */
  isIdle: () => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "notRunning",
  /** How many pixels the page is scrolled down. */
  scrolled: () => document.querySelector('[data-testid="stMain"]')?.scrollTop ?? 0,
  toTop: () => document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0),
};
