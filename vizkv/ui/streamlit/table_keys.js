// Headers of a table by keyboard. They are painted on a canvas, and arrow keys reach its cells only. S sorts by the
// column of the focused cell, Alt+Down opens the column's menu; both call the handlers of a click on the header.
// window.vizkvKeys: {table, tableEdit}: help texts; {up, down, plain}: sentences about the order after S.
const GRID = '[data-testid="stDataFrame"] canvas[data-testid="data-grid-canvas"]';

/** The table's current React properties and handle, or undefined. React keeps two fibers per element; only a walk from the root tells which is current. */
function gridOf(canvas) {
  const key = Object.keys(canvas).find((name) => name.startsWith("__reactFiber$"));
  const way = [];
  for (let part = canvas[key]; part; part = part.return) way.unshift(part);
  let now = way[0]?.stateNode?.current;
  for (const part of way.slice(1)) {
    if (typeof now?.memoizedProps?.onHeaderMenuClick === "function" && "gridSelection" in now.memoizedProps) break;
    let next = now?.child;
    while (next && next !== part && next !== part.alternate) next = next.sibling;
    now = next;
  }
  return now?.memoizedProps?.gridSelection ? {props: now.memoizedProps, handle: (now.ref ?? now.memoizedProps.ref)?.current} : undefined;
}

/** Call `done` every 100 ms until it returns true, `tries` times at most: Streamlit updates rows and focus asynchronously. */
function again(done, tries = 10) {
  setTimeout(() => { if (!done() && tries > 1) again(done, tries - 1); }, 100);
}

/** Keep the marked cell, which Streamlit forgets when rows are sorted. */
function stay(canvas, marked) {
  canvas.vizkvStays = marked;
  again(() => {
    if (canvas.vizkvStays !== marked) return true; // the table was sorted again
    if (document.activeElement === document.body) canvas.focus({preventScroll: true});
    const {props} = gridOf(canvas) ?? {};
    if (canvas.contains(document.activeElement) && !props?.gridSelection.current) props?.onGridSelectionChange?.(marked);
    return false; // Streamlit may take the focus and the mark away again
  });
}

/** Announce the order to screen readers. */
function saySorted(title) {
  let line = document.getElementById("vizkv-sorted");
  if (!line) {
    line = document.createElement("div");
    line.id = "vizkv-sorted";
    line.setAttribute("role", "status");
    document.body.append(line);
  }
  const words = window.vizkvKeys ?? {};
  const way = {"↑": words.up, "↓": words.down}[title[0]] ?? words.plain;
  line.textContent = (way ?? "").replace("$", () => title.replace(/^[↑↓] /, ""));
}

/** Keys of a column's menu: arrows move, Enter activates; closing it returns the focus to the table (`back`). */
function menuKeys(menu, back) {
  const entries = (list) => [...list.querySelectorAll('[role="menuitem"], button')];
  const open = (list) => {
    for (const entry of entries(list)) if (!entry.hasAttribute("tabindex")) entry.tabIndex = -1;
    (list.querySelector('[role="menuitem"]') ?? list).focus({preventScroll: true});
  };
  const under = () => document.querySelector('[data-testid="stDataFrameColumnFormattingMenu"]');
  const listen = (event) => {
    const list = under()?.contains(event.target) ? under() : menu;
    if (!list.contains(event.target)) return;
    const all = entries(list);
    const at = all.indexOf(event.target);
    const to = {ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1}[event.key];
    if (to !== undefined) all.at(to % all.length).focus({preventScroll: true});
    else if (event.key === "ArrowRight" && list === menu && event.target.getAttribute("aria-haspopup") === "menu" && under()) open(under());
    else if (event.key === "ArrowLeft" && list !== menu) menu.querySelector('[aria-haspopup="menu"]')?.focus({preventScroll: true});
    else if (event.key === "Enter" || event.key === " ") event.target.click();
    else if (event.key === "Tab") event.target.dispatchEvent(new KeyboardEvent("keydown", {key: "Escape", bubbles: true}));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  document.addEventListener("keydown", listen, true);
  new MutationObserver((_, watch) => {
    if (menu.isConnected) return;
    watch.disconnect();
    document.removeEventListener("keydown", listen, true);
    back();
  }).observe(document.body, {childList: true, subtree: true});
  open(menu);
}

function tableKeys(canvas) {
  const frame = canvas.closest('[data-testid="stDataFrame"]');
  const grid = gridOf(canvas);
  if (!grid) return; // a Streamlit whose table is built differently: it keeps its own keys
  const words = window.vizkvKeys ?? {};
  const edits = typeof grid.props.onCellEdited === "function"; // letters begin an edit
  const keys = (edits ? words.tableEdit : words.table) ?? "";
  if (frame.dataset.keys !== keys) frame.dataset.keys = keys;
  const list = canvas.querySelector('[role="grid"]');
  if (list && list.getAttribute("aria-label") !== keys) list.setAttribute("aria-label", keys);
  if (canvas.vizkvKeys) return;
  canvas.vizkvKeys = true;
  // cells are not elements, so CSS cannot tell that one has the focus
  canvas.addEventListener("focusin", (event) => frame.toggleAttribute("data-walked", event.target.matches(":focus-visible")));
  canvas.addEventListener("focusout", () => frame.removeAttribute("data-walked"));
  let kept = null; // the selection before the last sort
  canvas.addEventListener("keydown", (event) => {
    const now = gridOf(canvas);
    const marked = now?.props.gridSelection.current ? now.props.gridSelection : kept;
    const column = marked?.current.cell[0];
    if (column === undefined || event.ctrlKey || event.metaKey) return;
    if (event.key.toLowerCase() === "s" && !event.altKey && !edits && now.props.onHeaderClicked) {
      const title = () => gridOf(canvas)?.props.columns[column]?.title ?? "";
      const before = title();
      now.props.onHeaderClicked(column, {});
      stay(canvas, (kept = marked));
      again(() => title() !== before && (saySorted(title()), true));
    } else if (event.key === "ArrowDown" && event.altKey) {
      const {left, top, height} = canvas.getBoundingClientRect();
      now.props.onHeaderMenuClick(column, now.handle?.getBounds?.(column, -1) ?? {x: left, y: top, width: 0, height: Math.min(36, height)});
      const wait = (tries) => {
        const menu = document.querySelector('[data-testid="stDataFrameColumnMenu"]');
        if (menu) menuKeys(menu, () => stay(canvas, marked));
        else if (tries) setTimeout(() => wait(tries - 1), 30);
      };
      wait(60);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
}
