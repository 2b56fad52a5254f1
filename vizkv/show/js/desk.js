// The desk: the speaker's second window, with this beat and the next as live pictures, the notes, and the clock.

import {Slide, make, partsOf} from "./slide.js";
import {ClassDesk} from "./student.js";

const [WIDE, HIGH] = [1280, 720]; // what a thumbnail is drawn at, before it is made small

function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (n) => String(n).padStart(2, "0");
  return `${Math.floor(seconds / 3600) ? `${Math.floor(seconds / 3600)}:` : ""}${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

export class Desk {
  constructor(context, root) {
    this.context = context;
    const {words, score} = context;
    const {say} = words;
    this.root = make("main", "desk");
    this.where = make("p", "desk-where");
    this.title = make("h1", "desk-title");
    this.now = make("div", "thumb now");
    this.next = make("div", "thumb next");
    this.notes = make("div", "desk-notes", "", {tabindex: "0", role: "region", "aria-label": say["desk.notes"]});
    this.elapsed = make("b", "elapsed", "", {role: "timer"});
    this.planned = make("b", "planned");
    this.upcoming = make("p", "upcoming");
    const restart = make("button", "tool", say["desk.reset"], {type: "button"});
    restart.addEventListener("click", () => this.start(Date.now()));
    const times = make("div", "times");
    times.append(make("span", "", say["desk.elapsed"]), this.elapsed, make("span", "", say["desk.planned"]), this.planned, restart);
    const right = make("div", "desk-side");
    right.append(make("h2", "", say["desk.next"]), this.upcoming, this.next, times);
    const left = make("div", "desk-main");
    left.append(this.where, this.title, this.now, this.notes);
    if (context.room) {
      this.class = new ClassDesk(context);
      right.prepend(this.class.root);
    }
    this.root.append(left, right);
    root.append(this.root);
    this.slides = new Map();
    this.key = `vizkv-clock-${score.id}`;
    try {
      this.began = Number(sessionStorage.getItem(this.key)) || 0;
    } catch {
      this.began = 0;
    }
    if (!this.began) this.start(Date.now());
    this.ticking = setInterval(() => this.tick(), 500);
    this.observer = new ResizeObserver(() => this.scale());
    this.observer.observe(this.now);
    this.observer.observe(this.next);
  }

  start(at) {
    this.began = at;
    try {
      sessionStorage.setItem(this.key, String(at));
    } catch { /* a browser that keeps nothing */ }
    this.tick();
  }

  /** The class has news that turn no beat. */
  heard() {
    this.class?.show();
    this.root.dataset.connected = this.context.room.connected ? "1" : "0";
  }

  tick() {
    this.elapsed.textContent = clock(Date.now() - this.began);
  }

  scale() {
    for (const box of [this.now, this.next]) box.style.setProperty("--scale", box.clientWidth / WIDE);
  }

  slide(box, index) {
    const key = `${box.className}-${index}`;
    if (!this.slides.has(key)) {
      const slide = new Slide({...this.context, moved: () => {}, answered: () => {}}, index);
      slide.still = true;
      slide.element.inert = true;
      slide.element.style.cssText = `width:${WIDE}px;height:${HIGH}px`;
      this.slides.set(key, slide);
    }
    const slide = this.slides.get(key);
    if (slide.element.parentElement !== box) box.append(slide.element);
    for (const one of box.children) one.classList.toggle("shown", one === slide.element);
    return slide;
  }

  show(state) {
    const {score, words} = this.context;
    const {say} = words;
    const beat = score.beats[state.beat];
    const told = words.beats[state.beat];
    this.root.dataset.beat = state.beat + 1;
    this.root.dataset.part = state.part;
    this.class?.show();
    this.where.textContent = say.beat.replace("{n}", state.beat + 1).replace("{total}", score.beats.length);
    this.title.textContent = told.title;
    if (this.noted !== state.beat) {
      this.noted = state.beat;
      this.notes.innerHTML = told.notes;
      this.notes.scrollTop = 0;
    }
    const minutes = score.beats.slice(0, state.beat + 1).reduce((sum, one) => sum + one.minutes, 0);
    this.planned.textContent = clock(minutes * 60000);
    const now = this.slide(this.now, state.beat);
    now.show(state.part, state.view);
    now.open();
    // what the next key shows: an answer, a question, or the next beat
    const more = state.part + 1 < partsOf(beat);
    const at = more ? state.beat : state.beat + 1;
    this.upcoming.textContent = words.beats[at]?.title ?? say["desk.end"];
    this.next.classList.toggle("over", !words.beats[at]);
    if (!words.beats[at]) return;
    const next = this.slide(this.next, at);
    next.show(more ? state.part + 1 : 0);
    next.open();
    this.scale();
  }
}
