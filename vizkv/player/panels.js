// The panels beside the rows, linked: what is under the pointer, or pinned, is lit in all of them and in the pool.

import {Ledger} from "./ledger.js";
import {ofBlock, ofCpu, ofRow, ofSlot, ofToken} from "./links.js";
import {make} from "./row.js";
import {TextPanel} from "./text.js";
import {LogicalPanel, TablePanel} from "./tables.js";
import {CpuPanel, QueuePanel} from "./queue.js";
import {RangesPanel} from "./ranges.js";
import {FollowPanel} from "./follow.js";

const KINDS_OF_PANEL = {text: TextPanel, ranges: RangesPanel, logical: LogicalPanel, table: TablePanel, follow: FollowPanel, queue: QueuePanel, cpu: CpuPanel};
const ORDER = ["text", "ranges", "logical", "table", "follow", "queue", "cpu"]; // from the text down to the pool
const ABOVE = ["text", "ranges"];
const CALM = 2; // steps a second up to which a table is scrolled to what each step is about
const LEAST_LINE = 1.4; // of the type: a lower line cannot be read
const MIDDLE = ["logical", "table", "follow"]; // side by side; the others take a line

/** Who has a table at some step, and how many at once: what the panels must have room for. */
function census(system, trace) {
  const {last} = trace;
  const ledger = new Ledger(system, trace);
  const seen = new Set();
  let together = 1;
  for (let step = 0; step <= last; step++) {
    ledger.seek(step);
    for (const request of ledger.tables.keys()) seen.add(request);
    together = Math.max(together, ledger.tables.size);
  }
  return {everyone: [...seen].sort((a, b) => a - b), together};
}

export class Panels {
  constructor(player) {
    const {trace} = player;
    this.player = player;
    this.trace = trace;
    this.root = player.at(".panels");
    this.ledgers = trace.systems.map((system) => (system.run.ops ? new Ledger(system, trace) : null));
    this.hovered = null; // the spot under the pointer or the focus
    this.fixed = null; // a pinned spot that is no token: a block of the queue, of the CPU pool
    this.names = trace.requests.map((request) => request.id);
    this.nullBlock = trace.say("null");
    this.built = new Map(); // system -> its panels
    this.watch();
  }

  /** The system that the panels are about: the one that is followed if it has blocks, or the first that has. */
  get system() {
    const {focus} = this.player.view;
    if (focus >= 0 && this.ledgers[focus]?.size) return focus;
    return this.ledgers.findIndex((ledger) => ledger?.size > 0);
  }

  get ledger() {
    return this.ledgers[this.system];
  }

  /** The panels of a system; each has its own, made when it is first looked at. */
  panelsOf(index) {
    if (!this.built.has(index)) {
      const {trace} = this;
      const system = trace.systems[index];
      const facts = census(system, trace);
      const several = trace.panels.includes("follow") ? 1 : Math.max(facts.together, Math.min(4, facts.everyone.length));
      const panels = ORDER.filter((name) => trace.panels.includes(name) && (name !== "cpu" || system.cpu_blocks) && (name !== "ranges" || system.range_pages)).map((name) => {
        const panel = new KINDS_OF_PANEL[name](trace, system, name === "table" ? several : facts.everyone);
        panel.name = name;
        return panel;
      });
      this.built.set(index, {panels, facts});
    }
    return this.built.get(index);
  }

  /** Put the panels of the followed system on the page. */
  show(index) {
    if (this.shown === index) return;
    this.shown = index;
    const {panels} = this.panelsOf(index);
    const middle = make("div", "panels-middle");
    middle.append(...panels.filter(({name}) => MIDDLE.includes(name)).map(({element}) => element));
    middle.dataset.panels = panels.filter(({name}) => MIDDLE.includes(name)).map(({name}) => name).join(" ");
    const lines = panels.filter(({name}) => !MIDDLE.includes(name));
    const [above, below] = [lines.filter(({name}) => ABOVE.includes(name)), lines.filter(({name}) => !ABOVE.includes(name))];
    // room for the longest table, so that nothing moves as it grows
    const {everyone} = this.panelsOf(index).facts;
    const longest = Math.max(1, ...everyone.map((i) => Math.ceil(this.trace.requests[i].final_slots / this.ledger.size)));
    middle.style.setProperty("--entries", longest);
    this.longest = longest;
    this.root.replaceChildren(...above.map(({element}) => element), ...(middle.childElementCount ? [middle] : []), ...below.map(({element}) => element));
  }

  resize() {
    if (this.shown === undefined) this.show(this.system);
    for (const panel of this.panelsOf(this.shown).panels) panel.resize?.();
    const {rows} = this.player;
    for (const row of rows) {
      row.element.style.setProperty("--most", `${row.most()}px`);
      row.element.style.setProperty("--least", `${row.least()}px`);
    }
    this.player.root.style.setProperty("--rows-most", `${rows.reduce((sum, row) => sum + row.most() + 16, 0)}px`);
    this.fitLines();
  }

  /** Lower lines, where the longest table is seen whole then: no row has to be scrolled away. */
  fitLines() {
    const {panels} = this.panelsOf(this.shown);
    const middle = this.root.querySelector(".panels-middle");
    if (!middle) return;
    middle.style.removeProperty("--row");
    const least = Math.min(...panels.filter((panel) => panel.lineFor).map((panel) => panel.lineFor(this.longest)));
    const type = parseFloat(getComputedStyle(middle).fontSize);
    if (least >= LEAST_LINE * type && least < Infinity) middle.style.setProperty("--row", `min(var(--line), ${least}px)`);
  }

  // -- what is lit ---------------------------------------------------------------------------------------------------

  /** The sequence that the panels follow: the chosen one, or the first that has a table. */
  followed() {
    const {request} = this.player.view;
    if (request >= 0) return request;
    const first = this.ledger.tables.keys().next();
    return first.done ? -1 : first.value;
  }

  /** What a spot means in this step, as a target. */
  target(spot) {
    const {ledger} = this;
    if (!spot) return null;
    if (spot.part) return this.part(spot.part);
    if (spot.slot !== undefined) return ofSlot(ledger, spot.slot);
    if (spot.position !== undefined) return ofToken(ledger, spot.request, spot.position);
    if (spot.logical !== undefined) return ofRow(ledger, spot.request, spot.logical);
    return spot.cpu !== undefined ? ofCpu(spot.cpu) : ofBlock(spot.block);
  }

  pinned() {
    const {position} = this.player.view;
    return position >= 0 ? ofToken(this.ledger, this.followed(), position) : this.target(this.fixed);
  }

  /** A part of the arithmetic: its token or its block. */
  part(name) {
    const token = this.pinned();
    if (!token || token.position < 0) return null;
    return name === "row" || name === "block" ? {...token, offset: -1, part: name} : {...token, part: name};
  }

  /** Go to the view's step and draw everything that has changed. */
  update(view) {
    const index = this.system;
    this.show(index);
    for (const ledger of this.ledgers) ledger?.seek(view.step);
    const {panels, facts} = this.panelsOf(index);
    const followed = this.followed();
    const scene = (this.scene = {
      ledger: this.ledger, followed, everyone: facts.everyone,
      lit: this.target(this.hovered), pin: this.pinned(),
      textOf: (request, position) => this.ledger.textOf(request, position),
      calm: !this.player.playing || this.player.rate() <= CALM,
    });
    if (scene.lit && !scene.lit.part) scene.lit.part = this.hovered.from ?? "";
    this.root.dataset.part = scene.lit?.part ?? "";
    for (const panel of panels) panel.update(scene);
    this.linkRows(view.step);
  }

  /** Tell the rows what to light; they are drawn only if that has changed. */
  linkRows(step) {
    const {lit, pin} = this.scene;
    for (const row of this.player.rows) {
      const words = this.ledgers[row.system.index];
      const ledger = words?.size ? words : null;
      const [there, held] = row.system.index === this.system ? [lit, pin] : [this.elsewhere(ledger, lit), this.elsewhere(ledger, pin)];
      const key = `${step} ${[there, held].map((t) => (t ? `${t.block} ${t.offset} ${t.request} ${t.position}` : "")).join("|")}`;
      if (row.linked === key) continue;
      row.linked = key;
      row.dirty = true;
      row.links = {ledger, words, names: this.names, lit: there, pin: held, nullBlock: row.system.null_block ? this.nullBlock : ""};
    }
  }

  /** The same token in another system. */
  elsewhere(ledger, target) {
    if (!target || target.position < 0 || !ledger) return target;
    return ofToken(ledger, target.request, target.position);
  }

  // -- pointer -------------------------------------------------------------------------------------------------------

  watch() {
    const {root} = this;
    this.ending = new AbortController();
    const on = (name, does) => root.addEventListener(name, does, {signal: this.ending.signal});
    on("pointermove", (event) => this.hover(spotOf(event.target, root)));
    on("pointerleave", () => this.hover(null));
    // what has the keyboard's focus is lit like what is under the pointer
    on("focusin", (event) => event.target.matches(":focus-visible") && this.hover(spotOf(event.target, root)));
    on("focusout", () => this.hover(null));
  }

  rest() {
    this.ending.abort();
  }

  hover(spot) {
    if (this.hovered === spot || JSON.stringify(this.hovered) === JSON.stringify(spot)) return;
    this.hovered = spot;
    this.player.soon();
  }

  /** The pointer is on a slot of a row's canvas; -1: no more. */
  atSlot(row, slot, whole) {
    this.hover(slot < 0 ? null : this.spotOfSlot(row, slot, whole));
  }

  /** The pointer is on no slot: what it may have on a panel by now stays. */
  leaveSlots() {
    if (this.hovered?.pool) this.hover(null);
  }

  spotOfSlot(row, slot, whole) {
    if (row.system.index === this.system) {
      return whole ? {block: Math.floor(slot / this.ledger.size), from: "block", pool: true} : {slot, from: "slot", pool: true};
    }
    const [request, position] = [row.memory.owner(slot), row.memory.position(slot)];
    return request >= 0 && position >= 0 ? {request, position, from: "slot", pool: true} : null;
  }

  /** A click on a slot pins its token, or its block if none is written there. */
  clickSlot(row, slot, whole, byKey) {
    this.pin(this.spotOfSlot(row, slot, whole));
    if (!byKey) this.toToken();
  }

  /** A click inside of the panels; whether it was one. */
  click(event) {
    if (!this.root.contains(event.target)) return false;
    const chip = event.target.closest("[data-request]");
    const spot = spotOf(event.target, this.root);
    // after a click the keys belong to the player again, or to the token that was chosen
    const byPointer = event.detail > 0;
    if (byPointer) this.player.hands.handBack();
    if (chip) this.player.set({request: Number(chip.dataset.request)});
    else if (spot?.part) this.hover(spot);
    else if (spot) {
      this.pin(spot);
      if (byPointer) this.toToken();
    } else this.unpin();
    return true;
  }

  pin(spot) {
    const target = this.target(spot);
    if (!target) return;
    const {view} = this.player;
    this.fixed = null;
    if (target.request >= 0 && target.logical >= 0) {
      // a row stands for its block's first token
      const position = target.position >= 0 ? target.position : target.logical * this.ledger.size;
      const same = view.position === position && this.followed() === target.request;
      this.player.set({request: target.request, position: same ? -1 : position});
    } else {
      this.fixed = spot;
      this.player.set({position: -1});
    }
  }

  unpin() {
    this.fixed = null;
    this.player.set({position: -1});
  }

  // -- keyboard ------------------------------------------------------------------------------------------------------

  /** The arrow keys belong to the token that is followed, where the text is shown. */
  toToken() {
    const {position} = this.player.view;
    const text = this.panelsOf(this.system).panels.find(({name}) => name === "text");
    if (position < 0 || !text) return;
    this.update(this.player.view);
    text.find(position)?.focus({preventScroll: true});
  }

  /** A key on something in the panels; whether it was meant for us. */
  key(target, key) {
    if (!this.root.contains(target)) return false;
    const along = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
    const down = key === "ArrowDown" ? 1 : key === "ArrowUp" ? -1 : 0;
    if (key === "Escape" && (this.player.view.position >= 0 || this.fixed)) {
      this.unpin();
      this.player.root.focus({preventScroll: true});
    } else if (target.matches(".token")) return this.keyOnToken(target, key, along);
    else if (target.matches(".entry-row")) return this.keyOnRow(target, key, down);
    else if (target.matches(".free-chip") && along) this.step(target, along, ".free-chip");
    else return false;
    return true;
  }

  keyOnToken(token, key, along) {
    if (key === "Enter") this.pin(token.spot);
    else if (along) {
      const position = token.spot.position + along;
      if (position < 0 || position >= this.ledger.tokens(token.spot.request)) return true;
      this.player.set({request: token.spot.request, position});
      this.toToken();
    } else return false;
    return true;
  }

  keyOnRow(row, key, down) {
    if (key === "Enter") this.pin(row.spot);
    else if (down) this.step(row, down, ".entry-row");
    else return false;
    return true;
  }

  /** Move the focus to a neighbour. */
  step(element, by, selector) {
    const all = [...element.parentElement.querySelectorAll(selector)];
    const next = all[all.indexOf(element) + by];
    if (!next) return;
    element.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}

/** The spot of an element or of what it lies in; where it was found says which part of the arithmetic it is. */
function spotOf(element, root) {
  for (let e = element; e && e !== root; e = e.parentElement) {
    if (!e.spot) continue;
    if (e.spot.part || e.spot.cpu !== undefined) return e.spot;
    const from = e.matches(".token") ? "position" : e.matches(".entry-row") ? "block" : e.matches(".cell") ? "offset" : e.matches(".logical") ? "row" : "";
    return {...e.spot, from};
  }
  return null;
}
