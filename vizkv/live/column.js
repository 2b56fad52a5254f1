// One system: its stacked bar, the run before it as outlines, the paper's numbers as ticks, and what is said of each part.

import {CATEGORIES, attribute, make, mark, write} from "./words.js";

const LEAST_LABEL = 1.35; // of the label's own type size: a thinner part has its number beside the bar
const LINE = 1.15; // of the type size of a note: as in the style sheet
const SMALL_FROM = 3; // of a note's lines: these and those behind are in small type
const LEAST_SEEN = 0.05; // percent: less is nothing

/** Percent by category from percent by code. */
export function booked(codes, table) {
  const shares = [0, 0, 0, 0, 0];
  codes.forEach((share, code) => (shares[table[code]] += share));
  return shares;
}

/** Where each part begins, bottom to top. */
function bottoms(shares) {
  let sum = 0;
  return shares.map((share) => (sum += share) - share);
}

export class Column {
  constructor(index) {
    this.index = index;
    this.element = make("section", "column");
    this.name = make("h2", "name");
    this.detail = make("div", "detail");
    const head = make("div", "head");
    head.append(this.name, this.detail);
    const plot = make("div", "plot");
    this.before = make("div", "before", "", {"aria-hidden": "true"});
    this.bar = make("div", "bar", "", {role: "group"});
    this.paper = make("div", "paper", "", {"aria-hidden": "true"});
    this.notes = make("div", "notes", "", {"aria-hidden": "true"});
    plot.append(this.before, this.bar, this.paper, this.notes);
    this.parts = CATEGORIES.map((category) => {
      const part = make("button", `part mark-${category}`, "", {type: "button", "data-part": category});
      part.label = make("span", "label");
      part.append(part.label);
      part.whisker = make("span", "whisker");
      this.bar.append(part, part.whisker);
      part.outline = make("div", "outline");
      this.before.append(part.outline);
      part.tick = make("div", "tick");
      this.paper.append(part.tick);
      part.note = make("div", "note");
      part.lines = ["ours", "paper-says", "differs", "before-says", "seeds-say"].map((name) => make("span", `line ${name}`));
      const texts = make("span", "texts");
      texts.append(...part.lines);
      part.note.append(make("span", `chip mark-${category}`), texts);
      this.notes.append(part.note);
      return part;
    });
    this.foot = make("div", "foot");
    this.batch = make("b", "batch");
    this.batchWord = make("span", "batch-word");
    this.batchPaper = make("div", "foot-line");
    this.batchBefore = make("div", "foot-line");
    this.rate = make("div", "foot-line rate");
    const line = make("div", "batch-line");
    line.append(this.batch, this.batchWord);
    this.foot.append(line, this.batchPaper, this.rate, this.batchBefore);
    this.element.append(head, plot, this.foot);
    this.shown = null; // percent by code, and behind them the batched requests
  }

  /** What does not change while the bar grows. */
  receive(system, ghost, scene) {
    Object.assign(this, {system, ghost, scene});
    write(this.name, system.name);
    write(this.detail, system.detail);
    attribute(this.bar, "aria-label", system.name);
    const {words} = scene;
    const before = ghost ? booked(ghost.shares, scene.table) : null;
    const from = before && bottoms(before);
    const quoted = system.paper?.shares;
    let sum = 0;
    this.parts.forEach((part, i) => {
      const there = before !== null && before[i] >= LEAST_SEEN;
      part.outline.hidden = !there;
      if (there) {
        part.outline.style.bottom = `${from[i]}%`;
        part.outline.style.height = `${before[i]}%`;
      }
      const says = quoted?.[i];
      part.tick.hidden = !(says > 0);
      if (says > 0) part.tick.style.bottom = `${(sum += says)}%`;
      const seeds = system.seeds.map((codes) => booked(codes, scene.table)[i]);
      part.seeds = seeds.length > 1 ? {mean: seeds.reduce((a, b) => a + b) / seeds.length, low: Math.min(...seeds), high: Math.max(...seeds)} : null;
    });
    mark(this.paper, "elsewhere", !this.compares());
    mark(this.notes, "elsewhere", !this.compares());
    write(this.rate, system.rate);
  }

  /** Whether the paper's shares stand for what is drawn here. */
  compares() {
    return Boolean(this.system.paper?.compares.shares) && this.scene.likePaper;
  }

  /** `values`: percent by code and the batch, of the moment that is shown. */
  draw(values) {
    this.shown = values;
    mark(this.element, "blank", this.scene.blank);
    const {words, table, type} = this.scene;
    const shares = booked(values.slice(0, -1), table);
    const from = bottoms(shares);
    const before = this.ghost ? booked(this.ghost.shares, table) : null;
    const quoted = this.system.paper?.shares;
    const high = this.bar.clientHeight;
    const places = [];
    const [note, small] = [this.scene.note, this.scene.small].map((type) => type * LINE);
    this.parts.forEach((part, i) => {
      const share = shares[i];
      const there = share >= LEAST_SEEN && !this.scene.blank;
      part.hidden = !there;
      const labelled = there && (share / 100) * high >= LEAST_LABEL * type;
      if (there) {
        part.style.bottom = `${from[i]}%`;
        part.style.height = `${share}%`;
        write(part.label, labelled ? words.share(share) : "");
        mark(part, "lit", this.system.chosen === CATEGORIES[i]);
      }
      const {seeds} = part;
      part.whisker.hidden = !(seeds && seeds.high - seeds.low >= LEAST_SEEN && this.scene.atEnd);
      if (!part.whisker.hidden) {
        // where the part would end; of the uppermost, where it would begin
        const low = from[i] + seeds.high > 100 ? 100 - seeds.high : from[i] + seeds.low;
        part.whisker.style.bottom = `${low}%`;
        part.whisker.style.height = `${seeds.high - seeds.low}%`;
      }
      const says = quoted?.[i] ?? null;
      const short = words.say(`short.${CATEGORIES[i]}`);
      const silent = labelled || this.scene.blank || (!there && says === null && !before?.[i]);
      write(part.lines[0], silent ? "" : words.say("ours", {share: words.share(share)}));
      const differs = says !== null && this.compares() && !this.scene.blank;
      const difference = differs ? words.signed(share - says) : "";
      write(part.lines[1], says === null ? "" : words.say("paper", {share: words.share(says)}));
      write(part.lines[2], difference);
      const was = before && Math.abs(share - before[i]) >= LEAST_SEEN ? words.signed(share - before[i]) : "";
      write(part.lines[3], was ? words.say("before.difference", {share: words.share(before[i]), difference: was}) : "");
      const mean = seeds && seeds.high >= LEAST_SEEN ? words.share(seeds.mean) : "";
      write(part.lines[4], mean ? words.say("seeds", {mean, difference: differs ? words.signed(seeds.mean - says) : ""}) : "");
      const size = part.lines.reduce((sum, line, n) => sum + (line.textContent ? (n < SMALL_FROM ? note : small) : 0), 0);
      part.note.hidden = size === 0;
      if (size) places.push({part, size: size + 2, centre: this.anchor(i, says, from[i] + share / 2, quoted)});
      if (there) attribute(part, "aria-label", this.sentence(i, share, says, difference, before, short));
    });
    mark(this.before, "same", !before || before.every((value, i) => Math.abs(value - shares[i]) < LEAST_SEEN));
    this.arrange(places, high);
    this.drawBatch(values.at(-1));
  }

  /** Notes stand at the paper's part, which does not move while ours grows; else at ours. */
  anchor(i, says, ours, quoted) {
    if (says === null || !quoted) return ours;
    const below = quoted.slice(0, i).reduce((sum, value) => sum + (value ?? 0), 0);
    return below + says / 2;
  }

  /** No note over another, in the order of the parts: each is pushed above the one below it, and back from the top. */
  arrange(places, high) {
    let floor = 0;
    for (const place of places) {
      place.low = Math.max(floor, (place.centre / 100) * high - place.size / 2);
      floor = place.low + place.size;
    }
    let ceiling = high;
    for (const place of places.toReversed()) {
      place.low = Math.min(place.low, ceiling - place.size);
      ceiling = place.low;
      place.part.note.style.bottom = `${Math.round(place.low)}px`;
    }
  }

  sentence(i, share, says, difference, before, category) {
    const {words} = this.scene;
    const parts = [words.say("aria.part", {system: this.system.name, category, share: words.share(share)})];
    if (says !== null) parts.push(words.say(difference ? "aria.paper.difference" : "aria.paper", {share: words.share(says), difference}));
    if (before) parts.push(words.say("aria.before", {share: words.share(before[i])}));
    parts.push(words.say("aria.open"));
    return parts.join(" ");
  }

  drawBatch(batched) {
    const {words} = this.scene;
    const {blank} = this.scene;
    write(this.batch, blank ? "–" : words.two.format(batched));
    write(this.batchWord, words.say("batched"));
    const {paper} = this.system;
    const difference = paper?.compares.batched && !blank ? words.signed(batched - paper.batched, 2) : "";
    const key = difference ? "batched.paper.difference" : "batched.paper";
    write(this.batchPaper, paper ? words.say(key, {batched: words.two.format(paper.batched), difference}) : "");
    mark(this.batchPaper, "elsewhere", !difference);
    const was = this.ghost && Math.abs(batched - this.ghost.batched) >= 0.005 ? words.signed(batched - this.ghost.batched, 2) : "";
    write(this.batchBefore, was ? words.say("before.difference", {share: words.two.format(this.ghost.batched), difference: was}) : "");
  }
}
