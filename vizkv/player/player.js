// The player: what is open (step, lens, accounting, colouring, focus), time, keys, and mounting in Streamlit.

import {readOuter, readTrace, wordOf} from "./payload.js";
import {Look} from "./look.js";
import {CODE, CODES} from "./memory.js";
import {Row, make, write} from "./row.js";
import {Timeline} from "./timeline.js";
import {Hands} from "./hands.js";
import {Panels} from "./panels.js";
import {markOf} from "./mark.js";
import {Minute, still} from "./minute.js";
import {changed, viewOf} from "./view.js";

const SPEEDS = ["click", 1, 2, 5, 10, 25, 60, "end"]; // steps a second; one step a click; the end in ten seconds
const TO_THE_END = 10; // seconds
const REPORT_AFTER = 200; // ms: Python hears where we are once we have stopped moving
const LATE = 5000; // ms, to twice of it: then Python hears of where a lecturer has led us
const SIZES = 3; // of type for sentences

/** A speed at which the steps of this trace can be followed. */
function easySpeed(steps) {
  if (steps <= 40) return 1;
  if (steps <= 150) return 5;
  return steps <= 400 ? 10 : 25;
}

const here = new Set(); // those that are mounted: while one page gives way to another, the one that goes may be called last

class Player {
  /** `before`: the player whose element this one replaces, if any. */
  constructor(root, before) {
    this.root = root;
    this.before = before;
    this.at = (selector) => root.querySelector(selector);
    this.all = (selector) => [...root.querySelectorAll(selector)];
    this.trace = null;
    this.rows = [];
    this.view = null;
    this.playing = false;
    this.frames = 0;
    this.minute = new Minute(this);
    this.panels = null; // only where the page asks for some
    this.commanded = 0; // the last command of Python's that we have obeyed
    this.hands = new Hands(this);
    this.observer = new ResizeObserver(() => this.resize());
    root.addEventListener("transitionend", ({propertyName}) => propertyName === "--vizkv-room" && this.trace && this.dress());
    this.expose();
  }

  // -- data ----------------------------------------------------------------------------------------------------------

  /** Take what Streamlit hands over; called again on every change of data or theme. */
  async receive(data) {
    if (data) {
      const {view, packed, words} = readOuter(data);
      const known = view.trace === this.opening;
      this.asked = view;
      if (!known) {
        this.opening = view.trace;
        const trace = await readTrace(packed, words);
        if (view.trace !== this.opening) return; // a newer one came while we were reading
        this.open(trace, this.asked);
      } else if (this.trace && this.drawn === view.trace) this.obey(view);
    }
    if (this.trace) this.dress();
    if (this.toReveal) this.reveal();
  }

  /** In sight, and the keys are the player's. */
  reveal() {
    this.toReveal = false;
    this.root.scrollIntoView({block: "end", behavior: still.matches ? "auto" : "smooth"});
    this.root.focus({preventScroll: true});
  }

  /** The same trace: where the reader stands is the reader's business, until Python gives a new command. */
  obey(asked) {
    if ((asked.command ?? 0) <= this.commanded) return;
    this.commanded = asked.command;
    this.stop();
    this.set(viewOf(asked, this.trace));
    this.toReveal = asked.reveal;
    if (asked.play && !still.matches) this.play();
  }

  open(trace, asked) {
    const {before} = this;
    const again = before?.opening === this.opening && (asked.command ?? 0) <= before.commanded;
    // a page that was built anew around us, or a trace that is meant to take the place of the last: go on where we were
    const here = again ? before.tell() : asked.keep ? (this.view ? this.tell() : before?.view && before.tell()) : null;
    const view = {...asked, ...here};
    this.before = null;
    this.trace = trace;
    this.drawn = this.opening;
    this.commanded = asked.command ?? 0;
    this.view = viewOf(asked, trace);
    this.reported = again ? before.reported : JSON.stringify(this.tell()); // a place that Python does not know is reported
    this.view = viewOf(view, trace);
    const wished = this.root.dataset.wish === "1"; // by the reader, who is playing
    this.root.dataset.wish = "0";
    this.toReveal = asked.reveal && !again;
    this.stop();
    this.hands.leave(true);
    this.words();
    this.minute.withdraw();
    this.rows = trace.systems.map((system) => new Row(trace, system));
    this.veil(this.root.dataset.veil === "1");
    this.at(".rows").replaceChildren(...this.rows.map((row) => row.element));
    this.panels?.rest();
    this.panels = trace.panels.length && trace.systems.some((system) => system.run.ops && system.block_size) ? new Panels(this) : null;
    this.at(".panels").hidden = !this.panels;
    this.root.classList.toggle("with-panels", this.panels !== null);
    this.timeline = new Timeline(this.at(".line"), this.at(".ticks"), this.at(".scrub"), trace);
    this.timeline.select(this.view.focus);
    this.root.dataset.steps = trace.steps;
    this.look = null;
    for (const row of this.rows) row.seek(this.view.step);
    this.root.style.setProperty("--systems", this.rows.length);
    this.switches();
    this.report();
    if (view.play && (wished || !still.matches)) this.play(); // nothing moves by itself for whoever asked for that
    else if (asked.intro && !again) this.minute.begin();
  }

  /** Every word comes with the payload; the page itself has none. */
  words() {
    const {say, headline, moments, systems} = this.trace;
    this.root.lang = this.trace.lang;
    this.at(".headline").textContent = headline;
    for (const e of this.all("[data-text]")) e.textContent = e.dataset.ghost = say(e.dataset.text); // ghost: its bold width
    for (const e of this.all("[data-hint]")) e.title = say(e.dataset.hint);
    for (const e of this.all("[data-label]")) e.setAttribute("aria-label", say(`label.${e.dataset.label}`));
    for (const e of this.all("[data-name]")) this.name(e, `button.${e.dataset.name}`);
    this.at(".legend").replaceChildren(...this.trace.categories.map((name, category) => {
      const entry = make("button", "entry", "", {type: "button", "data-lit": category, "data-system": -1, "aria-pressed": "false"});
      entry.append(make("i", `swatch mark-${name}`), make("span", "long", say(`category.${name}`)), make("span", "short", say(`short.${name}`)));
      entry.title = say("hint.light");
      return entry;
    }));
    for (const [code, name] of [[CODE.CACHED, "cached"], [CODE.MAPPED, "mapped"]]) {
      if (!systems.some((s) => s.run.counts.some((count, i) => i % CODES === code && count > 0))) continue;
      const entry = make("span", "entry");
      entry.append(make("i", `swatch mark-${name}`), make("span", "", say(`category.${name}`)));
      this.at(".legend").append(entry);
    }
    this.at(".moments").replaceChildren(...moments.map((moment) => make("button", "chip", moment.label, {type: "button", "data-step": moment.step})));
    const speed = easySpeed(this.trace.steps);
    this.at(".speed").replaceChildren(...SPEEDS.map((value) => {
      const key = typeof value === "string" ? `speed.${value}` : value === 1 ? "speed.one" : "speed.rate";
      return make("option", "", say(key, {rate: value, seconds: TO_THE_END}), {value});
    }));
    this.at(".speed").value = speed;
    this.at(".where").dataset.ghost = this.whereText(this.trace.last);
    const {first, total, steps} = this.trace;
    for (const [name, count] of [["earlier", first], ["later", total - first - steps]]) {
      const button = this.at(`.${name}`);
      button.hidden = count <= 0;
      button.textContent = say(name, {count});
      button.title = say(`hint.${name}`);
    }
  }

  name(element, key) {
    element.setAttribute("aria-label", this.trace.say(key));
    element.title = this.trace.say(key);
  }

  whereText(step) {
    const {say, first, total, timed, lead, systems, tenth} = this.trace;
    const where = say("step", {step: step + first, last: total - 1});
    return timed ? say("moment", {second: tenth(systems[lead].run.time_s[step]), step: where}) : where;
  }

  // -- picture -------------------------------------------------------------------------------------------------------

  /** Colours and sizes, as theme and window have them now. */
  dress() {
    const look = new Look(this.root);
    if (this.look?.key !== look.key) {
      this.look = look;
      for (const row of this.rows) row.dirty = true;
    }
    this.resize();
    this.root.dataset.ready = "1";
  }

  resize() {
    if (!this.trace || !this.root.isConnected) return;
    if (this.look && this.look.dpr !== window.devicePixelRatio) {
      this.look = new Look(this.root);
      for (const row of this.rows) row.dirty = true;
    }
    if (!this.look) return;
    this.fitRows();
    // rows share the height, but none takes more than it can use
    const most = Math.max(...this.rows.map((row) => row.most()));
    this.root.style.setProperty("--row-most", `${most}px`);
    this.panels?.resize();
    for (const row of this.rows) row.fit(this.look);
    this.fitSentences();
    this.timeline.resize();
    this.timeline.draw(this.look);
    this.paint(); // at once: a canvas is empty after it has taken a new size
  }

  /** Low rows, without what can be read elsewhere too, where rows of the usual height would be more than the window. */
  fitRows() {
    const {root} = this;
    root.classList.remove("dense");
    root.classList.toggle("dense", root.clientHeight > Math.ceil(parseFloat(getComputedStyle(root).minHeight)) + 1);
  }

  /** One size of type for all sentences of the trace, so that the longest fits and nothing jumps between them. */
  fitSentences() {
    const box = this.at(".sentence");
    const text = this.at(".said-what");
    const longest = [...this.trace.sentences].sort((a, b) => b.length - a.length).slice(0, 3);
    const now = text.textContent;
    const fits = (sentence) => {
      text.textContent = sentence;
      return text.scrollHeight <= box.clientHeight + 1;
    };
    for (let size = 0; size < SIZES; size++) {
      this.at(".said").dataset.size = size;
      if (longest.every(fits)) break;
    }
    text.textContent = now;
  }

  /** Paint with the next frame; several changes before it are one. */
  soon() {
    this.pending ??= requestAnimationFrame(() => {
      this.pending = null;
      this.paint();
    });
  }

  repaintAll() {
    for (const row of this.rows) row.dirty = true;
    this.soon();
  }

  paint() {
    const {view, trace, root} = this;
    if (!this.look) return;
    this.panels?.update(view);
    for (const row of this.rows) {
      row.label(view);
      if (!row.dirty) continue;
      const lit = view.lit_in < 0 || view.lit_in === row.system.index ? view.lit : "";
      const mark = markOf(view.mark, trace);
      row.draw(this.look, view, trace.categories.indexOf(lit), this.panels ? -1 : this.hands.slotIn(row), mark?.system === row.system.index ? mark : null);
    }
    write(this.at(".said-what"), this.sentence());
    write(this.at(".where"), this.whereText(view.step));
    const scrub = this.at(".scrub");
    scrub.value = view.step;
    scrub.style.setProperty("--done", trace.last ? view.step / trace.last : 0);
    this.hands.refresh();
    this.frames += 1;
  }

  sentence() {
    const {view, trace} = this;
    const table = view.focus < 0 ? trace.overall[view.lens] : trace.systems[view.focus].run[`sentence_${view.lens}`];
    return trace.sentences[table[view.step]] ?? "";
  }

  /** Buttons, attributes and marks that follow from the view. */
  switches() {
    const {view, root} = this;
    Object.assign(root.dataset, {step: view.step + this.trace.first, lit: view.lit, mark: view.mark, lens: view.lens, accounting: view.accounting, colour: view.colour, playing: this.playing ? "1" : "0"});
    const press = (element, on) => element.setAttribute("aria-pressed", on ? "true" : "false");
    for (const name of ["lens", "accounting", "colour"]) {
      for (const button of this.all(`button[data-${name}]`)) press(button, button.dataset[name] === view[name]);
    }
    for (const entry of this.all(".legend button")) {
      const word = wordOf(this.trace.categories[entry.dataset.lit], view);
      write(entry.querySelector(".long"), this.trace.say(`category.${word}`));
      write(entry.querySelector(".short"), this.trace.say(`short.${word}`));
    }
    const category = this.trace.categories.indexOf(view.lit);
    for (const entry of this.all(".legend button")) press(entry, category === Number(entry.dataset.lit) && view.lit_in < 0);
    this.rows.forEach((row, i) => {
      row.element.classList.toggle("focused", i === view.focus);
      press(row.focus, i === view.focus);
      row.shares.forEach((share, at) => {
        share.classList.toggle("lit", at === category && view.lit_in === i);
        press(share, at === category && view.lit_in === i);
      });
    });
    root.classList.toggle("has-focus", view.focus >= 0);
    this.at(".said-by").textContent = view.focus >= 0 ? this.trace.systems[view.focus].name : "";
    this.name(this.at(".play"), this.playing ? "button.pause" : "button.play");
  }

  // -- where we are --------------------------------------------------------------------------------------------------

  /** Change what is open and show it. */
  set(change) {
    const before = this.view;
    this.view = changed(before, change, this.trace);
    const {step, lens, accounting, colour, focus} = this.view;
    if (step !== before.step) {
      for (const row of this.rows) row.seek(step);
      this.root.dataset.step = step + this.trace.first;
    }
    const lit = this.view.lit !== before.lit || this.view.lit_in !== before.lit_in || this.view.mark !== before.mark;
    const renamed = lit || lens !== before.lens || accounting !== before.accounting || colour !== before.colour;
    if (renamed) this.repaintAll();
    if (focus !== before.focus) {
      this.timeline.select(focus);
      this.timeline.draw(this.look);
    }
    if (lens !== before.lens) this.minute.withdraw();
    if (renamed || focus !== before.focus) this.switches();
    this.soon();
    if (!this.playing) this.report();
  }

  go(step) {
    if (step === undefined) return;
    this.stop();
    const {last, before, behind} = this.trace;
    if ((step < 0 && before) || (step > last && behind)) this.wish(step);
    else this.set({step: Math.max(0, Math.min(last, step))});
  }

  /** The view in the run's own numbers, as Python knows it. */
  tell() {
    const {view, trace} = this;
    return {...view, step: view.step + trace.first, request: trace.requests[view.request]?.index ?? -1};
  }

  /** A step of the run that is not in this window: Python has it. */
  wish(step, play = false) {
    clearTimeout(this.reporting);
    const asked = {...this.tell(), step: step + this.trace.first, play};
    if (JSON.stringify(asked) === this.reported) return; // a key that is held down
    this.root.dataset.wish = "1";
    this.reported = JSON.stringify(asked);
    this.setStateValue?.("view", asked);
  }

  /** Go where a lecturer's player stands. Python is told late: 200 students would each run a script for every step. */
  lead(asked) {
    const {trace} = this;
    const step = asked.step - trace.first;
    if (step < 0 || step > trace.last) return this.wish(step);
    this.stop();
    this.hands.leave(true);
    this.set(viewOf(asked, trace));
    this.led = JSON.stringify(this.tell());
    clearTimeout(this.tellingLate);
    this.tellingLate = setTimeout(() => {
      this.led = "";
      this.report();
    }, LATE + Math.random() * LATE);
  }

  /** Hide which unwritten slots are what, while a question asks about it. */
  veil(on) {
    for (const row of this.rows) row.strip.veiled = on;
    this.repaintAll();
  }

  light(category, system) {
    const lit = this.trace.categories[category] ?? "";
    const same = this.view.lit === lit && this.view.lit_in === system;
    this.set(same ? {lit: "", lit_in: -1} : {lit, lit_in: system});
  }

  toggleFocus(system) {
    if (system < this.rows.length) this.set({focus: this.view.focus === system ? -1 : system});
  }

  clear() {
    if (this.panels) this.panels.fixed = null;
    this.hands.leave(true);
    this.repaintAll();
    this.set({focus: -1, position: -1, lit: "", lit_in: -1, mark: ""});
  }

  /** Tell Python and screen readers, once we stand still. */
  report() {
    clearTimeout(this.reporting);
    this.reporting = setTimeout(() => {
      if (this.playing || !this.mounted) return;
      for (const row of this.rows) {
        row.describe(this.view);
        this.hands.walk.tell(row);
      }
      this.at(".scrub").setAttribute("aria-valuetext", this.whereText(this.view.step));
      this.at(".aloud").textContent = `${this.whereText(this.view.step)}. ${this.sentence()}`;
      this.send();
    }, REPORT_AFTER);
  }

  /** Tell Python, but not while the lecture turns to another page: the run of a part of this one would come after that page's and empty it. */
  send() {
    const wait = (window.vizkvTurning ?? 0) - performance.now();
    if (wait > 0) {
      this.reporting = setTimeout(() => this.mounted && !this.playing && this.send(), wait);
      return;
    }
    const view = this.tell();
    const text = JSON.stringify(view);
    if (text === this.reported || text === this.led) return;
    this.reported = text;
    this.setStateValue?.("view", view);
  }

  // -- time ----------------------------------------------------------------------------------------------------------

  play() {
    const speed = this.at(".speed").value;
    const {last, behind} = this.trace;
    if (speed === "click") return this.go(this.view.step + 1);
    if (behind && this.view.step >= last) return this.wish(last + 1, true);
    const step = this.view.step >= last ? 0 : this.view.step;
    this.playing = true;
    this.set({step});
    this.switches();
    this.run();
  }

  run() {
    let before = performance.now();
    let due = 0;
    cancelAnimationFrame(this.running);
    const frame = (now) => {
      if (!this.playing) return;
      // after a pause of the browser itself (a hidden tab) we go on, we do not leap
      due += (Math.min(250, Math.max(0, now - before)) / 1000) * this.rate();
      before = now;
      const steps = Math.floor(due);
      due -= steps;
      if (steps > 0) {
        const step = Math.min(this.minute.until ?? this.trace.last, this.view.step + steps);
        this.set({step});
        if (step === this.minute.until) this.minute.end();
        else if (step === this.trace.last) this.arrive();
      }
      if (this.playing) this.running = requestAnimationFrame(frame);
    };
    this.running = requestAnimationFrame(frame);
  }

  /** Played to the end: of the run, or of a window, and then on in the next. */
  arrive() {
    this.stop();
    if (this.trace.behind) this.wish(this.trace.last + 1, true);
  }

  /** Steps a second. */
  rate() {
    if (this.minute.until !== null) return this.minute.rate;
    const speed = this.at(".speed").value;
    return speed === "end" ? Math.max(1, this.trace.last / TO_THE_END) : Number(speed) || 0;
  }

  stop() {
    cancelAnimationFrame(this.running);
    this.minute.until = null;
    if (!this.playing) return;
    this.playing = false;
    this.switches();
    this.report();
  }

  toggle() {
    if (this.playing) this.stop();
    else this.play();
  }

  // -- life ----------------------------------------------------------------------------------------------------------

  mount() {
    this.mounted = true;
    here.delete(this);
    here.add(this);
    window.vizkvPlayer = this; // for vizkv/ui/frame/frame.js: a lecturer's is told, a student's is led
    this.hands.listen();
    this.observer.observe(this.root);
    if (this.playing) this.run();
  }

  unmount() {
    this.mounted = false;
    here.delete(this);
    if (window.vizkvPlayer === this) window.vizkvPlayer = [...here].at(-1) ?? this;
    clearTimeout(this.tellingLate);
    this.hands.rest();
    this.observer.disconnect();
    cancelAnimationFrame(this.running);
    clearTimeout(this.reporting);
  }

  /** What browser tests ask. */
  expose() {
    const player = this;
    this.root.__vizkv = {player,
      stateAt(system, slot) {
        const {memory} = player.rows[system];
        const code = memory.code(slot);
        const {lens, accounting} = player.view;
        return {code, category: player.trace.categories[player.trace.lookup[lens][accounting][code]], owner: memory.owner(slot)};
      },
      rectOf(system, slot) {
        const row = player.rows[system];
        const box = row.canvas.getBoundingClientRect();
        const {x, y, w, h} = row.strip.rectOf(slot);
        return {x: box.left + x, y: box.top + y, w, h};
      },
      /** What the panels have lit in a row when it was last drawn: the slot, a block's first one, or null. */
      linksAt(system) {
        const {links, drawnAt} = player.rows[system];
        const slot = (target) => {
          if (!target || target.block < 0) return null;
          return target.block * player.trace.systems[system].block_size + Math.max(0, target.offset);
        };
        return {lit: slot(links?.lit), pinned: slot(links?.pin), step: drawnAt};
      },
      counts: (system) => [...player.rows[system].memory.counts()],
      get frames() {
        return player.frames;
      },
    };
  }
}

// Streamlit calls the default export again on every change: a player lives as long as its element.
const players = new WeakMap();

export default function (component) {
  const {data, parentElement, setStateValue} = component;
  const root = parentElement.querySelector(".vizkv");
  let player = players.get(parentElement);
  if (!player || player.root !== root) {
    player?.unmount();
    player = new Player(root, player);
    players.set(parentElement, player);
  }
  player.setStateValue = setStateValue;
  player.mount();
  const call = Symbol("call");
  player.call = call;
  player.receive(data).catch((error) => {
    root.dataset.ready = "error";
    console.error("vizkv player:", error);
  });
  // a clean-up may come late, after a newer call for the same element: it must not stop that one
  return () => {
    if (player.call === call) player.unmount();
  };
}
