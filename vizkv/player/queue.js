// The free queue in order, from the block that goes next to the one that goes last; and the CPU pool of swapped blocks.

import {dress, lights, lightsCpu} from "./links.js";
import {make, write} from "./row.js";

const MOST_LEFT = 3; // blocks shown that have left in this step
const MORE = 4; // chips whose room the number of the others takes
const TAIL = 4; // of a long queue the last ones are shown too

/** What does not fit is counted. */
function cut(ledger, room) {
  if (ledger.queue.size <= room) return [ledger.queue.list(), []];
  return [ledger.queue.list(room - TAIL - MORE), ledger.queue.list(TAIL, true)];
}

export class QueuePanel {
  constructor(trace, system) {
    const {say} = trace;
    this.trace = trace;
    this.digits = String(Math.floor(system.slots / system.block_size) - 1).length;
    this.room = TAIL + MORE + 2;
    this.element = make("section", "panel wide panel-queue", "", {"aria-label": say("panel.queue")});
    const label = make("div", "panel-label");
    this.count = make("span", "panel-count");
    label.append(make("h2", "panel-name", say("panel.queue")), this.count);
    this.left = make("div", "left", "", {role: "group", "aria-label": say("queue.left")});
    this.left.title = say("queue.left");
    this.box = make("div", "queue", "", {role: "group", "aria-label": say("panel.queue")});
    const line = make("div", "queue-line");
    line.append(this.left, make("span", "queue-arrow", "←", {"aria-hidden": "true"}), this.box);
    this.element.append(label, line);
    this.chips = [];
    this.more = make("span", "queue-more");
    this.gone = Array.from({length: MOST_LEFT}, () => make("span", "free-chip gone"));
    this.others = make("span", "queue-more");
    this.taken = make("span", "left-name");
    this.left.append(this.taken, this.others, ...this.gone);
  }

  update(scene) {
    const {ledger} = scene;
    write(this.count, this.trace.say("queue.free", {count: ledger.queue.size}));
    this.leaving(scene);
    const [head, tail] = cut(ledger, this.room);
    const count = head.length + tail.length;
    while (this.chips.length < count) this.chips.push(make("button", "free-chip", "", {type: "button", tabindex: "-1"}));
    const hidden = ledger.queue.size - count;
    const shape = `${count} ${head.length} ${hidden > 0}`;
    if (shape !== this.shape) {
      this.shape = shape;
      const chips = this.chips.slice(0, count);
      this.box.replaceChildren(...chips.slice(0, head.length), ...(hidden ? [this.more] : []), ...chips.slice(head.length));
      chips.forEach((chip, i) => (chip.tabIndex = i ? -1 : 0));
    }
    write(this.more, this.trace.say("queue.more", {count: hidden}));
    [...head, ...tail].forEach((block, i) => this.chip(scene, this.chips[i], block));
  }

  /** How many chips there is room for; with more digits they are wider. */
  resize() {
    const type = parseFloat(getComputedStyle(this.box).fontSize);
    const wide = Math.max(2.1, 1 + 0.62 * this.digits) * type;
    this.element.style.setProperty("--chip", `${wide}px`);
    this.room = Math.max(TAIL + MORE + 2, Math.floor((this.box.clientWidth - 6) / (wide + 4)));
  }

  leaving(scene) {
    const {left} = scene.ledger;
    const blocks = left.slice(-MOST_LEFT);
    write(this.taken, left.length ? this.trace.say("queue.taken") : "");
    write(this.others, left.length > MOST_LEFT ? this.trace.say("queue.others", {count: left.length - MOST_LEFT}) : "");
    this.gone.forEach((chip, i) => {
      const block = blocks[i - (MOST_LEFT - blocks.length)];
      chip.spot = block === undefined ? undefined : {block};
      write(chip, block === undefined ? "" : String(block));
      dress(chip, block === undefined ? "free-chip nobody" : `free-chip gone${lights(scene, block)}`);
    });
  }

  chip(scene, chip, block) {
    const {ledger} = scene;
    chip.spot = {block};
    write(chip, String(block));
    const cached = ledger.cached[block] ? " mark-cached" : "";
    dress(chip, `free-chip${cached}${ledger.came.has(block) ? " came" : ""}${lights(scene, block)}`);
    if (chip.cached === cached) return;
    chip.cached = cached;
    chip.title = cached ? this.trace.say("code.cached") : "";
  }
}

const CPU_ROOM = 64; // boxes; of a larger pool only those that hold something are shown

export class CpuPanel {
  constructor(trace, system) {
    const {say} = trace;
    this.trace = trace;
    this.blocks = system.cpu_blocks;
    this.element = make("section", "panel wide panel-cpu", "", {"aria-label": say("panel.cpu")});
    const label = make("div", "panel-label");
    this.count = make("span", "panel-count");
    label.append(make("h2", "panel-name", say("panel.cpu")), this.count);
    this.box = make("div", "queue");
    this.element.append(label, this.box);
    this.chips = [];
  }

  update(scene) {
    const {ledger} = scene;
    const owners = new Map();
    for (const [request, blocks] of ledger.cpu) {
      for (const block of blocks) owners.set(block, [...(owners.get(block) ?? []), this.trace.requests[request].id]);
    }
    const shown = this.blocks <= CPU_ROOM ? Array.from({length: this.blocks}, (_, i) => i) : [...owners.keys()].sort((a, b) => a - b).slice(0, CPU_ROOM);
    while (this.chips.length < shown.length) this.chips.push(this.build());
    if (this.shown !== shown.length) {
      this.shown = shown.length;
      this.box.replaceChildren(...this.chips.slice(0, shown.length).map((chip) => chip.element));
      this.chips.forEach((chip, i) => (chip.element.tabIndex = i ? -1 : 0)); // the arrows come to the others
    }
    const moved = new Set(ledger.swaps.map(([, , cpu]) => cpu));
    shown.forEach((cpu, i) => {
      const {element, owner, number} = this.chips[i];
      element.spot = {cpu};
      write(number, String(cpu));
      write(owner, (owners.get(cpu) ?? []).join(" "));
      dress(element, `free-chip cpu-chip${owners.has(cpu) ? " held" : ""}${moved.has(cpu) ? " moved" : ""}${lightsCpu(scene, cpu)}`);
    });
    write(this.count, this.trace.say("queue.free", {count: Math.max(0, this.blocks - owners.size)}));
  }

  build() {
    const element = make("button", "", "", {type: "button", tabindex: "-1"});
    const [owner, number] = [make("b"), make("span", "cpu-number")];
    element.append(owner, number);
    return {element, owner, number};
  }
}
