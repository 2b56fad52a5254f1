// The knobs: what is turned is told while it is turned. Label, range and every word of a value come from Python.

import {attribute, make, mark, write} from "./words.js";

class Knob {
  constructor(given, turn) {
    this.name = given.name;
    this.turn = turn;
    this.element = make("div", "knob", "", {"data-knob": given.name});
    const id = `knob-${given.name}`;
    this.label = make("label", "knob-label", "", {for: id});
    this.value = make("output", "knob-value", "", {for: id});
    this.home = make("button", "home", "↺", {type: "button"});
    const line = make("div", "knob-line");
    line.append(this.label, this.home, this.value);
    this.range = given.kind === "range";
    this.input = this.range ? make("input", "range", "", {id, type: "range", min: "0", step: "1"}) : make("select", "choice", "", {id});
    this.element.append(line, this.input);
    this.input.addEventListener(this.range ? "input" : "change", () => this.moved());
    this.home.addEventListener("click", () => this.reset());
    this.element.addEventListener("dblclick", () => this.range && this.reset());
  }

  get index() {
    return this.range ? Number(this.input.value) : this.input.selectedIndex;
  }

  moved() {
    this.show(this.index);
    this.turn(this.name, this.given.values[this.index]);
  }

  reset() {
    if (this.given.home < 0 || this.index === this.given.home) return;
    this.show(this.given.home);
    this.turn(this.name, this.given.values[this.given.home]);
    this.input.focus({preventScroll: true}); // the button that was pressed is gone
  }

  /** `free`: whether nothing that was turned here is still on its way. */
  receive(given, words, free) {
    const known = JSON.stringify([given.values, given.texts]);
    this.given = given;
    write(this.label, given.label);
    attribute(this.home, "aria-label", words.say("home", {knob: given.label}));
    attribute(this.home, "title", words.say("home", {knob: given.label}));
    if (known !== this.known) {
      this.known = known;
      if (this.range) attribute(this.input, "max", String(given.values.length - 1));
      else this.input.replaceChildren(...given.texts.map((text) => make("option", "", text)));
    }
    this.show(free ? given.index : this.index);
  }

  show(index) {
    if (this.range) {
      if (this.input.value !== String(index)) this.input.value = index;
      const share = this.given.values.length > 1 ? index / (this.given.values.length - 1) : 0;
      this.input.style.setProperty("--done", share);
      attribute(this.input, "aria-valuetext", this.given.texts[index]);
      write(this.value, this.given.texts[index]);
    } else if (this.input.selectedIndex !== index) this.input.selectedIndex = index;
    mark(this.element, "turned", this.given.home >= 0 && index !== this.given.home);
  }
}

export class Knobs {
  /** `turn(name, value)` is called while a knob is turned. */
  constructor(element, turn) {
    this.element = element;
    this.turn = turn;
    this.knobs = new Map();
  }

  receive(given, words, free) {
    const names = given.map((knob) => knob.name).join();
    if (names !== this.names) {
      this.names = names;
      const before = this.knobs;
      this.knobs = new Map(given.map((knob) => [knob.name, before.get(knob.name) ?? new Knob(knob, this.turn)]));
      this.element.replaceChildren(...[...this.knobs.values()].map((knob) => knob.element));
    }
    for (const knob of given) this.knobs.get(knob.name).receive(knob, words, free);
  }
}
