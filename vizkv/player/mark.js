// Slots that somebody points at, as a question of a lecture does: framed, and a single one named on a plate where it is
// too narrow to be seen from the last row. In a link: "system.first-last", all from zero.

const WIDE = 22; // CSS pixels: a slot of that width is seen without a plate
const FORM = /^(\d{1,2})\.(\d{1,7})-(\d{1,7})$/;

/** {system, first, last} of a link's word; null if this trace has no such slots. */
export function markOf(text, trace) {
  const parts = FORM.exec(text ?? "");
  if (!parts) return null;
  const [system, first, last] = parts.slice(1).map(Number);
  return system < trace.systems.length && first <= last && last < trace.systems[system].slots ? {system, first, last} : null;
}

/** Draw over a strip that is painted. */
export function drawMark(strip, look, {first, last}) {
  const line = strip.line(2);
  const where = strip.bandHeight > 0 ? "inside" : "around"; // the labels above a block stay whole
  strip.edges(first, last + 1, 2 * line, look.page, where);
  strip.edges(first, last + 1, line, look.text, where);
  const box = strip.rectOf(first);
  if (first === last && box.w < WIDE) plate(strip, look, first, box);
}

/** The slot's number under it, or over it where there is no room below, with a tip that points at it. */
function plate(strip, look, number, {x, y, w, h}) {
  const {ctx, dpr} = strip;
  const size = (strip.bold ?? 1) > 1 ? 20 : 15;
  ctx.font = strip.font(size, 700);
  const tip = strip.px(size * 0.55);
  const high = strip.px(size * 1.35);
  const wide = Math.ceil(ctx.measureText(String(number)).width + 10 * dpr);
  const middle = (x + w / 2) * dpr;
  const below = (y + h) * dpr + tip + high <= strip.high;
  const edge = below ? (y + h) * dpr : y * dpr;
  const far = edge + (below ? tip : -tip);
  const left = Math.max(0, Math.min(strip.wide - wide, middle - wide / 2));
  const top = below ? far : far - high;
  ctx.beginPath();
  ctx.roundRect(left, top, wide, high, strip.px(3));
  ctx.moveTo(middle, edge);
  ctx.lineTo(Math.min(left + wide, middle + tip * 0.7), far);
  ctx.lineTo(Math.max(left, middle - tip * 0.7), far);
  ctx.closePath();
  ctx.lineWidth = strip.line(2);
  ctx.strokeStyle = look.page;
  ctx.stroke();
  ctx.fillStyle = look.text;
  ctx.fill();
  ctx.fillStyle = look.page;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(String(number), left + wide / 2, top + high / 2 + dpr / 2);
}
