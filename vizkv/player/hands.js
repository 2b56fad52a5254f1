// Pointer, touch and keys: what the reader does becomes a call of the player.

import {aboutSlot, aboutStep, place} from "./hover.js";
import {make} from "./row.js";
import {Walk} from "./walk.js";

const KEYS = {
  " ": "play", ArrowRight: "step", ArrowLeft: "back", PageDown: "step", PageUp: "back", // clickers send the page keys
  Home: "first", End: "last", n: "next", p: "previous",
};

export class Hands {
  constructor(player) {
    this.player = player;
    this.root = player.root;
    this.tip = player.at(".tip");
    this.hover = null; // {row, slot, x, y, pinned}
    const go = (step) => player.go(step);
    this.actions = {
      first: () => go(player.view.step ? 0 : -1), // there already: what is before this window
      back: () => go(player.view.step - 1),
      play: () => player.toggle(),
      step: () => go(player.view.step + 1),
      last: () => go(player.trace.last + (player.view.step === player.trace.last ? 1 : 0)),
      next: () => go(player.timeline.next(player.view.step) ?? (player.trace.behind ? player.trace.steps : undefined)),
      previous: () => go(player.timeline.previous(player.view.step) ?? (player.trace.before ? -1 : undefined)),
      earlier: () => go(-1),
      later: () => go(player.trace.steps),
    };
    this.onKey = (event) => this.key(event);
    this.watch();
    this.walk = new Walk(this);
  }

  /** The only listener outside of our element; taken back by rest(). */
  listen() {
    window.addEventListener("keydown", this.onKey);
  }

  rest() {
    window.removeEventListener("keydown", this.onKey);
  }

  watch() {
    const {root, player} = this;
    root.addEventListener("click", (event) => player.trace && this.click(event));
    root.addEventListener("pointermove", (event) => {
      if (event.target.classList.contains("slots")) this.point(event, false);
      else this.leave(false);
    });
    root.addEventListener("pointerleave", () => this.leave(false));
    const scrub = player.at(".scrub");
    scrub.addEventListener("input", () => player.go(Number(scrub.value)));
    const line = player.at(".line");
    line.addEventListener("pointermove", (event) => this.pointTime(event));
    line.addEventListener("pointerleave", () => (this.tip.hidden = this.hover === null));
    player.at(".ticks").addEventListener("click", (event) => player.go(player.timeline.at(this.onLine(event)).step));
    const speed = player.at(".speed");
    speed.addEventListener("pointerdown", () => (this.byPointer = true));
    speed.addEventListener("keydown", () => (this.byPointer = false));
    speed.addEventListener("change", () => {
      if (player.playing && speed.value === "click") player.stop();
      if (this.byPointer) this.handBack();
    });
  }

  /** After a click the keys belong to the player again: the space bar plays and does not repeat the click. */
  handBack() {
    this.root.focus({preventScroll: true});
  }

  /** Whoever asked for a slot is told which one was clicked. */
  picked(system, slot) {
    if (slot >= 0) window.dispatchEvent(new CustomEvent("vizkv-pick", {detail: {system, slot}}));
  }

  click(event) {
    const {player} = this;
    let at = player.panels ? event.target : null; // a block of the free queue
    while (at && !at.spot) at = at.parentElement;
    if (at?.spot.block >= 0) this.picked(player.panels.system, at.spot.block * player.panels.ledger.size);
    if (player.panels?.click(event)) return;
    const target = event.target.closest("button, .part, canvas"); // not the root: it has such attributes too, for tests
    if (!target) {
      if (!event.target.closest("select, input")) this.leave(true);
      return;
    }
    const {lens, accounting, colour, lit, system, focus, step} = target.dataset;
    if (target.dataset.do) this.actions[target.dataset.do]();
    else if (lit !== undefined) player.light(Number(lit), Number(system));
    else if (focus !== undefined) player.toggleFocus(Number(focus));
    else if (step !== undefined) player.go(Number(step) - player.trace.first);
    else if (lens) player.set({lens});
    else if (accounting) player.set({accounting});
    else if (colour) player.set({colour});
    else if (target.classList.contains("slots")) {
      this.point(event, true);
      // the keys belong to the token that was clicked, if there is one
      if (player.panels && this.root.getRootNode().activeElement !== target) return;
    }
    if (event.detail > 0) this.handBack();
  }

  key(event) {
    const {player} = this;
    if (!player.trace || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const path = event.composedPath();
    const target = path[0];
    const inside = path.includes(this.root);
    // keys typed elsewhere are not ours, and those of the page only while the player is what one looks at
    const idle = target === document.body || target === document.documentElement || target.matches("a"); // a page was just chosen
    if (!inside && !(idle && this.inSight())) return;
    if (target.matches("input:not(.scrub), textarea, select, [contenteditable]")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    // on a button the space bar presses the button
    if (key === " " && target.matches("button")) return;
    const {lens, accounting} = player.view;
    if (this.walk.key(target, event) || player.panels?.key(target, key)) {
      event.preventDefault();
      return;
    }
    if (KEYS[key]) this.actions[KEYS[key]]();
    else if (key === "l") player.set({lens: lens === "online" ? "hindsight" : "online"});
    else if (key === "a") player.set({accounting: accounting === "paper" ? "textbook" : "paper"});
    else if (/^[1-9]$/.test(key)) player.toggleFocus(Number(key) - 1);
    else if (key === "Escape") player.clear();
    else return;
    event.preventDefault();
  }

  inSight() {
    const {top, bottom} = this.player.at(".rows").getBoundingClientRect();
    const shown = Math.min(bottom, window.innerHeight) - Math.max(top, 0);
    return shown > Math.min(bottom - top, window.innerHeight) / 2;
  }

  // -- the floating note ---------------------------------------------------------------------------------------------

  /** A pointer on a strip; a click or a touch keeps the note until the next one. */
  point(event, pin) {
    const {player, hover} = this;
    if (!player.trace || (hover?.pinned && !pin)) return;
    const row = player.rows[Number(event.target.dataset.system)];
    const box = row.canvas.getBoundingClientRect();
    const y = event.clientY - box.top;
    const slot = row.strip.slotAt(event.clientX - box.left, y);
    if (slot >= 0) row.cursor = slot; // from here the keyboard goes on
    this.at(row, slot, row.strip.onLabel(y), event.clientX, event.clientY, pin);
  }

  /** A slot of a row (-1: none), or the block it begins, is pointed at or picked, at a place of the window. */
  at(row, slot, whole, x, y, pin, byKey = false) {
    const {player, hover} = this;
    if (pin) this.picked(row.system.index, slot);
    if (player.panels) {
      player.panels.atSlot(row, slot, whole);
      if (pin && slot >= 0) player.panels.clickSlot(row, slot, whole, byKey);
      pin = false; // the panels keep what was clicked; a note would lie over them
    }
    const same = hover !== null && hover.row === row && hover.slot === slot;
    if (slot < 0 || (pin && same && hover.pinned)) return this.leave(pin);
    if (hover && hover.row !== row) hover.row.dirty = true;
    this.hover = {row, slot, x, y, pinned: pin, byKey};
    if (same) return this.refresh();
    row.dirty = true;
    player.soon();
  }

  /** The slot of a row that the pointer is on, -1 if none. */
  slotIn(row) {
    return this.hover?.row === row ? this.hover.slot : -1;
  }

  /** Write the note anew: the step may have changed under it. */
  refresh() {
    if (!this.hover) return;
    const {row, slot, x, y, pinned, byKey} = this.hover;
    const {trace, view} = this.player;
    this.tip.classList.toggle("pinned", pinned);
    const lines = aboutSlot(trace, row, slot, view);
    if (byKey && !pinned) lines.push(make("span", "tip-keys", trace.say("hint.slots")));
    place(this.tip, x, y, lines);
  }

  leave(pinnedToo) {
    if (pinnedToo) this.tip.hidden = true;
    this.player.panels?.leaveSlots();
    if (!this.hover || (this.hover.pinned && !pinnedToo)) return;
    this.hover.row.dirty = true;
    this.hover = null;
    this.tip.hidden = true;
    this.player.soon();
  }

  onLine(event) {
    return event.clientX - this.player.at(".ticks").getBoundingClientRect().left;
  }

  pointTime(event) {
    const {player} = this;
    if (!player.trace || this.hover?.pinned) return;
    const x = this.onLine(event);
    if (x < 0 || x > player.timeline.width) return;
    this.tip.classList.remove("pinned");
    const lines = aboutStep(player.trace, player.timeline.at(x));
    place(this.tip, event.clientX, player.at(".line").getBoundingClientRect().top, lines, true);
  }
}
