// The followed sequence's logical blocks, and block tables: of one sequence beside them, or of several side by side.

import {dress, lights, lightsCpu, readable, reveal, tint} from "./links.js";
import {make, write} from "./row.js";

const MOST_CELLS = 64; // of a logical block; in larger ones a bar shows how full it is
const LEAST_WORD = 2.2; // em of a cell for a word in it
const MOST_TABLES = 4;

/** Rows of a list that are made when they are first needed and kept: `build` makes one. */
class Lines {
  constructor(parent, build) {
    Object.assign(this, {parent, build, made: [], shown: 0});
  }

  show(count) {
    while (this.made.length < count) this.made.push(this.build(this.made.length));
    if (count > this.shown) this.parent.append(...this.made.slice(this.shown, count).map((line) => line.element));
    for (let i = count; i < this.shown; i++) this.made[i].element.remove();
    this.shown = count;
    return this.made.slice(0, count);
  }
}

/** How many rows a sequence's table has, in the pool or in the CPU's. */
function rowsOf(ledger, request) {
  return Math.max(ledger.table(request).length, ledger.cpu.get(request)?.length ?? 0);
}

/**
 * The first and the last row that have to be in sight: the one that is pinned, or those that the step is about: copied
 * before a write, found or shared as the table begins, or written. While steps follow each other fast, the last written.
 */
function keyRows({pin, ledger, calm}, request) {
  if (pin?.request === request && pin.block >= 0) return [pin.logical, pin.logical];
  const {size} = ledger;
  const [from, written] = [ledger.wroteFrom(request), ledger.tokens(request)];
  const last = Math.max(0, Math.ceil(written / size) - 1);
  if (!calm) return [last, last];
  const table = ledger.table(request);
  const copied = ledger.copies.filter(([, , who]) => who === request).map(([, to]) => table.indexOf(to)).filter((row) => row >= 0);
  if (copied.length) return [Math.min(...copied), Math.max(...copied)];
  if (ledger.appeared.has(request) && from > 0) return [0, Math.ceil(from / size) - 1];
  return from < written ? [Math.floor(from / size), last] : [last, last];
}

/** The height at which so many lines fit into a box. */
function heightOfLines(box, head, entries) {
  const room = box.clientHeight - head;
  return room > 0 && entries > 0 ? Math.floor((room / entries) * 4) / 4 : 0;
}

export class LogicalPanel {
  constructor(trace, system) {
    const {say} = trace;
    this.element = make("section", "panel panel-logical", "", {"aria-label": say("panel.logical")});
    this.box = make("div", "panel-box", "", {tabindex: "0", role: "group", "aria-label": say("panel.logical")}); // it scrolls
    this.element.append(make("h2", "panel-name", say("panel.logical")), this.box);
    this.cells = Math.min(MOST_CELLS, system.block_size);
    this.size = system.block_size;
    this.bar = system.block_size > MOST_CELLS;
    this.lines = new Lines(this.box, (logical) => this.build(logical));
  }

  /** Cells in which no word could be read stay plain. */
  resize() {
    this.narrow = this.box.clientWidth / (this.size + 2) < LEAST_WORD * parseFloat(getComputedStyle(this.box).fontSize);
    if (this.height !== this.box.clientHeight) this.key = "";
    this.height = this.box.clientHeight;
  }

  /** How high a line may be for so many rows to be seen at once. */
  lineFor(entries) {
    const style = getComputedStyle(this.box);
    return heightOfLines(this.box, parseFloat(style.paddingTop) + parseFloat(style.paddingBottom), entries);
  }

  build(logical) {
    const element = make("div", "logical", "", {"data-logical": logical});
    const cells = make("span", `cells${this.bar ? " bar-only" : ""}`);
    const places = Array.from({length: this.bar ? 1 : this.cells}, () => make("span", "cell"));
    cells.append(...places);
    element.append(make("span", "logical-number", String(logical)), cells);
    return {element, places};
  }

  update(scene) {
    const {ledger, followed} = scene;
    const lines = this.lines.show(rowsOf(ledger, followed));
    lines.forEach((line, logical) => this.fill(scene, line, logical));
    const [first, last] = keyRows(scene, followed);
    const key = `${followed} ${first} ${last}`;
    if (key !== this.key) reveal(this.box, lines[first]?.element, lines[last]?.element);
    this.key = key;
  }

  fill(scene, {element, places}, logical) {
    const {ledger, followed} = scene;
    const block = ledger.table(followed)[logical] ?? -1;
    const cpu = ledger.cpu.get(followed)?.[logical] ?? -1;
    const filled = ledger.filled(followed, logical);
    const fresh = ledger.wroteFrom(followed);
    element.spot = {request: followed, logical};
    dress(element, `logical${block < 0 ? lightsCpu(scene, cpu) : lights(scene, block)}`);
    if (this.bar) {
      places[0].style.setProperty("--filled", filled / ledger.size);
      dress(places[0], `cell filled${tint(block)}`);
      return;
    }
    places.forEach((cell, offset) => {
      const position = logical * ledger.size + offset;
      const full = offset < filled;
      cell.spot = full ? {request: followed, position} : element.spot;
      write(cell, full && !this.narrow ? readable(scene.textOf(followed, position)).trim() : "");
      dress(cell, `cell${full ? ` filled${tint(block)}${position >= fresh ? " new" : ""}${lights(scene, block, offset)}` : ""}`);
    });
  }
}

export class TablePanel {
  /** `several`: tables side by side, of as many sequences as are ever there together. */
  constructor(trace, system, several) {
    const {say} = trace;
    this.trace = trace;
    this.places = Math.max(1, Math.min(MOST_TABLES, several));
    this.element = make("section", `panel panel-table${several > 1 ? " several" : ""}`, "", {"aria-label": say("panel.table")});
    this.boxes = Array.from({length: this.places}, () => this.build(several > 1));
    const side = make("div", "side-by-side");
    side.append(...this.boxes.map((one) => one.box));
    this.element.append(make("h2", "panel-name", say("panel.table")), side);
  }

  build(named) {
    const {say} = this.trace;
    const box = make("div", "panel-box");
    const table = make("table", "block-table");
    const caption = make("caption", named ? "" : "unseen");
    const head = make("tr");
    for (const name of ["logical", "physical", "filled", "references"]) {
      head.append(make("th", "", say(`column.${name}`), {scope: "col"}));
    }
    const body = make("tbody");
    const thead = make("thead");
    thead.append(head);
    table.append(caption, thead, body);
    box.append(table);
    return {box, table, caption, thead, lines: new Lines(body, (logical) => this.row(logical))};
  }

  resize() {
    for (const one of this.boxes) {
      if (one.height !== one.box.clientHeight) one.table.key = "";
      one.height = one.box.clientHeight;
    }
  }

  /** How high a line may be for so many rows to be seen at once. */
  lineFor(entries) {
    const {box, caption, thead} = this.boxes[0];
    return heightOfLines(box, caption.offsetHeight + thead.offsetHeight, entries);
  }

  row(logical) {
    const element = make("tr", "entry-row", "", {tabindex: "-1", "data-logical": logical});
    const physical = make("td", "physical");
    const [right, wrong] = [make("span", "block-name"), make("b", "misread")];
    physical.append(wrong, right);
    const [filled, refs] = [make("td"), make("td")];
    element.append(make("td", "", String(logical)), physical, filled, refs);
    return {element, right, wrong, filled, refs};
  }

  /** The sequences to show: always in the same places if there are few, otherwise whoever is there. */
  shown({ledger, followed, everyone, calm}) {
    if (this.places === 1) return [followed];
    if (everyone.length <= this.places) return everyone;
    const live = [...new Set([...ledger.tables.keys(), ...ledger.cpu.keys()])];
    const shown = live.slice(0, this.places);
    // whom the step is about has a place
    const news = calm ? live.filter((request) => ledger.appeared.has(request) || ledger.copies.some(([, , who]) => who === request)) : [];
    for (const request of news.slice(0, this.places)) {
      const place = shown.findLastIndex((one) => !news.includes(one));
      if (!shown.includes(request) && place >= 0) shown[place] = request;
    }
    if (followed >= 0 && live.includes(followed) && !shown.includes(followed)) shown[this.places - 1] = followed;
    return shown;
  }

  update(scene) {
    const shown = this.shown(scene);
    this.boxes.forEach((one, i) => this.table(scene, one, shown[i] ?? -1));
  }

  table(scene, {box, table, caption, thead, lines}, request) {
    const {ledger, followed} = scene;
    write(caption, this.trace.requests[request]?.id ?? "");
    dress(table, `block-table${ledger.tables.has(request) || ledger.cpu.has(request) ? "" : " absent"}${request === followed ? " followed" : ""}`);
    const rows = lines.show(rowsOf(ledger, request));
    rows.forEach((line, logical) => this.fill(scene, line, request, logical));
    const [first, last] = keyRows(scene, request);
    const key = `${request} ${first} ${last}`;
    if (table.key !== key) {
      table.key = key;
      if (table.reached) table.reached.tabIndex = -1;
      table.reached = rows[last]?.element;
      if (table.reached) table.reached.tabIndex = 0;
      reveal(box, rows[first]?.element, rows[last]?.element, caption.offsetHeight + thead.offsetHeight);
    }
  }

  fill(scene, {element, right, wrong, filled, refs}, request, logical) {
    const {ledger} = scene;
    const {say} = this.trace;
    const block = ledger.table(request)[logical] ?? -1;
    const cpu = block < 0 ? (ledger.cpu.get(request)?.[logical] ?? -1) : -1;
    const misread = ledger.misread(request, logical);
    const full = ledger.filled(request, logical);
    const from = ledger.wroteFrom(request);
    const written = ledger.tokens(request);
    const writing = from < written && logical >= Math.floor(from / ledger.size) && logical <= Math.floor((written - 1) / ledger.size);
    const copied = scene.ledger.copies.some(([, to, who]) => to === block && who === request);
    element.spot = {request, logical};
    write(right, cpu >= 0 ? say("cpu.block", {block: cpu}) : String(block));
    write(wrong, misread >= 0 ? String(misread) : "");
    dress(right, `block-name${tint(block)}${misread >= 0 ? " struck" : ""}`);
    write(filled, cpu >= 0 ? "" : say("filled", {filled: full, size: ledger.size}));
    write(refs, cpu >= 0 ? "" : String(ledger.refs[block] ?? ""));
    const states = `${writing ? " writing" : ""}${misread >= 0 ? " wrong" : ""}${copied ? " copied" : ""}${ledger.refs[block] > 1 ? " shared" : ""}`;
    dress(element, `entry-row${states}${cpu >= 0 ? lightsCpu(scene, cpu) : lights(scene, block)}`);
  }
}
