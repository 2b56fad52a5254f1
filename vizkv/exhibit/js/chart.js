// A chart of lines over one axis, as an SVG of our own: values on hover, and by keyboard a point at a time.

const NS = "http://www.w3.org/2000/svg";
const DASHES = ["", "9 6", "2 5", "9 5 2 5", "16 6", "16 5 2 5"];
const SYMBOLS = [
  (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`,
  (r) => `M${-r} ${-r}h${2 * r}v${2 * r}h${-2 * r}z`,
  (r) => `M0 ${-1.3 * r}L${1.3 * r} 0L0 ${1.3 * r}L${-1.3 * r} 0z`,
  (r) => `M0 ${-1.2 * r}L${1.2 * r} ${r}H${-1.2 * r}z`,
  (r) => `M0 ${1.2 * r}L${1.2 * r} ${-r}H${-1.2 * r}z`,
  (r) => `M${-r} ${-r / 3}h${0.67 * r}v${-0.67 * r}h${0.67 * r}v${0.67 * r}h${0.67 * r}v${0.67 * r}h${-0.67 * r}v${0.67 * r}h${-0.67 * r}v${-0.67 * r}h${-0.67 * r}z`,
];
const NEAR = 60; // CSS pixels within which the pointer finds a point

function svg(tag, attributes, text = "") {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text) element.textContent = text;
  return element;
}

/** Round steps for an axis from 0 to `high`, about `count` of them. */
function steps(high, count) {
  const rough = high / count;
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * ten).find((n) => n >= rough);
  return Array.from({length: Math.floor(high / step + 1e-9) + 1}, (_, i) => i * step);
}

/** Places as near as possible to those wanted, in their order, with `gap` between any two. */
function apart(wanted, gap, low, high) {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b]);
  const placed = [];
  let floor = low;
  for (const i of order) floor = (placed[i] = Math.max(floor, wanted[i])) + gap;
  let ceiling = high;
  for (const i of order.toReversed()) ceiling = (placed[i] = Math.min(placed[i], ceiling)) - gap;
  return placed;
}

export class Chart {
  constructor(element, words) {
    this.words = words;
    this.number = new Intl.NumberFormat(words.lang, {maximumFractionDigits: 1});
    element.innerHTML = `<div class="vizkv-chart"><div class="plot" tabindex="0" role="group"></div><p class="note" hidden></p><div class="unseen" aria-live="polite"></div></div>`;
    this.root = element.firstElementChild;
    this.plot = this.root.querySelector(".plot");
    this.tip = Object.assign(document.createElement("div"), {className: "tip", hidden: true});
    this.plot.setAttribute("aria-label", `${words.alt} ${words.hint}`);
    const note = this.root.querySelector(".note");
    note.textContent = words.note;
    note.hidden = !words.note;
    this.plot.addEventListener("pointermove", (event) => this.point(event));
    this.plot.addEventListener("pointerleave", () => this.choose(null));
    this.plot.addEventListener("keydown", (event) => this.key(event));
    this.plot.addEventListener("blur", () => this.choose(null));
    this.observer = new ResizeObserver(() => this.draw());
  }

  open(data) {
    this.data = data;
    this.observer.observe(this.plot);
    this.draw();
  }

  close() {
    this.observer.disconnect();
  }

  nameOf(x) {
    return typeof x === "string" ? (this.words.places[x] ?? x) : this.number.format(x);
  }

  value(y) {
    return this.number.format(y) + (this.words.unit ? ` ${this.words.unit}` : "");
  }

  draw() {
    const [wide, high] = [this.plot.clientWidth, this.plot.clientHeight];
    if (!this.data || !wide || !high) return;
    const {data, words} = this;
    const type = Math.max(13, Math.min(20, wide / 62));
    const narrow = wide < 620;
    const longest = Math.max(...words.names.map((name) => [...name].reduce((sum, letter) => sum + (letter > "\u2e80" ? 1.8 : 1), 0)));
    const box = {left: type * 3.4, right: wide - (narrow ? type : type * (2 + 0.56 * longest)), top: type * 2.1, bottom: high - type * (narrow ? 3.4 + 1.5 * data.series.length : 3.4)};
    const places = data.xs.map((x, i) => (typeof x === "string" ? i : data.log ? Math.log(x) : x));
    const [first, last] = [Math.min(...places), Math.max(...places)];
    const across = (x) => box.left + type + ((places[data.xs.indexOf(x)] - first) / (last - first || 1)) * (box.right - box.left - 2 * type);
    const up = (y) => box.bottom - ((y - data.low) / (data.high - data.low)) * (box.bottom - box.top);
    const art = svg("svg", {"aria-hidden": "true", "font-size": type});
    art.append(svg("text", {x: 0, y: type, class: "quiet"}, words.y));
    if (data.band) {
      const [low, top] = data.band;
      art.append(svg("rect", {x: box.left, y: up(top), width: box.right - box.left, height: up(low) - up(top), fill: "var(--chart-band)"}));
      art.append(svg("text", {x: box.left + 6, y: up(low) + type * 1.15, class: "quiet"}, words.band));
    }
    for (const y of steps(data.high, 5)) {
      art.append(svg("line", {x1: box.left, x2: box.right, y1: up(y), y2: up(y), stroke: "var(--chart-grid)"}));
      art.append(svg("text", {x: box.left - 8, y: up(y) + type * 0.35, "text-anchor": "end", class: "quiet"}, this.number.format(y)));
    }
    if (data.mark !== null) {
      art.append(svg("line", {x1: across(data.mark), x2: across(data.mark), y1: box.top, y2: box.bottom, stroke: "currentColor", "stroke-dasharray": "2 5"}));
      art.append(svg("text", {x: across(data.mark) + 6, y: box.top + type * 0.4, class: "quiet"}, words.mark));
    }
    let free = -Infinity;
    for (const x of data.xs) {
      const label = this.nameOf(x);
      const half = label.length * type * 0.3;
      if (across(x) - half < free) continue;
      free = across(x) + half + type * 0.4;
      art.append(svg("text", {x: across(x), y: box.bottom + type * 1.3, "text-anchor": "middle"}, label));
    }
    art.append(svg("text", {x: (box.left + box.right) / 2, y: box.bottom + type * 2.7, "text-anchor": "middle", class: "quiet"}, words.x));
    this.points = [];
    for (const [n, x, y] of data.quoted) {
      if (n < data.series.length) art.append(svg("line", {x1: across(x) - type, x2: across(x) + type, y1: up(y), y2: up(y), stroke: "currentColor", "stroke-width": 3}));
    }
    if (words.quoted) {
      art.append(svg("line", {x1: box.left + type, x2: box.left + type * 3, y1: type * 0.65 + type * 1.4, y2: type * 0.65 + type * 1.4, stroke: "currentColor", "stroke-width": 3}));
      art.append(svg("text", {x: box.left + type * 3.5, y: type * 2.4}, words.quoted));
    }
    data.series.forEach((series, n) => {
      const colour = `var(--line-${series.look % 6})`;
      const at = series.points.map(([x, y]) => [across(x), up(y)]);
      art.append(svg("path", {d: at.map(([x, y], i) => `${i ? "L" : "M"}${x} ${y}`).join(""), fill: "none", stroke: colour, "stroke-width": 3, "stroke-dasharray": DASHES[series.look % 6]}));
      series.points.forEach(([x, y, low, top], i) => {
        if (top > low) art.append(svg("line", {x1: at[i][0], x2: at[i][0], y1: up(low), y2: up(top), stroke: colour, "stroke-width": 1.5}));
        art.append(svg("path", {d: SYMBOLS[series.look % 6](type * 0.36), transform: `translate(${at[i]})`, fill: colour}));
        this.points.push({series: n, index: i, x: at[i][0], y: at[i][1], place: x, value: y, low, high: top});
      });
    });
    this.names(art, {box, type, narrow, up});
    this.ring = svg("circle", {r: type * 0.8, fill: "none", stroke: "currentColor", "stroke-width": 2.5, visibility: "hidden"});
    art.append(this.ring);
    this.plot.replaceChildren(art, this.tip);
    this.choose(this.chosen && this.points.find((p) => p.series === this.chosen.series && p.index === this.chosen.index));
  }

  /** Each line's name at its end, or below the axis where the picture is narrow. */
  names(art, {box, type, narrow, up}) {
    const {data, words} = this;
    const ends = data.series.map((series) => up(series.points.at(-1)?.[1] ?? 0));
    const places = narrow ? ends.map((_, n) => box.bottom + type * (4 + 1.5 * n)) : apart(ends, type * 1.3, box.top, box.bottom);
    data.series.forEach((series, n) => {
      const colour = `var(--line-${series.look % 6})`;
      const x = narrow ? box.left : box.right + type * 0.4;
      art.append(svg("path", {d: SYMBOLS[series.look % 6](type * 0.36), transform: `translate(${x + type * 0.4} ${places[n] - type * 0.02})`, fill: colour}));
      art.append(svg("text", {x: x + type * 1.2, y: places[n] + type * 0.35, "font-weight": 600}, words.names[n]));
    });
  }

  point(event) {
    if (!this.points) return;
    const box = this.plot.getBoundingClientRect();
    const scale = box.width / this.plot.clientWidth || 1;
    const [x, y] = [(event.clientX - box.left) / scale, (event.clientY - box.top) / scale];
    const far = (p) => Math.hypot(p.x - x, p.y - y);
    const nearest = this.points.reduce((best, p) => (best && far(best) <= far(p) ? best : p), null);
    this.choose(nearest && far(nearest) < NEAR ? nearest : null);
  }

  key(event) {
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    const other = {ArrowUp: 1, ArrowDown: -1}[event.key];
    if (!step && !other) return;
    event.preventDefault();
    event.stopPropagation();
    const now = this.chosen ?? {series: 0, index: step ? (step > 0 ? -1 : this.data.series[0].points.length) : 0};
    if (step) {
      const line = this.points.filter((p) => p.series === now.series);
      this.choose(line[Math.max(0, Math.min(line.length - 1, now.index + step))], true);
      return;
    }
    // the next line above or below at the same place
    const here = this.points.filter((p) => p.index === now.index).sort((a, b) => b.y - a.y);
    const at = here.findIndex((p) => p.series === now.series);
    this.choose(here[Math.max(0, Math.min(here.length - 1, at + other))], true);
  }

  choose(point, aloud = false) {
    this.chosen = point ?? null;
    this.tip.hidden = !point;
    this.ring?.setAttribute("visibility", point ? "visible" : "hidden");
    if (!point) return;
    this.ring.setAttribute("cx", point.x);
    this.ring.setAttribute("cy", point.y);
    const spread = point.high > point.low ? ` (${this.number.format(point.low)} – ${this.number.format(point.high)})` : "";
    const said = `${this.words.names[point.series]} · ${this.nameOf(point.place)}: ${this.value(point.value)}${spread}`;
    this.tip.textContent = said;
    const most = this.plot.clientWidth - this.tip.offsetWidth;
    this.tip.style.left = `${Math.max(0, Math.min(most, point.x - this.tip.offsetWidth / 2))}px`;
    this.tip.style.top = `${Math.max(0, point.y - this.tip.offsetHeight - 18)}px`;
    if (aloud) this.root.querySelector("[aria-live]").textContent = said;
  }
}
