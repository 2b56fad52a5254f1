// The page "What if": takes what Python computes, draws it, lets it grow; tells what is turned, pressed and picked.
//
// data: {run, title, state: "idle"|"running"|"done"|"stopped", more, progress, answer, grow, order, lang, say, status, frames,
//   counted (the first picture in which something counts, from 1), duration, warmup, lens, accounting,
//   lookup: {lens: {accounting: [category of each code]}},
//   systems: [{name, detail, done, shares: [[percent by code]], batched: [..], rate, chosen, seeds: [[percent by code]],
//              paper: {shares: [percent by category, or null], batched, compares: {shares, batched}} | null}],
//   ghost: {title, systems: [{shares, batched} | null]} | null, pinned,
//   knobs: [{name, label, kind: "range"|"choice", values, texts, index, home}], seeds: {state, progress}}
// A system's pictures stand at duration / frames * (1, 2, ..): of a run under way there are as many as it has reached.

import {Column} from "./column.js";
import {Knobs} from "./knobs.js";
import {Post} from "./post.js";
import {CATEGORIES, Words, attribute, make, mark, write} from "./words.js";

const GROWS_FOR = 5; // seconds
const SETTLED_AFTER = 450; // ms after the last picture: what stands below the bars may be drawn anew
const EASE = 70; // ms in which most of a change is made
const [LEAST_NOTE, MOST_NOTE] = [0.86, 1.16]; // type of what stands beside the bars: four have room for the largest

const still = window.matchMedia("(prefers-reduced-motion: reduce)");

function dark(root) {
  const probe = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  probe.fillStyle = getComputedStyle(root).getPropertyValue("--st-background-color").trim() || "#FFFFFF";
  probe.fillRect(0, 0, 1, 1);
  const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 110;
}

class Live {
  constructor(root) {
    this.root = root;
    this.at = (selector) => root.querySelector(selector);
    this.all = (selector) => [...root.querySelectorAll(selector)];
    this.post = new Post();
    this.knobs = new Knobs(this.at(".knobs"), (name, value) => this.post.tell("turn", {name, value}));
    this.columns = [];
    this.position = 0; // in pictures
    this.playing = false;
    this.latest = true; // show what is newest, wherever the clock stands
    this.grown = -1; // the last order to grow that was obeyed
    this.ordered = -1;
    this.observer = new ResizeObserver(() => this.data && this.dress());
    root.addEventListener("transitionend", ({propertyName}) => propertyName === "--vizkv-room" && this.data && this.dress());
    this.hands();
    root.__vizkv = {live: this, sharesOf: (index) => this.columns[index]?.shown};
  }

  // -- data ----------------------------------------------------------------------------------------------------------

  receive(data) {
    if (!data) return;
    const first = !this.data;
    this.data = data;
    this.words = new Words(data.say, data.lang);
    if (data.order !== this.ordered) { // Python's word on lens and accounting; else the reader's
      this.ordered = data.order;
      this.view = {lens: data.lens, accounting: data.accounting};
    }
    if (first || this.said !== data.lang) this.texts();
    this.build();
    if (data.grow !== this.grown) {
      this.grown = data.grow;
      this.latest = still.matches || (first && data.state !== "running"); // come back to: as it was left
      this.playing = !this.latest;
      this.position = this.latest ? data.frames : 0;
      for (const column of this.columns) if (!this.latest) column.shown = null;
    } else if (data.run !== this.run) {
      this.latest = true; // a knob was turned: the bars move to where the new run takes them
      this.playing = false;
      this.position = data.frames;
    }
    this.run = data.run;
    this.knobs.receive(data.knobs, this.words, this.post.free || first);
    this.orders();
    this.dress();
    this.settle();
    this.root.dataset.state = data.state;
    this.root.dataset.run = data.run;
    if (!data.more) write(this.at(".aloud"), data.status);
    attribute(this.at(".columns"), "aria-busy", String(data.more));
    this.root.dataset.answer = data.answer;
    this.root.dataset.ready = "1";
    this.post.answer(data.answer, data.more);
  }

  texts() {
    this.said = this.data.lang;
    this.root.lang = this.data.lang;
    const {words} = this;
    for (const e of this.all("[data-text]")) e.textContent = e.dataset.wide = words.say(e.dataset.text);
    for (const e of this.all("[data-label]")) attribute(e, "aria-label", words.say(e.dataset.label));
    this.at(".scale").replaceChildren(...[0, 25, 50, 75, 100].map((share) => {
      const line = make("div", "grid-line");
      line.style.setProperty("--at", share);
      line.append(make("span", "", words.say("scale", {share})));
      return line;
    }));
  }

  build() {
    const {systems} = this.data;
    if (systems.length === this.columns.length) return;
    this.columns = systems.map((_, index) => new Column(index));
    this.at(".columns").replaceChildren(...this.columns.map((column) => column.element));
    this.root.style.setProperty("--systems", systems.length);
  }

  orders() {
    const {data, words} = this;
    const running = data.more;
    write(this.at(".run"), words.say(data.state === "idle" ? "run" : "run.again"));
    this.at(".stop").disabled = !running;
    mark(this.at(".run"), "first", data.state === "idle");
    const seeds = this.at("[data-tell=seeds]");
    write(seeds, words.say(data.seeds.state === "running" ? "seeds.running" : "seeds.run", {share: Math.round(data.seeds.progress * 100)}));
    seeds.disabled = data.seeds.state !== "none" || data.state === "idle";
    write(this.at("[data-tell=keep]"), words.say(data.pinned ? "ghost.kept" : "ghost.keep"));
    this.at("[data-tell=keep]").disabled = data.state === "idle";
    mark(this.at("[data-tell=keep]"), "on", data.pinned);
    this.at("[data-tell=clear]").disabled = !data.ghost && !data.pinned;
  }

  /** Once everything stands still, what depends on the run below is drawn. */
  settle() {
    clearTimeout(this.settling);
    const {run, state, seeds, ghost, more} = this.data;
    const now = [run, state, seeds.state, ghost?.title].join("|");
    if (state === "idle" || more || now === this.settled) return;
    this.settling = setTimeout(() => {
      if (!this.post.free) return this.settle();
      this.settled = now;
      this.post.tell("settled");
    }, SETTLED_AFTER);
  }

  // -- drawing -------------------------------------------------------------------------------------------------------

  /** Colours, sizes and everything that does not move by itself. */
  dress() {
    const {data, words, root} = this;
    root.dataset.theme = dark(root) ? "dark" : "light";
    root.dataset.room = getComputedStyle(root).getPropertyValue("--vizkv-room").trim();
    const type = parseFloat(getComputedStyle(this.at(".stage")).fontSize);
    const table = data.lookup[this.view.lens][this.view.accounting];
    const paperWay = this.view.accounting === "paper";
    const likePaper = paperWay && this.view.lens === "hindsight";
    const blank = data.state === "idle";
    const scale = Math.max(LEAST_NOTE, Math.min(MOST_NOTE, (4 * MOST_NOTE) / data.systems.length));
    root.style.setProperty("--note-scale", scale);
    this.scene = {words, table, likePaper, blank, atEnd: false, type: type * 1.55, note: type * scale, small: Math.max(12, type * 0.86)};
    write(this.at(".headline"), data.title);
    for (const button of this.all(".segment")) {
      const on = Object.entries(this.view).some(([name, value]) => button.dataset[name] === value);
      attribute(button, "aria-pressed", String(on));
    }
    const names = CATEGORIES.filter((name) => !(paperWay && name === "free"));
    this.at(".legend").replaceChildren(...names.map((name) => {
      const entry = make("span", "entry");
      entry.append(make("span", `swatch mark-${name}`), words.say(paperWay && name === "external" ? "category.others" : `category.${name}`));
      return entry;
    }));
    this.columns.forEach((column, i) => column.receive(data.systems[i], data.ghost?.systems[i] ?? null, this.scene));
    write(this.at(".sentence"), data.status);
    mark(this.at(".status"), "alarm", data.alarm);
    this.at(".scrub").max = data.frames;
    root.style.setProperty("--warm", Math.min(1, data.warmup / data.duration));
    root.style.setProperty("--computed", data.state === "idle" ? 0 : data.progress);
    this.go();
  }

  /** The pictures that all systems have; those that any has, when no more will come. */
  get reached() {
    const counts = this.data.systems.map((system) => system.shares.length);
    return this.data.state === "running" ? Math.min(...counts) : Math.max(...counts);
  }

  /** A pool that nothing has come to: all of it is free. The last number is the batch. */
  get empty() {
    const categories = this.data.lookup.online.textbook;
    const free = categories.findIndex((category) => CATEGORIES[category] === "free");
    return [...categories.map((_, code) => (code === free ? 100 : 0)), 0];
  }

  /** What a system shows: its numbers by code and the batch; null while it keeps what it has shown. */
  target(system) {
    const count = system.shares.length;
    const picture = (n) => (n < 0 ? this.empty : [...system.shares[n], system.batched[n]]);
    if (this.latest) {
      if (!count) return null;
      return system.done || count >= this.data.counted ? picture(count - 1) : null;
    }
    const at = Math.min(this.position, count);
    const low = Math.floor(at);
    const [from, to] = [picture(low - 1), picture(Math.min(low, count - 1))];
    return from.map((value, i) => value + (to[i] - value) * (at - low));
  }

  go() {
    if (!this.frame) this.frame = requestAnimationFrame((now) => this.tick(now));
  }

  tick(now) {
    this.frame = 0;
    if (!this.data || !this.mounted) return;
    const passed = Math.min(300, now - (this.before ?? now));
    this.before = now;
    const {data} = this;
    if (this.playing) {
      this.position = Math.min(this.reached, this.position + (passed / 1000) * (data.frames / GROWS_FOR));
      if (this.position >= (data.state === "running" ? data.frames : this.reached)) this.playing = false;
    }
    this.scene.atEnd = this.latest || this.position >= data.frames;
    let moving = this.playing && (this.position < this.reached);
    let drawn = 0;
    this.columns.forEach((column, i) => {
      const target = data.state === "idle" ? this.empty : this.target(data.systems[i]);
      mark(column.element, "held", target === null && data.state === "running");
      if (target === null && column.shown) return;
      const wanted = target ?? this.empty;
      drawn += target !== null && data.state !== "idle";
      const ease = this.latest && column.shown && !still.matches ? 1 - Math.exp(-passed / EASE) : 1;
      const next = wanted.map((value, n) => (column.shown ? column.shown[n] + (value - column.shown[n]) * ease : value));
      const rest = Math.max(...wanted.map((value, n) => Math.abs(value - next[n])));
      column.draw(rest < 0.02 ? wanted : next);
      moving ||= rest >= 0.02;
    });
    this.clock();
    if (drawn) this.root.dataset.first = data.run; // something of this run has been painted
    if (drawn === this.columns.length) this.root.dataset.shown = data.run; // of every system
    this.root.dataset.still = moving ? "0" : "1";
    if (moving) this.go();
    else this.before = undefined;
  }

  clock() {
    const {data, words} = this;
    const {frames, duration, warmup} = data;
    const position = this.latest ? this.reached : Math.min(this.position, this.reached);
    const seconds = data.state === "idle" ? 0 : (position / frames) * duration;
    const scrub = this.at(".scrub");
    if (scrub.value !== String(Math.round(position))) scrub.value = Math.round(position);
    scrub.style.setProperty("--done", data.state === "idle" ? 0 : position / frames);
    const values = {seconds: words.whole.format(seconds), duration: words.whole.format(duration), warmup: words.whole.format(warmup)};
    const warm = seconds <= warmup && data.state !== "idle";
    write(this.at(".where"), words.say("where", values));
    attribute(scrub, "aria-valuetext", words.say(warm ? "where.warm" : "where", values));
    mark(this.root, "warming", warm && !this.latest);
    const play = this.at("[data-do=play]");
    mark(this.root, "playing", this.playing);
    attribute(play, "aria-label", words.say(this.playing ? "pause" : "play"));
    attribute(this.at("[data-do=end]"), "aria-label", words.say("end"));
    for (const button of this.all("[data-do]")) button.disabled = data.state === "idle";
    scrub.disabled = data.state === "idle";
    this.second = seconds;
  }

  // -- what the reader does ------------------------------------------------------------------------------------------

  hands() {
    this.root.addEventListener("click", (event) => this.click(event));
    this.at(".scrub").addEventListener("input", () => this.seek(Number(this.at(".scrub").value)));
  }

  seek(position) {
    this.playing = this.latest = false;
    this.position = position;
    this.go();
  }

  click(event) {
    const button = event.target.closest("button");
    if (!button || !this.data) return;
    const {tell, part, lens, accounting} = button.dataset;
    if (tell) this.post.tell(tell);
    else if (lens || accounting) {
      this.view = {...this.view, ...(lens ? {lens} : {accounting})};
      this.dress();
      this.post.tell("view", this.view);
    } else if (part) {
      const column = this.columns.find((one) => one.element.contains(button));
      this.post.tell("pick", {system: column.index, category: part, second: this.second});
    } else if (button.dataset.do === "play") this.toggle();
    else if (button.dataset.do === "end") {
      this.playing = false;
      this.latest = true;
      this.go();
    }
  }

  toggle() {
    if (!this.playing && (this.latest || (this.data.state !== "running" && this.position >= this.reached))) this.position = 0;
    this.playing = !this.playing;
    this.latest = false;
    this.go();
  }

  // -- life ----------------------------------------------------------------------------------------------------------

  mount(tell) {
    this.post.deliver = (letters) => tell("letters", letters);
    this.mounted = true;
    this.observer.observe(this.at(".chart"));
  }

  unmount() {
    this.mounted = false;
    this.observer.disconnect();
    this.post.rest();
    clearTimeout(this.settling);
    cancelAnimationFrame(this.frame);
    this.frame = 0;
  }
}

// Streamlit calls the default export again on every change: the page lives as long as its element.
const pages = new WeakMap();

export default function (component) {
  const {data, parentElement, setStateValue} = component;
  const root = parentElement.querySelector(".vizlive");
  let live = pages.get(parentElement);
  if (!live || live.root !== root) {
    live?.unmount();
    live = new Live(root);
    pages.set(parentElement, live);
  }
  live.mount(setStateValue);
  const call = Symbol("call");
  live.call = call;
  live.receive(data);
  // a clean-up may come late, after a newer call for the same element: it must not stop that one
  return () => {
    if (live.call === call) live.unmount();
  };
}
