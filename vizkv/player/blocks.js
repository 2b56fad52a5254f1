// What the panels add to a paged pool on its canvas: above each block its number, who holds it and how many references
// it has; and outlines for what is followed, copied or read wrongly.

import {mix} from "./look.js";
import {TINTS, touches} from "./links.js";

const LEAST_BAND = 12; // CSS pixels of the line above the blocks
export const MOST_BAND = 24;
const LEAST_CELL = 14; // that must be left for the cells
const LEAST_BLOCK = 22; // of a block's width
const BOW = 0.12; // of a cell's height: the bow stays above the words of a row
const DROP = 11; // CSS pixels that the head of a copy reaches into a block from above
const MOST_LINE = 4; // of a frame, also on a projector: thicker ones would hide the block's number

/** Height in CSS pixels of the line above each row of blocks, 0 where there is no room. */
export function bandOf(rowHeight, blockWidth) {
  const band = Math.max(LEAST_BAND, Math.min(MOST_BAND, rowHeight * 0.32));
  return blockWidth >= LEAST_BLOCK && rowHeight - band >= LEAST_CELL ? Math.round(band) : 0;
}

/** Draw over a strip that is painted. `links`: {ledger, names, lit, pin}. */
export function drawBlocks(strip, look, links) {
  if (strip.bandHeight > 0) labels(strip, look, links);
  const {ledger, lit, pin} = links;
  for (const heads of [false, true]) for (const [from, to] of ledger.copies) copied(strip, look, from, to, heads); // a bow hides no other's head
  for (const [, block] of ledger.swaps) frame(strip, block, look.accent, 2, true);
  for (const [request, rows] of ledger.wrong) {
    if (ledger.tables.has(request)) for (const block of rows.values()) frame(strip, block, look.alarm, 3, true);
  }
  if (pin) outline(strip, pin, look, look.accent);
  if (lit) outline(strip, lit, look, look.text);
}

/** The target's block thinly, its slot strongly. */
function outline(strip, target, look, colour) {
  const {block, offset} = target;
  if (block < 0) return;
  frame(strip, block, colour, offset < 0 ? 3 : 1, false);
  if (offset < 0) return;
  const slot = block * strip.system.block_size + offset;
  strip.edges(slot, slot + 1, strip.line(4), look.page, "around");
  strip.edges(slot, slot + 1, strip.line(3), colour, "around");
}

/** [left, top, width, height] of a block with its label, in device pixels. */
function boxOf(strip, block) {
  const size = strip.system.block_size;
  const first = block * size;
  const row = Math.floor(first / strip.columns);
  const left = strip.x[first % strip.columns];
  const right = strip.x[Math.min(strip.columns, (first % strip.columns) + size)];
  const top = strip.y[row] - strip.bandHeight;
  return [left, top, right - left, strip.bottom[row] - top];
}

/** CSS pixels at the left and right of a slot that the frame of a copied block takes: a word keeps clear of them. */
export function framed(strip, ledger, slot) {
  const size = strip.system.block_size;
  const block = Math.floor(slot / size);
  if (!ledger?.copies.some(([from, to]) => from === block || to === block)) return [0, 0];
  const line = Math.max(0, Math.min(strip.px(MOST_LINE), strip.line(3)) / strip.dpr - 1);
  return [slot % size === 0 ? line : 0, slot % size === size - 1 ? line : 0];
}

function frame(strip, block, colour, css, dashed) {
  const {ctx} = strip;
  const [left, top, width, height] = boxOf(strip, block);
  const line = Math.min(strip.px(MOST_LINE), strip.line(css));
  ctx.strokeStyle = colour;
  ctx.lineWidth = line;
  ctx.setLineDash(dashed ? [3 * line, 2 * line] : []);
  ctx.strokeRect(left + line / 2, top + line / 2, width - line, height - line);
  ctx.setLineDash([]);
}

/** Where the line of a copy goes: a bow in a row; from row to row it keeps to edges, and comes from above: no word is there. */
function wayOf(strip, from, to) {
  const [left, top, width, height] = boxOf(strip, from);
  const [left2, top2, width2] = boxOf(strip, to);
  const [x1, x2] = [left + width / 2, left2 + width2 / 2];
  if (top === top2) {
    const y = top + strip.bandHeight + strip.px(4);
    const [cx, cy] = [(x1 + x2) / 2, y + (height - strip.bandHeight) * BOW];
    return {tip: [x2, y], angle: Math.atan2(y - cy, x2 - cx), line: (ctx, x, y2) => {
      ctx.moveTo(x1, y);
      ctx.quadraticCurveTo(cx, cy, x, y2);
    }};
  }
  const [out, into] = [top2 > top ? top + height : top, Math.max(top2, strip.px(1))];
  const side = x1 < x2 ? left2 : left2 + width2; // the target's nearer edge
  const corners = [[x1, out], ...(out === into ? [] : [[side, out], [side, into]]), [x2, into]];
  return {tip: [x2, into + strip.px(DROP)], angle: Math.PI / 2, line: (ctx, x, y) => {
    for (const corner of [...corners, [x, y]]) ctx.lineTo(...corner);
  }};
}

/** Source (dashed) and target of a copy, and a line from one to the other. */
function copied(strip, look, from, to, heads) {
  const {ctx} = strip;
  if (!heads) {
    frame(strip, from, look.text, 3, true);
    frame(strip, to, look.text, 3, false);
  }
  const {tip: [x, y], angle, line} = wayOf(strip, from, to);
  const head = strip.px(8);
  ctx.lineJoin = "round";
  // a rim in the page's colour first: it goes over all kinds of slots
  for (const [wide, ink] of [[5, look.page], [2, look.text]]) {
    const rim = ink === look.page ? strip.px(2) : 0;
    ctx.strokeStyle = ctx.fillStyle = ink;
    ctx.lineWidth = Math.min(strip.px(2 * MOST_LINE), strip.line(wide));
    ctx.beginPath();
    if (!heads) {
      line(ctx, x - Math.cos(angle) * head, y - Math.sin(angle) * head);
      ctx.stroke();
      continue;
    }
    ctx.moveTo(x + Math.cos(angle) * rim, y + Math.sin(angle) * rim);
    for (const turn of [-0.45, 0.45]) ctx.lineTo(x - Math.cos(angle + turn) * (head * 1.4 + rim), y - Math.sin(angle + turn) * (head * 1.4 + rim));
    ctx.fill();
  }
}

function labels(strip, look, {ledger, names, lit, pin, nullBlock}) {
  const {ctx, bandHeight: band} = strip;
  const size = Math.max(11, Math.min(17, (band / strip.dpr) * 0.8));
  const held = new Map();
  for (const [request, table] of ledger.tables) {
    for (const block of table) held.set(block, [...(held.get(block) ?? []), names[request]]);
  }
  const inset = strip.px(strip.bold > 1 ? 8 : 4); // clear of an outline, which is thicker on a projector
  ctx.textBaseline = "middle";
  for (let block = 0; block < ledger.blocks; block++) {
    const [left, top, width] = boxOf(strip, block);
    const owners = held.get(block);
    const gap = strip.px(1);
    if (owners) {
      ctx.fillStyle = mix(look.requests[block % TINTS], look.page, look.dark ? 0.45 : 0.3);
      ctx.fillRect(left + gap, top, width - 2 * gap, band - gap);
    }
    const hot = touches(lit, block) || touches(pin, block);
    ctx.fillStyle = owners || hot ? look.text : look.quiet;
    const middle = top + (band - gap) / 2;
    const number = block === 0 && nullBlock ? nullBlock : String(block);
    ctx.font = strip.font(size, 700);
    ctx.textAlign = "left";
    ctx.fillText(number, left + inset, middle, width - inset - strip.px(2));
    const from = left + inset + ctx.measureText(number).width + strip.px(6);
    const refs = ledger.refs[block];
    const badgeWidth = refs > 1 ? badge(strip, look, `×${refs}`, left + width - strip.px(2), top, size) + strip.px(4) : 0;
    const free = left + width - strip.px(3) - badgeWidth - from;
    if (!owners || free < strip.px(8)) continue;
    ctx.font = strip.font(size * 0.92, 500);
    ctx.fillStyle = look.text;
    ctx.textAlign = "left";
    ctx.fillText(strip.fit(owners.join(" "), free / strip.dpr), from, middle, free);
  }
}

/** A small plate at the right of a label; its width. */
function badge(strip, look, text, right, top, size) {
  const {ctx, bandHeight: band} = strip;
  ctx.font = strip.font(size, 700);
  const wide = Math.ceil(ctx.measureText(text).width) + strip.px(8);
  ctx.fillStyle = look.text;
  ctx.beginPath();
  ctx.roundRect(right - wide, top + strip.px(1), wide, band - strip.px(3), strip.px(4));
  ctx.fill();
  ctx.fillStyle = look.page;
  ctx.textAlign = "center";
  ctx.fillText(text, right - wide / 2, top + (band - strip.px(1)) / 2);
  return wide;
}
