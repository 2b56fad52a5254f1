// By keyboard what a pointer does: from slot to slot in a row, and along the parts of a ledger's bar.

import {aboutSlot, place} from "./hover.js";
import {statesOf} from "./memory.js";
import {make} from "./row.js";

/** The note on a slot as one sentence after another, for whoever hears it. */
function spoken(trace, row, slot, view) {
  const say = (line) => (line.children.length ? [...line.children].map((e) => e.textContent).filter(Boolean).join(" ") : line.textContent);
  return aboutSlot(trace, row, slot, view).map(say).join(". ");
}

export class Walk {
  constructor(hands) {
    this.hands = hands;
    this.player = hands.player;
    const {root} = hands;
    root.addEventListener("focusin", (event) => event.target.matches(":focus-visible") && this.enter(event.target));
    root.addEventListener("focusout", (event) => {
      if (event.target.matches(".slots") && hands.hover?.byKey) hands.leave(false); // a note that was kept stays
      if (event.target.matches(".part")) hands.tip.hidden = hands.hover === null;
    });
  }

  rowOf(element) {
    return this.player.rows[Number(element.dataset.system)];
  }

  /** The focus has come by keyboard: what it is on is said as if the pointer were there. */
  enter(target) {
    if (!this.player.trace) return;
    if (target.matches(".slots")) this.show(this.rowOf(target), false);
    else if (target.matches(".part")) this.about(target);
  }

  /** A key on a strip or a bar; whether it was meant for us. */
  key(target, {key, shiftKey}) {
    const along = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
    if (target.matches(".slots")) return this.onSlots(this.rowOf(target), key, along, shiftKey);
    if (!target.matches(".part")) return false;
    if (along) this.aside(target, along);
    else if (key === "Enter" || key === " ") this.player.light(Number(target.dataset.lit), Number(target.dataset.system));
    else return false;
    return true;
  }

  onSlots(row, key, along, far) {
    const {columns, system} = row.strip;
    const down = key === "ArrowDown" ? columns : key === "ArrowUp" ? -columns : 0;
    let slot = row.cursor;
    if (along && far) slot = this.differs(row, along);
    else if (along || down) slot += along || down;
    else if (key === "Home") slot = 0;
    else if (key === "End") slot = system.slots - 1;
    else if (key !== "Enter") return false;
    if (slot >= 0 && slot < system.slots) row.cursor = slot;
    this.show(row, key === "Enter");
    return true;
  }

  /** The next slot that is in another state or somebody else's; the last one if there is none. */
  differs(row, along) {
    const {memory, system} = row;
    const states = statesOf(this.player.trace, this.player.view);
    const what = (slot) => `${states[memory.code(slot)]} ${memory.owner(slot)}`;
    let slot = row.cursor;
    const now = what(slot);
    while (slot + along >= 0 && slot + along < system.slots) {
      slot += along;
      if (what(slot) !== now) break;
    }
    return slot;
  }

  show(row, pick) {
    const {hands, player} = this;
    const {x, y, w, h} = row.strip.rectOf(row.cursor);
    const box = row.canvas.getBoundingClientRect();
    if (!pick) hands.leave(true);
    hands.at(row, row.cursor, false, box.left + x + w / 2, box.top + y + h, pick, true);
    this.tell(row);
    player.soon();
  }

  /** What the slider that a strip is says of the slot that it is on. */
  tell(row) {
    const {trace, view} = this.player;
    row.canvas.setAttribute("aria-valuenow", row.cursor);
    row.canvas.setAttribute("aria-valuetext", spoken(trace, row, row.cursor, view));
  }

  /** To the next part of a bar that there is anything of. */
  aside(part, by) {
    const parts = this.rowOf(part).shares.filter((share) => !share.hidden);
    const next = parts[parts.indexOf(part) + by];
    if (!next) return;
    part.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  about(part) {
    const {left, bottom} = part.getBoundingClientRect();
    this.hands.tip.classList.remove("pinned");
    place(this.hands.tip, left, bottom, [make("b", "tip-head", part.title)]);
  }
}
