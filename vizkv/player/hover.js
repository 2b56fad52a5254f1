// The floating note: what a slot is, whose, since when, and what it would be called in the other lens.

import {MARKS, slotMark} from "./look.js";
import {CODE, statesOf} from "./memory.js";
import {wordOf} from "./payload.js";
import {make} from "./row.js";

const CODE_TEXT = {[CODE.ROUNDING]: "code.rounding", [CODE.STRANDED]: "code.stranded", [CODE.CACHED]: "code.cached", [CODE.MAPPED]: "code.mapped"};
const MOST_EVENTS = 5;

/** The lines of the note on a slot. */
export function aboutSlot(trace, row, slot, view) {
  const {say} = trace;
  const {memory, system} = row;
  const code = memory.code(slot);
  const owner = memory.owner(slot);
  const position = memory.position(slot);
  const size = system.block_size;
  const lines = [make("b", "tip-head", size
    ? say("tip.slot.block", {slot, block: Math.floor(slot / size), offset: slot % size})
    : say("tip.slot", {slot}))];
  if (owner >= 0) {
    const request = trace.requests[owner];
    const token = code === CODE.USED ? request.tokens[position] : undefined;
    const key = position < 0 ? "tip.owner" : token ? "tip.token" : "tip.position";
    lines.push(make("span", "", say(key, {request: request.id, position, token: token ?? ""})));
  }
  for (const lens of ["online", "hindsight"]) {
    const category = trace.categories[trace.lookup[lens][view.accounting][code]];
    const line = make("span", lens === view.lens ? "tip-lens now" : "tip-lens");
    const mark = MARKS[slotMark(code, trace.lookup[lens][view.accounting])];
    line.append(make("i", `swatch mark-${mark}`), make("span", "", say(`lens.${lens}`)), make("b", "", say(`category.${wordOf(category, view)}`)));
    lines.push(line);
  }
  if (CODE_TEXT[code]) lines.push(make("span", "tip-why", say(CODE_TEXT[code])));
  const since = memory.since(slot, statesOf(trace, view));
  const key = since === 0 && trace.before ? "tip.since.before" : "tip.since";
  lines.push(make("span", "tip-since", say(key, {step: row.stepAt(since)})));
  return lines;
}

/** The lines of the note on a place of the time line. */
export function aboutStep(trace, {step, events}) {
  const lines = [make("b", "tip-head", trace.say("tip.step", {step: step + trace.first}))];
  for (const event of events.slice(0, MOST_EVENTS)) lines.push(make("span", "", event.text));
  if (events.length > MOST_EVENTS) lines.push(make("span", "tip-since", trace.say("tip.more", {count: events.length - MOST_EVENTS})));
  return lines;
}

/** Place the note beside a point (client pixels), or above it; always inside the window. */
export function place(tip, x, y, lines, above = false) {
  tip.replaceChildren(...lines);
  tip.hidden = false;
  const {offsetWidth, offsetHeight} = tip;
  const gap = 16;
  const left = x + gap + offsetWidth > window.innerWidth - 8 ? x - gap - offsetWidth : x + gap;
  const low = above || y + gap + offsetHeight > window.innerHeight - 8;
  const top = low ? y - (above ? 6 : gap) - offsetHeight : y + gap;
  // position: fixed counts from the nearest transformed ancestor, if the page around us has one
  tip.style.left = tip.style.top = "0px";
  const origin = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(8, left) - origin.left}px`;
  tip.style.top = `${Math.max(8, top) - origin.top}px`;
}
