// A system's pool on a canvas: rows of `columns` slots, lower addresses left and above.

import {CODE} from "./memory.js";
import {MARK, TONES, slotMark} from "./look.js";
import {bandOf, drawBlocks, framed} from "./blocks.js";
import {drawMark} from "./mark.js";

const TEXT_WIDTH = 23; // CSS pixels of a cell from which its token is written into it
const TEXT_HEIGHT = 16;
const ROOM_FOR_NAME = 24; // of a cell's height for its token and the request's name above it
const ROOM_FOR_ALL = 38; // and for the position below
const SQUEEZE = 0.72; // narrower than this a token is cut short instead
const FINE = 9; // CSS pixels of a row below which outlines are one device pixel
const LEAST = 6; // CSS pixels of a piece from which it is outlined
const MOST_SEARCHED = 16384; // slots that are searched for a token
const RULER_GAP = 9; // ruler lines are thinned out until they are this far apart

export class Strip {
  /** `linked`: panels beside it speak of blocks, so the strip does too. */
  constructor(canvas, system, requests, linked = false) {
    this.canvas = canvas;
    this.ctx = canvas.getContext("2d", {alpha: true});
    this.system = system;
    this.requests = requests;
    this.linked = linked && system.block_size > 0;
    this.bandHeight = 0; // device pixels above each row, for the blocks' labels
    this.columns = Math.min(system.columns, system.slots);
    this.rows = Math.ceil(system.slots / this.columns);
    this.veiled = false; // a question is about colours: which unwritten slots are what is not shown
    this.marks = new Uint8Array(system.slots); // style of each slot: tone * 8 + mark
    this.fitted = new Map(); // tokens cut to their cells
    this.chips = new Map();
  }

  /** Take a size in CSS pixels. Edges of slots are whole device pixels: crisp, without seams. */
  resize(width, height, dpr) {
    const wide = Math.max(1, Math.round(width * dpr));
    const high = Math.max(1, Math.round(height * dpr));
    if (wide === this.wide && high === this.high && dpr === this.dpr) return false;
    [this.wide, this.high, this.dpr] = [wide, high, dpr];
    this.canvas.width = wide;
    this.canvas.height = high;
    this.x = Int32Array.from({length: this.columns + 1}, (_, c) => Math.round((c * wide) / this.columns));
    this.cellWidth = wide / this.columns / dpr;
    const band = this.linked ? bandOf(high / this.rows / dpr, this.cellWidth * this.system.block_size) : 0;
    this.bandHeight = Math.round(band * dpr);
    this.y = Int32Array.from({length: this.rows}, (_, r) => Math.round((r * high) / this.rows) + this.bandHeight);
    this.bottom = Int32Array.from({length: this.rows}, (_, r) => Math.round(((r + 1) * high) / this.rows));
    this.cellHeight = high / this.rows / dpr - band;
    this.withText = this.cellWidth >= TEXT_WIDTH && this.cellHeight >= TEXT_HEIGHT;
    this.fitted.clear();
    this.chips.clear();
    return true;
  }

  /** The slot under a point of the canvas in CSS pixels, -1 outside. */
  slotAt(x, y) {
    const column = Math.floor(((x * this.dpr) / this.wide) * this.columns);
    const row = Math.floor(((y * this.dpr) / this.high) * this.rows);
    if (column < 0 || column >= this.columns || row < 0 || row >= this.rows) return -1;
    const slot = row * this.columns + column;
    return slot < this.system.slots ? slot : -1;
  }

  /** A slot's rectangle in CSS pixels from the canvas's corner. */
  rectOf(slot) {
    const row = Math.floor(slot / this.columns);
    const column = slot % this.columns;
    const [x, y] = [this.x[column] / this.dpr, this.y[row] / this.dpr];
    return {x, y, w: this.x[column + 1] / this.dpr - x, h: this.bottom[row] / this.dpr - y};
  }

  /** Whether a height in CSS pixels is that of a label, which means the whole block. */
  onLabel(y) {
    const row = Math.floor(((y * this.dpr) / this.high) * this.rows);
    return row >= 0 && row < this.rows && y * this.dpr < this.y[row];
  }

  /**
   * Draw the pool. `scene`: {memory, look, categories (of codes), byRequest, lit (category or -1), hole ([start,
   * length] or null), hover (slot or -1), mark (see mark.js, or null)}.
   */
  draw(scene) {
    const {ctx} = this;
    this.family = scene.look.font;
    this.bold = scene.look.bold;
    ctx.clearRect(0, 0, this.wide, this.high);
    this.classify(scene);
    this.fill(scene);
    if (this.withText) this.borders(scene.look);
    else this.ruler(scene.look);
    const pieces = this.pieces(scene.memory);
    this.outlines(pieces, scene);
    if (this.withText) this.tokens(scene);
    if (!this.bandHeight) this.names(pieces, scene); // labels name the holders
    if (scene.hole && scene.hole[1] > 0) {
      this.edges(scene.hole[0], scene.hole[0] + scene.hole[1], this.line(3), scene.look.page, "inside");
      this.edges(scene.hole[0], scene.hole[0] + scene.hole[1], this.line(2), scene.look.alarm, "inside");
    }
    if (scene.links?.ledger) drawBlocks(this, scene.look, scene.links);
    else if (scene.links) this.lightSlots(scene);
    if (scene.mark) drawMark(this, scene.look, scene.mark);
    if (scene.hover >= 0) this.edges(scene.hover, scene.hover + 1, this.line(2), scene.look.text, "around");
  }

  /** Without block tables: the slot that holds the same token. */
  lightSlots({memory, look, links}) {
    for (const [target, colour] of [[links.pin, look.accent], [links.lit, look.text]]) {
      if (!target || target.position < 0 || this.system.slots > MOST_SEARCHED) continue;
      for (let slot = 0; slot < this.system.slots; slot++) {
        if (memory.owner(slot) !== target.request || memory.position(slot) !== target.position) continue;
        if (memory.code(slot) === CODE.USED) this.edges(slot, slot + 1, this.line(3), colour, "around");
        break;
      }
    }
  }

  px(css) {
    return Math.max(1, Math.round(css * this.dpr));
  }

  /** The thickness of an outline, thicker where it has to be seen from afar. */
  line(css) {
    return this.px(css * (this.bold ?? 1));
  }

  /** The style of every slot. Slots of one run have one style, so we look it up only when the run changes. */
  classify({memory, categories, byRequest}) {
    const {latest} = memory;
    const {code: codes, owner: owners} = this.system.run;
    const {marks} = this;
    const {stranded} = memory;
    let run = -1;
    let mark = 0;
    for (let slot = 0; slot < marks.length; slot++) {
      if (latest[slot] !== run) {
        run = latest[slot];
        const code = stranded && codes[run] === CODE.FREE ? CODE.STRANDED : codes[run];
        mark = slotMark(code, categories);
        if (byRequest && owners[run] >= 0) mark += 8 * (1 + (this.requests[owners[run]].index % TONES));
      }
      marks[slot] = mark;
    }
  }

  /** Fill equal neighbours of a drawn row at once. */
  fill({look, lit, categories}) {
    const {ctx, marks, columns, x, y} = this;
    const veil = [];
    let style = -1;
    for (let row = 0; row < this.rows; row++) {
      const first = row * columns;
      const end = Math.min(first + columns, marks.length);
      const [top, height] = [y[row], this.bottom[row] - y[row]];
      for (let from = first; from < end; ) {
        const mark = marks[from];
        let to = from + 1;
        while (to < end && marks[to] === mark) to++;
        const [left, right] = [x[from - first], x[to - first]];
        if (right > left) {
          const hidden = this.veiled && (mark & 7) > MARK.USED && (mark & 7) < MARK.FREE;
          if (mark !== style) ctx.fillStyle = hidden ? look.cover : look.paint(ctx, mark >> 3, mark & 7);
          style = mark;
          ctx.fillRect(left, top, right - left, height);
          if (lit >= 0 && ((mark & 7) < MARK.FREE ? mark & 7 : categories[CODE.FREE]) !== lit) veil.push(left, top, right - left, height);
        }
        from = to;
      }
    }
    if (!veil.length) return;
    ctx.globalAlpha = 0.8;
    ctx.fillStyle = look.page;
    for (let i = 0; i < veil.length; i += 4) ctx.fillRect(veil[i], veil[i + 1], veil[i + 2], veil[i + 3]);
    ctx.globalAlpha = 1;
  }

  /** A thin line every `unit` slots, on the same addresses in every row. */
  ruler(look) {
    let unit = this.system.unit;
    while (unit * this.cellWidth < RULER_GAP && unit < this.columns) unit *= 2;
    this.ctx.fillStyle = look.ruler;
    const thin = this.px(1);
    const rest = this.system.slots % this.columns;
    for (let column = unit; column < this.columns; column += unit) {
      const low = rest && column > rest ? this.y[this.rows - 1] - this.bandHeight : this.high;
      this.ctx.fillRect(this.x[column] - (thin >> 1), 0, thin, low);
    }
  }

  borders(look) {
    const {ctx, x, y, bottom, columns} = this;
    const thin = this.px(1);
    const {slots, unit, block_size: blocks} = this.system;
    for (let slot = 0; slot < slots; slot++) {
      const row = Math.floor(slot / columns);
      const column = slot % columns;
      ctx.fillStyle = look.cell;
      ctx.fillRect(x[column], y[row], x[column + 1] - x[column], thin);
      ctx.fillRect(x[column], y[row], thin, bottom[row] - y[row]);
      if (blocks && slot % unit === 0 && column) {
        ctx.fillStyle = look.page; // blocks stand apart
        ctx.fillRect(x[column] - thin, y[row], 2 * thin + 1, bottom[row] - y[row]);
      }
    }
  }

  /** [start, end, owner] of every stretch of slots that one request holds. */
  pieces(memory) {
    const {latest} = memory;
    const {owner} = this.system.run;
    const found = [];
    let start = 0;
    let who = -1;
    let run = -1;
    for (let slot = 0; slot <= latest.length; slot++) {
      if (slot < latest.length) {
        const cut = this.bandHeight > 0 && slot % this.system.block_size === 0; // labels part the rows
        if (latest[slot] === run && !cut) continue;
        run = latest[slot];
        if (owner[run] === who && !cut) continue;
      }
      if (who >= 0) found.push([start, slot, who]);
      start = slot;
      who = slot < latest.length ? owner[run] : -1;
    }
    return found;
  }

  outlines(pieces, {look, memory, hover}) {
    const hot = hover >= 0 ? memory.owner(hover) : -1;
    const thin = this.cellHeight < FINE ? this.px(this.bold > 1 ? 1.5 : 0) : this.line(1);
    // where pieces are only a few pixels wide, their outlines would be all that one sees
    const least = Math.max(1, LEAST / this.cellWidth);
    for (const [start, end] of pieces) if (end - start >= least) this.edges(start, end, thin, look.outline, "shared");
    if (hot < 0) return;
    for (const [start, end, owner] of pieces) if (owner === hot) this.edges(start, end, this.line(2), look.text, "inside");
  }

  /**
   * The outline of slots start..end-1, which may go over several rows: "inside" of them, "around" them, or "shared",
   * where neighbours draw the same line.
   */
  edges(start, end, thick, colour, where) {
    const {ctx, x, y, columns} = this;
    const low = this.bottom;
    const [top, bottom] = [Math.floor(start / columns), Math.floor((end - 1) / columns)];
    const [left, right] = [start % columns, ((end - 1) % columns) + 1];
    ctx.fillStyle = colour;
    const out = where === "around" ? thick : 0;
    const back = where === "shared" ? 0 : thick - out; // how far lines at the right and below are drawn in
    const across = (from, to, edge, below) => {
      if (to <= from) return;
      const line = below ? Math.min(edge - back, this.high - thick) : Math.max(0, edge - out);
      ctx.fillRect(x[from] - out, line, x[to] - x[from] + 2 * out + (back ? 0 : thick), thick);
    };
    const down = (column, from, to, after) => {
      if (to <= from) return;
      const line = after ? Math.min(x[column] - back, this.wide - thick) : Math.max(0, x[column] - out);
      ctx.fillRect(line, y[from], thick, low[to - 1] - y[from]);
    };
    const one = top === bottom;
    across(left, one ? right : columns, y[top], false);
    across(one ? left : 0, right, low[bottom], true);
    down(left, top, top + 1, false);
    down(right, bottom, bottom + 1, true);
    if (one) return;
    // the steps where the first row begins late and the last row ends early
    across(0, bottom === top + 1 ? Math.min(left, right) : left, y[top + 1], false);
    across(bottom === top + 1 ? Math.max(left, right) : right, columns, y[bottom], true);
    down(0, top + 1, bottom + 1, false);
    down(columns, top, bottom, true);
  }

  font(css, weight = 600) {
    return `${weight} ${Math.round(css * this.dpr * 2) / 2}px ${this.family}`;
  }

  /** The widest place of a piece for its name: [x, y, width, height]. */
  placeOf(start, end) {
    const {x, y, columns} = this;
    const [top, bottom] = [Math.floor(start / columns), Math.floor((end - 1) / columns)];
    const [left, right] = [start % columns, ((end - 1) % columns) + 1];
    const low = this.bottom;
    if (top === bottom) return [x[left], y[top], x[right] - x[left], low[top] - y[top]];
    if (bottom === top + 1 && right > left) {
      const both = [x[left], y[top], x[right] - x[left], low[bottom] - y[top]];
      if (both[2] > this.px(40)) return both;
    }
    const full = [left === 0 ? top : top + 1, right === columns ? bottom + 1 : bottom];
    if (full[1] > full[0]) return [0, y[full[0]], x[columns], low[full[1] - 1] - y[full[0]]];
    // two rows that do not overlap: the longer one
    if (columns - left >= right) return [x[left], y[top], x[columns] - x[left], low[top] - y[top]];
    return [0, y[bottom], x[right], low[bottom] - y[bottom]];
  }

  /** Each request's name on its slots, where it fits without hiding others'. */
  names(pieces, {look, hover, memory}) {
    const {ctx} = this;
    const size = this.withText ? Math.min(13, Math.max(9, this.cellHeight * 0.3)) : Math.min(this.bold > 1 ? 20 : 14, Math.max(this.bold > 1 ? 15 : 10, (this.high / this.dpr) * 0.13));
    if (this.withText && this.cellHeight < ROOM_FOR_NAME) return;
    const height = Math.round((size + 3) * this.dpr);
    const taken = [];
    const hot = hover >= 0 ? memory.owner(hover) : -1;
    for (const [start, end, owner] of pieces) {
      const [left, top, width, high] = this.placeOf(start, end);
      if (high < height * 0.7) continue;
      const chip = this.chip(owner, size, look, owner === hot);
      const wide = chip.width;
      if (wide + 4 > width && !this.withText) continue;
      const inset = this.px(this.withText ? (this.cellHeight < ROOM_FOR_ALL ? 1.5 : 3) : 4);
      const up = high < height + 4 || high < 2.2 * height ? Math.round(top + (high - height) / 2) : top + this.px(4);
      const box = [left + inset, this.withText ? top + inset : up, Math.min(wide, width - 2 * inset), height];
      box[1] = Math.max(0, Math.min(box[1], this.high - height));
      while (taken.some((other) => overlap(box, other)) && box[0] + 2 * wide < left + width) box[0] += wide + this.px(3);
      if (taken.some((other) => overlap(box, other))) continue;
      taken.push(box);
      if (box[2] < wide) ctx.drawImage(chip, box[0], box[1], box[2], height);
      else ctx.drawImage(chip, box[0], box[1]);
    }
  }

  /** A request's name on a small plate, legible on any colour; drawn once: text is the slowest thing on a canvas. */
  chip(owner, size, look, hot) {
    if (this.chipsOf !== look) {
      this.chipsOf = look;
      this.chips.clear();
    }
    const key = `${owner} ${hot} ${size}`;
    const known = this.chips.get(key);
    if (known) return known;
    const canvas = document.createElement("canvas");
    const ctx = canvas.getContext("2d");
    const font = this.font(size, 700);
    const name = this.requests[owner].id;
    ctx.font = font;
    const height = Math.round((size + 3) * this.dpr);
    canvas.width = Math.max(height, Math.ceil(ctx.measureText(name).width + 7 * this.dpr));
    canvas.height = height;
    const line = this.line(1);
    ctx.lineWidth = line;
    ctx.fillStyle = hot ? look.text : look.page;
    ctx.strokeStyle = look.text;
    ctx.beginPath();
    ctx.roundRect(line / 2, line / 2, canvas.width - line, height - line, this.px(3));
    ctx.fill();
    ctx.stroke();
    ctx.font = font; // a new size has reset it
    ctx.textBaseline = "middle";
    ctx.textAlign = "center";
    ctx.fillStyle = hot ? look.page : look.text;
    ctx.fillText(name, canvas.width / 2, height / 2 + this.px(0.5));
    this.chips.set(key, canvas);
    return canvas;
  }

  /** The token of each written slot, and the position of every held one. */
  tokens({memory, look, links}) {
    const {ctx} = this;
    const size = Math.max(11, Math.min(20, this.cellHeight * 0.34, this.cellWidth * 0.3));
    const small = Math.max(9, size * 0.62);
    const room = this.cellHeight >= ROOM_FOR_ALL;
    const named = this.bandHeight === 0 && this.cellHeight >= ROOM_FOR_NAME;
    const middle = room ? (named ? 0.56 : 0.46) : named ? 0.7 : 0.53;
    ctx.textBaseline = "middle";
    for (let slot = 0; slot < this.system.slots; slot++) {
      const position = memory.position(slot);
      if (position < 0) continue;
      const {x, y, w, h} = this.rectOf(slot);
      const style = this.marks[slot];
      const [tone, mark] = [style >> 3, style & 7];
      ctx.fillStyle = look.on(tone, mark);
      if (memory.code(slot) === CODE.USED) {
        const [owner, words] = [memory.owner(slot), links?.words];
        const text = (words ? words.textOf(owner, position) : (this.requests[owner].tokens[position] ?? "")).trim();
        ctx.font = this.font(size, 600);
        ctx.textAlign = "center";
        const [left, right] = framed(this, links?.ledger, slot);
        const free = w - 3 - left - right;
        ctx.fillText(this.fit(text, (w - 3) / SQUEEZE), (x + (w + left - right) / 2) * this.dpr, (y + h * middle) * this.dpr, free * this.dpr);
      }
      if (!room) continue;
      ctx.font = this.font(small, 500);
      ctx.textAlign = "right";
      const label = String(position);
      if (mark !== MARK.USED) {
        // on a hatch: a plain patch under the number
        const wide = ctx.measureText(label).width + 4 * this.dpr;
        ctx.fillStyle = look.base(tone, mark);
        ctx.fillRect((x + w - 3) * this.dpr - wide + 2 * this.dpr, (y + h - 3 - small) * this.dpr, wide, (small + 1) * this.dpr);
        ctx.fillStyle = look.on(tone, mark);
      }
      ctx.fillText(label, (x + w - 4) * this.dpr, (y + h - 3 - small / 2) * this.dpr);
    }
  }

  /** A text shortened to a width in CSS pixels, in the font that is set. */
  fit(text, width) {
    const key = `${text} ${Math.round(width)}`;
    let short = this.fitted.get(key);
    if (short === undefined) {
      short = text;
      const room = width * this.dpr;
      const letters = [...text];
      while (letters.length > 1 && this.ctx.measureText(short).width > room) {
        letters.pop();
        short = `${letters.join("")}…`;
      }
      this.fitted.set(key, short);
    }
    return short;
  }
}

function overlap(a, b) {
  return a[0] < b[0] + b[2] && b[0] < a[0] + a[2] && a[1] < b[1] + b[3] && b[1] < a[1] + a[3];
}
