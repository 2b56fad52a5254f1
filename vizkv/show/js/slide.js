// One beat on a page: its title, the question that is open, and its exhibit. It is mounted once and then only changed.

import {mount} from "../../exhibit/js/mount.js";

export function make(tag, className = "", text = "", attributes = {}) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** Files of the show by name: in the page itself, or beside it. */
export class Shelf {
  constructor(folder) {
    this.folder = folder;
    this.known = new Map();
  }

  get(name) {
    if (!this.known.has(name)) this.known.set(name, this.read(name));
    return this.known.get(name);
  }

  async read(name) {
    const here = document.getElementById(`data-${name}`);
    if (here) return Uint8Array.from(atob(here.textContent), (letter) => letter.charCodeAt(0));
    const answer = await fetch(`${this.folder}${name}.bin`);
    if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
    return new Uint8Array(await answer.arrayBuffer());
  }
}

/** Parts of a beat: each question, then its answer; a beat without questions has one part, which shows it. */
export function partsOf(beat) {
  return Math.max(1, 2 * beat.questions.length);
}

/** {question, asked} of a part; question -1 where there is none. The last answer is shown with the beat's own view. */
export function partAt(beat, part) {
  const last = beat.questions.length - 1;
  if (last < 0) return {question: -1, asked: false};
  return {question: Math.min(last, part >> 1), asked: part % 2 === 0};
}

export class Slide {
  /** `context`: {score, words, shelf, answers, moved(view), answered()} */
  constructor(context, index) {
    Object.assign(this, context);
    this.context = context;
    this.index = index;
    this.beat = context.score.beats[index];
    this.told = context.words.beats[index];
    this.element = make("section", "slide", "", {"data-beat": index + 1, "aria-label": this.told.title});
    this.title = make("h1", "title", this.told.title);
    this.ask = make("div", "ask");
    this.place = make("div", "place");
    this.element.append(this.title, this.ask, this.place);
    this.part = -1;
    this.onPick = ({detail}) => this.pick(detail);
  }

  /** Mount the exhibit; once. */
  open() {
    this.opening ??= (async () => {
      const packed = await this.shelf.get(this.beat.payload);
      const exhibit = {
        kind: this.beat.kind, id: `${this.beat.payload}-${this.words.lang}`, packed, words: this.words.exhibits[this.beat.words],
        view: this.viewAt(this.part < 0 ? 0 : this.part), alt: this.told.alt,
      };
      this.exhibit = mount(this.place, exhibit, (view) => this.moved(this, view));
      if (!this.active || this.watching?.()) this.exhibit.rest();
      await this.exhibit.ready;
      if (!this.active || this.watching?.()) this.exhibit.rest();
      this.element.dataset.ready = "1";
      this.apply();
    })().catch((error) => {
      console.error("vizkv show:", error);
      this.place.replaceChildren(make("p", "failed", this.words.say.failed, {role: "alert"}));
    });
    return this.opening;
  }

  viewAt(part) {
    const {question, asked} = partAt(this.beat, part);
    if (question < 0) return this.beat.view;
    return asked ? this.beat.questions[question].view : this.beat.questions[question].reveal;
  }

  /** Show a part, and whatever the reader has moved since (`view`), which may be null. */
  show(part, view = null) {
    this.part = part;
    this.wanted = view;
    this.question();
    this.apply();
  }

  apply() {
    if (this.part < 0 || !this.exhibit) return;
    const {question, asked} = partAt(this.beat, this.part);
    const {element} = this;
    element.dataset.asked = asked ? "1" : "0";
    const veil = asked && this.beat.questions[question].veil;
    const pick = asked && this.beat.questions[question].pick;
    this.place.inert = Boolean(this.still) || (asked && !pick) || (!pick && Boolean(this.watching?.()));
    this.exhibit.veil(veil);
    element.dataset.veil = veil ? "1" : "0";
    this.exhibit.show(this.wanted ?? this.viewAt(this.part));
  }

  question() {
    const {question, asked} = partAt(this.beat, this.part);
    if (question < 0) return this.ask.replaceChildren();
    const {words, told, beat, index, answers} = this;
    const [facts, text] = [beat.questions[question], told.questions[question]];
    const given = answers.of(index, question);
    const box = [make("p", "ask-text", text.text)];
    const choices = make("div", "choices", "", {role: "group", "aria-label": words.say.question});
    for (const [value, label] of text.choices) {
      const button = make("button", "answer", label, {type: "button", "data-value": value, "aria-pressed": String(given === value)});
      button.disabled = !asked;
      if (!asked && value === facts.answer) button.classList.add("right");
      if (!asked && value === given && given !== facts.answer) button.classList.add("wrong");
      button.addEventListener("click", () => this.choose(question, value));
      choices.append(button);
    }
    box.push(choices);
    // one line, as high before the answer as with it: the picture keeps its size and need not be drawn anew
    const verdict = given === null ? words.say.answer : given === facts.answer ? words.say.right : words.say.wrong;
    const line = make("p", asked ? "ask-hint" : "told", "", asked ? {} : {role: "status"});
    if (asked) {
      const room = make("span", "room", `${words.say.answer} ${text.told}`, {"aria-hidden": "true"});
      const counted = given !== null && this.counted?.(index, question);
      line.append(make("span", "", counted ? words.say["class.counted"] : facts.pick ? words.say[`pick.${facts.pick}`] : ""), room);
    } else line.append(make("b", "", `${verdict} `), text.told);
    box.push(line);
    this.ask.replaceChildren(...box);
    this.tally();
  }

  /** The answers of a class as bars behind the choices, where the lecturer wants them on the stage. */
  tally() {
    const {question} = partAt(this.beat, Math.max(0, this.part));
    const counts = question < 0 ? null : this.counts?.(this.index, question) ?? null;
    for (const button of this.ask.querySelectorAll(".answer")) {
      const n = counts?.by[button.dataset.value] ?? 0;
      button.classList.toggle("counted", counts !== null);
      button.style.setProperty("--share", counts?.all ? n / counts.all : 0);
      const number = button.querySelector(".number") ?? button.appendChild(make("span", "number"));
      number.textContent = counts ? String(n) : "";
    }
  }

  choose(question, value) {
    this.answers.put(this.index, question, value);
    this.answered(this, question, value);
  }

  /** A slot was clicked while a question asks for one. */
  pick({system, slot}) {
    const {question, asked} = partAt(this.beat, this.part);
    if (!this.active || this.still || !asked) return;
    const {pick, size, system: whose} = this.beat.questions[question];
    if (!pick || system !== whose || slot < 0) return;
    this.choose(question, String(pick === "block" ? Math.floor(slot / size) : slot));
  }

  /** The keys of the window are this slide's player's. */
  activate(on) {
    if (this.active === on) return;
    this.active = on;
    window[on ? "addEventListener" : "removeEventListener"]("vizkv-pick", this.onPick);
    this.wakes();
  }

  /** The window's keys are the picture's while it is in front and its reader may move it. */
  wakes() {
    if (this.active && !this.still && !this.watching?.()) this.exhibit?.wake();
    else this.exhibit?.rest();
  }

  close() {
    this.activate(false);
    this.exhibit?.close();
    this.element.remove();
  }
}
