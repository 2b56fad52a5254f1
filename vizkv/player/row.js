// One system on the page: its name and who waits, its strip, its share used and its ledger.

import {CODE, Memory} from "./memory.js";
import {Strip} from "./strip.js";
import {MOST_BAND} from "./blocks.js";
import {categoriesOf, wordOf} from "./payload.js";
import {MARK} from "./look.js";

/** An element with classes, text and attributes. */
export function make(tag, className = "", text = "", attributes = {}) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** Sets a text only when it changes: most of the page stays the same from step to step. */
export function write(element, text) {
  if (element.shown === text) return;
  element.shown = text;
  element.textContent = text;
}

const NUMBERS = ["reserved", "internal", "external", "free"];

export class Row {
  constructor(trace, system) {
    this.trace = trace;
    this.system = system;
    this.memory = new Memory(system, trace.steps);
    this.dirty = true;
    this.links = null; // what the panels light in it
    this.cursor = 0; // the slot that the keyboard is on
    this.element = make("section", "row", "", {"aria-label": system.name});
    this.element.append(this.buildLabel(), this.buildStrip(), this.buildLedger());
    this.strip = new Strip(this.canvas, system, trace.requests, trace.panels.length > 0);
  }

  buildLabel() {
    const {system, trace} = this;
    const label = make("div", "label");
    this.focus = make("button", "name", system.name, {type: "button", "aria-pressed": "false", "data-focus": system.index});
    this.focus.title = trace.say("focus", {system: system.name});
    this.waiting = make("div", "waiting");
    this.pair = make("div", "pair");
    this.holeBar = make("span", "pair-bar hole-bar");
    this.holeText = make("span", "pair-text");
    this.needBar = make("span", "pair-bar need-bar");
    this.needText = make("span", "pair-text");
    this.pair.append(this.holeBar, this.holeText, this.needBar, this.needText);
    const head = make("h2", "name-line"); // a screen reader goes from system to system
    head.append(this.focus);
    label.append(head, make("div", "subtitle", system.subtitle), this.waiting, this.pair);
    return label;
  }

  buildStrip() {
    this.frame = make("div", "strip");
    this.canvas = make("canvas", "slots", "", {role: "slider", "data-system": this.system.index, tabindex: "0", "aria-describedby": "vizkv-slots"});
    this.frame.append(this.canvas);
    return this.frame;
  }

  buildLedger() {
    const {trace} = this;
    const ledger = make("div", "ledger");
    const top = make("div", "share");
    this.percent = make("span", "percent");
    this.own = make("span", "own-step"); // where each system has a clock of its own
    this.what = make("span", "percent-of");
    top.append(this.percent, this.what, this.own);
    this.bar = make("div", "bar", "", {role: "group", "aria-label": this.system.name});
    this.shares = trace.categories.map((name, category) => {
      const share = make("span", `part mark-${name}`, "", {"data-lit": category, "data-system": this.system.index, role: "button", tabindex: "-1"});
      this.bar.append(share);
      return share;
    });
    const numbers = (this.table = make("div", "numbers"));
    this.numbers = NUMBERS.map((name) => {
      const cell = make("span", "number", "", {"data-category": name});
      const value = make("b");
      cell.append(value, make("span", "word", ` ${trace.say(`short.${name}`)}`));
      numbers.append(cell);
      return value;
    });
    ledger.append(top, this.bar, numbers);
    return ledger;
  }

  /** The run's number of the step that this system shows in a frame. */
  stepAt(frame) {
    return this.system.run.step?.[frame] ?? frame + this.trace.first;
  }

  /** Slots by category in the memory's step: five integers that add up to the pool. */
  booked(view) {
    const totals = [0, 0, 0, 0, 0];
    const categories = categoriesOf(this.trace, view);
    this.memory.counts().forEach((count, code) => (totals[categories[code]] += count));
    return totals;
  }

  /** Everything around the strip. */
  label(view) {
    const {trace, system, memory} = this;
    const totals = this.booked(view);
    const {ended} = system;
    const over = this.stepAt(memory.step) >= ended.step; // nothing of it is used any more, and nothing is missing
    this.element.classList.toggle("over", over);
    write(this.percent, over ? ended.word : trace.percent(totals[0] / system.slots));
    write(this.what, over ? ended.after : trace.say("short.used"));
    this.percent.title = over ? ended.sentence : "";
    if (trace.timed) {
      write(this.own, trace.say("own", {step: this.stepAt(memory.step)}));
      this.own.title = trace.say("own.hint", {second: trace.tenth(system.run.time_s[memory.step])});
    }
    totals.forEach((count, category) => {
      const share = this.shares[category];
      const title = trace.say("share", {count, category: trace.say(`category.${wordOf(trace.categories[category], view)}`)});
      if (share.title !== title) {
        share.title = title;
        share.setAttribute("aria-label", title);
      }
      if (share.count === count) return;
      share.count = count;
      share.style.flexGrow = count; // shares of the row's width: the bar closes because the ledger does
      share.hidden = count === 0;
    });
    // the part of "external & others" that is free stays light
    const free = this.memory.counts().reduce((sum, n, code) => sum + (code >= CODE.FREE && code !== CODE.EXPIRED ? n : 0), 0);
    const others = totals[MARK.EXTERNAL];
    this.shares[MARK.EXTERNAL].style.setProperty("--light", view.accounting === "paper" && others ? free / others : 0);
    this.reach();
    NUMBERS.forEach((name, i) => {
      const count = totals[trace.categories.indexOf(name)];
      write(this.numbers[i], trace.number(count));
      write(this.numbers[i].nextElementSibling, ` ${trace.say(`short.${wordOf(name, view)}`)}`);
      this.numbers[i].parentElement.classList.toggle("none", count === 0);
    });
    write(this.waiting, trace.waits[system.run.waiting[memory.step]] ?? "");
    this.waiting.title = this.waiting.shown;
    this.compare(this.refusal());
  }

  /** Tab comes to one part of the bar, the arrows to the others. */
  reach() {
    const there = this.shares.filter((share) => !share.hidden);
    if (there.some((share) => share.tabIndex === 0)) return;
    this.shares.forEach((share) => (share.tabIndex = share === there[0] ? 0 : -1));
  }

  /** The refusal that stands in this step, or null. */
  refusal() {
    const index = this.system.run.refusal[this.memory.step];
    return index >= 0 ? this.trace.refusals[index] : null;
  }

  /** The largest hole and what is needed, as two bars of one scale. */
  compare(refusal) {
    if (this.compared === refusal) return;
    this.compared = refusal;
    this.pair.classList.toggle("shown", refusal !== null);
    if (!refusal) return;
    const {say, requests} = this.trace;
    // where a hole in one piece does not matter (paging), what is free is what counts
    const room = this.system.block_size ? refusal.free : refusal.hole;
    const most = Math.max(room, refusal.need, 1);
    this.holeBar.style.setProperty("--part", room / most);
    this.needBar.style.setProperty("--part", refusal.need / most);
    this.holeText.textContent = say(this.system.block_size ? "refusal.free" : "refusal.hole", {slots: room});
    this.needText.textContent = say("refusal.need", {request: requests[refusal.request]?.id, slots: refusal.need});
    this.pair.title = refusal.text;
  }

  /** Go to a step; marks the strip for drawing if a slot or the hole changed. */
  seek(step) {
    const before = this.memory.step >= 0 ? this.refusal() : null;
    if (this.memory.seek(step) || before !== this.refusal()) this.dirty = true;
  }

  draw(look, view, lit, hover, mark) {
    const refusal = this.refusal();
    const hole = refusal && !this.system.block_size ? [refusal.hole_start, refusal.hole] : null;
    this.strip.draw({
      memory: this.memory, look, hole, hover, lit, mark, links: this.links,
      categories: categoriesOf(this.trace, view),
      byRequest: view.colour === "request",
    });
    this.dirty = false;
    this.drawnAt = this.memory.step;
  }

  /** For people who do not see the canvas. */
  describe(view) {
    const {trace, system, memory} = this;
    const totals = this.booked(view);
    const list = trace.categories.map((name, i) => trace.say("share", {count: totals[i], category: trace.say(`category.${wordOf(name, view)}`)}));
    this.canvas.setAttribute("aria-label", trace.say("canvas", {system: system.name, step: this.stepAt(memory.step), shares: list.join(", ")}));
    this.canvas.setAttribute("aria-valuemin", 0);
    this.canvas.setAttribute("aria-valuemax", system.slots - 1);
  }

  /** The height in CSS pixels beyond which the strip would only be stretched: thin rows 30, cells with text about square. */
  most() {
    const {rows, columns} = this.strip;
    const wide = this.frame.clientWidth / columns;
    const most = rows * Math.max(30, Math.min(56, 2.1 * wide), 1.1 * wide);
    if (!this.strip.linked) return Math.ceil(most);
    return Math.ceil(rows * MOST_BAND + Math.max(most, rows <= 3 ? rows * Math.min(90, 2.6 * wide) : 0));
  }

  /** The height in CSS pixels below which tokens and labels could not be read; 0 for a strip without text. */
  least() {
    const type = parseFloat(getComputedStyle(this.element).fontSize);
    return this.strip.rows <= 3 ? this.strip.rows * (this.strip.linked ? 3 : 2) * type : 0;
  }

  /** Size everything to the room there is. */
  fit(look) {
    this.fitNumbers(look);
    const {dpr} = look;
    const {clientWidth, clientHeight} = this.frame;
    if (!clientWidth || !clientHeight) return;
    const height = Math.min(clientHeight, this.most());
    this.canvas.style.height = `${height}px`;
    if (this.strip.resize(clientWidth, height, dpr)) this.dirty = true;
  }

  /** The numbers never run past the margin, however large the pool and whatever the font. */
  fitNumbers(look) {
    const {trace, system, table} = this;
    const {ctx} = this.strip;
    ctx.font = `600 100px ${look.font}`;
    const longest = Math.max(...NUMBERS.map((name) => ctx.measureText(`${trace.number(system.slots)} ${trace.say(`short.${name}`)}`).width));
    table.style.fontSize = "";
    const size = parseFloat(getComputedStyle(table).fontSize);
    const columns = getComputedStyle(table).gridTemplateColumns.split(" ").length;
    const most = ((table.clientWidth / columns - size * 0.6) / longest) * 100;
    if (most < size) table.style.fontSize = `${most}px`;
  }
}
