// A Plotly chart by keyboard. Plotly handles pointers only, so keys are sent on as pointer events at a value's position.
// window.vizkvKeys: {keys, zoom, pick}: the chart's accessible name, the keys that zoom, what Enter opens.
const SPOKEN_AFTER = 120; // ms: Plotly writes a hover label at most every 50

/** The values that a pointer can reach, as lines of {x, y (pixels of the chart), drag}, each from left to right. */
function chartLines(chart) {
  const lines = [];
  const bars = new Map(); // horizontal bars: each row is one line
  for (const values of chart.calcdata) {
    const {trace} = values[0];
    if (trace.visible !== true || trace.hoverinfo === "skip" || !trace.xaxis) continue;
    const [across, up] = [trace.xaxis, trace.yaxis].map((name) => chart._fullLayout[`${name[0]}axis${name.slice(1)}`]);
    const drag = chart.querySelector(`.nsewdrag[data-subplot="${trace.xaxis}${trace.yaxis}"]`);
    if (!drag || !across || !up) continue;
    if (trace.type === "bar" && trace.orientation === "h") {
      for (const [x, y] of linesOf(trace, values, across, up)[0]) {
        const key = `${trace.xaxis}${trace.yaxis} ${Math.round(y)}`;
        if (!bars.has(key)) bars.set(key, {found: [], order: [up._offset, across._offset, y + up._offset]});
        if (x >= 0 && x <= across._length) bars.get(key).found.push({x: x + across._offset, y: y + up._offset, drag});
      }
      continue;
    }
    for (const line of linesOf(trace, values, across, up)) {
      const places = new Map(); // values on one pixel are one position
      for (const [x, y] of line) {
        const near = (value, length) => Math.max(1, Math.min(length - 1, value)); // Plotly ignores events on its very edge
        if (!(x >= -1 && x <= across._length + 1 && y >= -1 && y <= up._length + 1) || places.has(Math.round(x))) continue;
        places.set(Math.round(x), {x: near(x, across._length) + across._offset, y: near(y, up._length) + up._offset, drag});
      }
      const found = [...places.values()].sort((a, b) => a.x - b.x);
      const mean = found.reduce((sum, {y}) => sum + y, 0) / found.length;
      if (found.length) lines.push({found, order: [up._offset, across._offset, mean]});
    }
  }
  for (const row of bars.values()) if (row.found.length) lines.push({...row, found: row.found.sort((a, b) => a.x - b.x)});
  // from the uppermost down, each part of the chart for itself
  lines.sort((a, b) => a.order.map((value, i) => value - b.order[i]).find((by) => by) ?? 0);
  return lines.map(({found}) => found);
}

/** [x, y] in pixels of an axis's area. */
function linesOf(trace, values, across, up) {
  if (trace.type === "heatmap") {
    const [cell] = values;
    const middles = (edges, centres, count) => centres ?? Array.from({length: count}, (_, i) => (edges[i] + edges[i + 1]) / 2);
    const columns = middles(cell.x, cell.xCenter, cell.z[0].length);
    return middles(cell.y, cell.yCenter, cell.z.length).map((y, row) =>
      columns.flatMap((x, column) => (Number.isFinite(cell.z[row][column]) ? [[across.c2p(x), up.c2p(y)]] : [])));
  }
  if (trace.type === "bar") {
    // each in its middle, also a part of a stack
    const [along, beside] = trace.orientation === "h" ? [across, up] : [up, across];
    const middles = values.filter((one) => Number.isFinite(one.s1)).map((one) => [along.c2p((one.s0 + one.s1) / 2), beside.c2p((one.p0 + one.p1) / 2)]);
    return [middles.map(([length, place]) => (along === across ? [length, place] : [place, length]))];
  }
  return [values.map((one) => [across.c2p(one.x), up.c2p(one.y)])];
}

/** Arrow keys walk, Enter picks, digits are the legend's entries; Tab goes on and Escape takes the label away. */
function chartKeys(chart) {
  const words = window.vizkvKeys ?? {};
  if (!chart.calcdata?.length || !chart._fullLayout?.hovermode) return;
  if (!chart.vizkvKeys && !chartLines(chart).length) return; // nothing in it answers to a pointer
  const picks = String(chart._fullLayout.clickmode).includes("select");
  const zooms = chart._fullLayout.dragmode === "zoom";
  const name = [words.keys, zooms && words.zoom, picks && words.pick].filter(Boolean).join(" ");
  if (chart.getAttribute("aria-label") !== name) chart.setAttribute("aria-label", name);
  if (chart.vizkvKeys) return;
  chart.tabIndex = 0;
  chart.setAttribute("role", "slider");
  chart.setAttribute("aria-valuenow", "0");
  // a rerun may build a chart anew: who was on it stays on it, where he was
  const key = [...(chart.closest('[class*="st-key-"]')?.classList ?? [])].find((name) => name.startsWith("st-key-"));
  const at = (chart.vizkvKeys = window.vizkvOnChart?.key === key ? window.vizkvOnChart : {key, line: 0, x: null});
  let [speaking, waiting] = [0, false];
  const place = (lines) => {
    at.line = Math.max(0, Math.min(lines.length - 1, at.line));
    const line = lines[at.line];
    const wanted = at.x ?? line[0].x;
    return line.reduce((best, one, i) => (Math.abs(one.x - wanted) < Math.abs(line[best].x - wanted) ? i : best), 0);
  };
  const tell = (kind, {x, y, drag}, target = drag) => {
    const box = chart.getBoundingClientRect();
    target.dispatchEvent(new MouseEvent(kind, {bubbles: true, view: window, button: 0, buttons: kind === "mousedown" ? 1 : 0, clientX: box.left + x, clientY: box.top + y}));
  };
  const leave = () => chart.querySelectorAll(".nsewdrag").forEach((drag) => drag.dispatchEvent(new MouseEvent("mouseout", {view: window})));
  const speak = () => {
    const labels = [...chart.querySelectorAll(".hoverlayer text")].map((text) => {
      const parts = [...text.querySelectorAll("tspan.line")];
      return parts.length ? parts.map((part) => part.textContent).join(" ") : text.textContent;
    });
    waiting = false;
    chart.setAttribute("aria-valuetext", labels.filter(Boolean).join(". "));
  };
  const point = (lines) => {
    const now = place(lines);
    const here = lines[at.line][now];
    at.x = here.x;
    chart.setAttribute("aria-valuemax", String(lines[at.line].length));
    chart.setAttribute("aria-valuenow", String(now + 1));
    if (!waiting) chart.once("plotly_hover", speak);
    waiting = true;
    tell("mousemove", here);
    clearTimeout(speaking);
    speaking = setTimeout(speak, SPOKEN_AFTER);
  };
  const move = (lines, event) => {
    const line = lines[(at.line = Math.min(at.line, lines.length - 1))];
    const far = event.shiftKey ? Math.max(2, Math.round(line.length / 10)) : 1;
    const to = {ArrowRight: far, ArrowLeft: -far, Home: -line.length, End: line.length}[event.key];
    if (to !== undefined) at.x = line[Math.max(0, Math.min(line.length - 1, place(lines) + to))].x;
    else if (event.key === "ArrowDown") at.line += 1;
    else if (event.key === "ArrowUp") at.line -= 1;
    else return false;
    return true;
  };
  chart.addEventListener("focus", () => {
    window.vizkvOnChart = at;
    if (chart.matches(":focus-visible") && chart.calcdata) point(chartLines(chart));
  });
  chart.addEventListener("blur", () => {
    leave();
    setTimeout(() => { // by then a chart that was taken away is gone: it was not left
      if (chart.isConnected && window.vizkvOnChart === at) window.vizkvOnChart = null;
    });
  });
  chart.addEventListener("keydown", (event) => {
    if (event.target !== chart || event.ctrlKey || event.metaKey || event.altKey) return;
    const lines = chartLines(chart);
    if (event.key === "Escape") leave();
    else if ("+=-".includes(event.key) && chart._fullLayout.dragmode === "zoom" && lines.length) {
      // a frame is drawn around the mark, half as wide as the chart; a double click shows the whole again
      const here = lines[Math.min(at.line, lines.length - 1)][place(lines)];
      const {left, right} = here.drag.getBoundingClientRect();
      const box = chart.getBoundingClientRect();
      const [from, to] = [-1, 1].map((side) => Math.max(left + 1, Math.min(right - 1, box.left + here.x + (side * (right - left)) / 4)) - box.left);
      if (event.key === "-") for (const kind of ["mousedown", "mouseup", "mousedown", "mouseup"]) tell(kind, here, kind === "mouseup" ? document : here.drag);
      else {
        tell("mousedown", {...here, x: from});
        for (const kind of ["mousemove", "mouseup"]) tell(kind, {...here, x: to}, document);
      }
    } else if (/^[1-9]$/.test(event.key)) {
      const entry = chart.querySelectorAll(".legendtoggle")[Number(event.key) - 1];
      if (!entry) return;
      const {left, top} = entry.getBoundingClientRect();
      const box = chart.getBoundingClientRect();
      for (const kind of ["mousedown", "mouseup"]) tell(kind, {x: left - box.left + 2, y: top - box.top + 2}, entry);
    } else if (!lines.length) return;
    else if (event.key === "Enter" && picks) {
      const here = lines[at.line][place(lines)];
      for (const kind of ["mousemove", "mousedown"]) tell(kind, here);
      tell("mouseup", here, document);
    } else if (move(lines, event)) point(lines);
    else return;
    event.preventDefault();
  });
  const take = (tries) => { // the chart that this one replaces may still be there
    if (window.vizkvOnChart !== at || !chart.isConnected) return;
    if (document.activeElement === document.body) chart.focus({preventScroll: true, focusVisible: true});
    else if (tries) setTimeout(() => take(tries - 1), 100);
  };
  take(30);
}
