// Colours and hatches. Every colour comes from the style sheet, so light and dark follow the app; the hatches are drawn
// here once and used by the canvases and, as background images, by the legend and the ledger bars.

import {CODE} from "./memory.js";

/** What a slot looks like; the first five are the payload's categories, in its order. */
export const MARKS = ["used", "reserved", "internal", "external", "free", "cached", "mapped", "others"];
export const MARK = {USED: 0, RESERVED: 1, INTERNAL: 2, EXTERNAL: 3, FREE: 4, CACHED: 5, MAPPED: 6, OTHERS: 7}; // OTHERS: a free slot, as the paper counts it
/** Free slots that have a look of their own, by code. */
export const FREE_MARKS = {[CODE.CACHED]: MARK.CACHED, [CODE.MAPPED]: MARK.MAPPED};

/** The mark of a code. `categories`: of each code; a free slot stays light where the paper counts it as external. */
export function slotMark(code, categories) {
  if (code < CODE.FREE || code === CODE.EXPIRED) return categories[code];
  return FREE_MARKS[code] ?? (categories[code] === MARK.FREE ? MARK.FREE : MARK.OTHERS);
}
export const TONES = 10; // colours for requests; tone 0 is "coloured by state"
const TILE = 6; // CSS pixels: hatches stay visible even where a slot is thinner than a pixel
const FAR = {tile: 9, bold: 2.2}; // as a projector needs them

const probe = document.createElement("canvas").getContext("2d", {willReadFrequently: true});

/** [r, g, b] of any CSS colour. */
function rgb(colour) {
  probe.clearRect(0, 0, 1, 1);
  probe.fillStyle = colour;
  probe.fillRect(0, 0, 1, 1);
  return [...probe.getImageData(0, 0, 1, 1).data.subarray(0, 3)];
}

/** A colour between two. */
export function mix(a, b, share) {
  const [x, y] = [rgb(a), rgb(b)];
  return `rgb(${x.map((v, i) => Math.round(v * share + y[i] * (1 - share))).join(" ")})`;
}

function luminance(colour) {
  const [r, g, b] = rgb(colour).map((v) => (v / 255 <= 0.04045 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Black or white, whichever is easier to read on a colour. */
function legibleOn(colour) {
  return luminance(colour) > 0.179 ? "#0B0E13" : "#FFFFFF";
}

export class Look {
  /** Reads the style sheet as it is now; make a new one when the theme or the pixel density changes. */
  constructor(root) {
    const style = getComputedStyle(root);
    const background = style.getPropertyValue("--st-background-color").trim() || "#FFFFFF";
    this.dark = luminance(background) < 0.18;
    root.dataset.theme = this.dark ? "dark" : "light";
    // the page says where it is shown by a property, which reaches into every component
    this.far = style.getPropertyValue("--vizkv-room").trim() === "projector";
    root.dataset.room = this.far ? "projector" : "";
    this.bold = this.far ? FAR.bold : 1; // times as thick are outlines
    // the palette depends on data-theme: read it only now
    const value = (name) => style.getPropertyValue(name).trim();
    this.page = background;
    this.text = value("--vz-text");
    this.font = value("--vz-font") || "sans-serif";
    this.alarm = value("--vz-alarm");
    this.accent = value("--vz-accent");
    this.quiet = value("--vz-quiet");
    this.ruler = value("--vz-ruler");
    this.outline = value("--vz-outline");
    this.cell = value("--vz-cell");
    this.cover = mix(this.text, background, 0.4); // over what a question asks about
    this.colours = MARKS.map((mark) => value(`--vz-${mark}`));
    this.inks = MARKS.map((mark) => value(`--vz-ink-${mark}`));
    this.requests = Array.from({length: TONES}, (_, i) => value(`--vz-request-${i}`));
    this.dpr = window.devicePixelRatio || 1;
    this.key = [background, this.dpr, this.font, this.text, this.far].join("|");
    this.patterns = new Map();
    this.letters = new Map();
    this.dressPage(root);
  }

  /** The same hatches as CSS background images. */
  dressPage(root) {
    for (const mark of [MARK.RESERVED, MARK.INTERNAL, MARK.EXTERNAL, MARK.CACHED, MARK.MAPPED, MARK.OTHERS]) {
      const tile = this.tile(this.colours[mark], this.inks[mark], mark);
      root.style.setProperty(`--vz-tile-${MARKS[mark]}`, `url(${tile.toDataURL()})`);
      const plain = this.tile(this.requestTint(this.text, mark), this.requestInk(mark), mark);
      root.style.setProperty(`--vz-tone-tile-${MARKS[mark]}`, `url(${plain.toDataURL()})`);
    }
    root.style.setProperty("--vz-tile-size", `${this.tileSize() / this.dpr}px`);
  }

  tileSize() {
    return Math.max(4, Math.round((this.far ? FAR.tile : TILE) * this.dpr));
  }

  tile(colour, ink, mark) {
    const n = this.tileSize();
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = n;
    const ctx = canvas.getContext("2d");
    ctx.fillStyle = colour;
    ctx.fillRect(0, 0, n, n);
    ctx.fillStyle = ctx.strokeStyle = ink;
    ctx.lineWidth = n / ({[MARK.RESERVED]: 5, [MARK.OTHERS]: 9}[mark] ?? 6.5);
    ctx.beginPath();
    if ([MARK.RESERVED, MARK.EXTERNAL, MARK.OTHERS].includes(mark)) {
      // the neighbours' lines too: they reach over the tile's corners
      for (const x of [-n, 0, n]) {
        ctx.moveTo(x - 1, n + 1);
        ctx.lineTo(x + n + 1, -1);
        if (mark === MARK.RESERVED) continue;
        ctx.moveTo(x - 1, -1);
        ctx.lineTo(x + n + 1, n + 1);
      }
      ctx.stroke();
    }
    if (mark === MARK.INTERNAL) {
      const size = Math.max(1, Math.round(n * 0.36));
      const from = Math.round((n - size) / 2);
      ctx.fillRect(from, from, size, size);
    }
    if (mark === MARK.CACHED) ctx.fillRect(0, Math.floor(n / 2), Math.ceil(n / 2), Math.max(1, Math.round(n / 8)));
    if (mark === MARK.MAPPED) ctx.fillRect(Math.floor(n / 2), 0, Math.max(1, Math.round(n / 8)), Math.ceil(n / 2));
    return canvas;
  }

  requestColour(tone) {
    return this.requests[(tone - 1) % TONES];
  }

  requestTint(colour, mark) {
    return mix(colour, this.page, mark === MARK.INTERNAL ? 0.5 : 0.22);
  }

  requestInk(mark) {
    return mark === MARK.INTERNAL ? this.page : mix(this.text, this.page, 0.75);
  }

  /** The solid colour under a mark: of the state, or in tone 1..n of a request. */
  base(tone, mark) {
    if (tone === 0 || mark >= MARK.FREE) return this.colours[mark];
    const colour = this.requestColour(tone);
    return mark === MARK.USED ? colour : this.requestTint(colour, mark);
  }

  /** fillStyle for a mark in a tone. */
  paint(ctx, tone, mark) {
    if (mark === MARK.FREE || mark === MARK.USED) return this.base(tone, mark);
    const key = tone * 8 + mark;
    let pattern = this.patterns.get(key);
    if (!pattern) {
      const ink = tone === 0 || mark > MARK.FREE ? this.inks[mark] : this.requestInk(mark);
      pattern = ctx.createPattern(this.tile(this.base(tone, mark), ink, mark), "repeat");
      this.patterns.set(key, pattern);
    }
    return pattern;
  }

  /** Colour of text on a mark. */
  on(tone, mark) {
    const key = tone * 8 + mark;
    if (!this.letters.has(key)) this.letters.set(key, legibleOn(this.base(tone, mark)));
    return this.letters.get(key);
  }
}
