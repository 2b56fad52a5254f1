// The drawer's width by keyboard: its edge is a separator that arrow keys move. The keys are sent on as mouse events, so
// that Streamlit keeps its own limits and remembers the width. window.vizkvKeys.edge: the edge's accessible name.
const EDGE_STEP = 16; // pixels

function drawerWidth(edge) {
  const drawer = edge.closest('[data-testid="stSidebar"]');
  const name = window.vizkvKeys?.edge ?? "";
  if (!drawer) return;
  if (edge.getAttribute("aria-label") !== name) edge.setAttribute("aria-label", name);
  if (edge.vizkvKeys) return;
  edge.vizkvKeys = true;
  const wide = () => Math.round(drawer.getBoundingClientRect().width);
  const ends = () => ["minWidth", "maxWidth"].map((end) => Math.round(parseFloat(getComputedStyle(drawer)[end])) || 0);
  const tell = () => {
    const [least, most] = ends();
    for (const [key, value] of Object.entries({valuenow: wide(), valuemin: least, valuemax: most})) edge.setAttribute(`aria-${key}`, String(value));
  };
  for (const [key, value] of Object.entries({role: "separator", "aria-orientation": "vertical"})) edge.setAttribute(key, value);
  edge.tabIndex = 0;
  tell();
  new ResizeObserver(tell).observe(drawer);
  for (const [who, kind] of [[drawer, "transitionend"], [edge, "focus"]]) who.addEventListener(kind, tell); // the drawer slides in
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const mouse = (target, kind, x) => target.dispatchEvent(new MouseEvent(kind, {bubbles: true, view: window, button: 0, buttons: 1, clientX: x, clientY: 1}));
  let [wanted, moving] = [0, false];
  edge.addEventListener("keydown", async (event) => {
    const [least, most] = ends();
    const by = {ArrowLeft: -EDGE_STEP, ArrowRight: EDGE_STEP}[event.key];
    const to = by ? (moving ? wanted ?? wide() : wide()) + by * (event.shiftKey ? 4 : 1) : {Home: least, End: most}[event.key];
    const reset = event.key === "Enter"; // back to the initial width
    if (event.ctrlKey || event.altKey || event.metaKey || (to === undefined && !reset)) return;
    event.preventDefault();
    wanted = reset ? null : Math.max(least, Math.min(most, to));
    if (moving) return; // the loop below picks up the new target
    moving = true;
    while (wanted !== null && wanted !== wide()) {
      const [from, goal] = [wide(), wanted];
      const x = edge.getBoundingClientRect().left;
      mouse(edge, "mousedown", x);
      await frame();
      mouse(window, "mousemove", x + goal - from);
      await frame();
      mouse(window, "mouseup", x + goal - from);
      await frame();
      if (goal === wanted) break;
    }
    if (wanted === null) mouse(edge, "dblclick", 0);
    moving = false;
  });
}
