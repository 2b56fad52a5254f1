// Ranges of virtual addresses, one below the other, with the physical pages that are mapped behind them.

import {dress, lights, tint} from "./links.js";
import {make, write} from "./row.js";

const MOST_NUMBERS = 64; // pages of a range; in longer ones a page is too narrow for its number

export class RangesPanel {
  constructor(trace, system) {
    const {say} = trace;
    this.trace = trace;
    this.pages = system.range_pages;
    this.element = make("section", "panel wide panel-ranges", "", {"aria-label": say("panel.ranges")});
    const label = make("div", "panel-label", "", {title: say("ranges.about")});
    label.append(make("h2", "panel-name", say("panel.ranges")));
    this.box = make("div", "ranges", "", {tabindex: "0", role: "group", "aria-label": say("panel.ranges")}); // it scrolls
    this.box.style.setProperty("--pages", this.pages);
    this.element.append(label, this.box);
    this.lines = [];
  }

  /** A line for each range that has ever had a request, so that none comes or goes between two of them. */
  update(scene) {
    const {ranges} = scene.ledger;
    const count = Math.max(this.lines.length, ...[...ranges.keys()].map((number) => number + 1));
    while (this.lines.length < count) this.lines.push(this.build());
    this.lines.forEach((line, number) => this.line(scene, line, number));
  }

  build() {
    const element = make("div", "range");
    const [name, track] = [make("span", "range-name"), make("span", "range-track")];
    element.append(name, track);
    this.box.append(element);
    return {name, track, cells: []};
  }

  line(scene, {name, track, cells}, number) {
    const {ledger} = scene;
    const pages = ledger.ranges.get(number) ?? [];
    const owner = ledger.owners.get(number) ?? -1;
    write(name, owner < 0 ? String(number) : `${number} ${this.trace.requests[owner].id}`);
    while (cells.length < pages.length) {
      const cell = make("span", "range-page");
      cells.push(cell);
      track.append(cell);
    }
    cells.forEach((cell, index) => {
      const page = pages[index] ?? -1;
      cell.hidden = page < 0;
      if (page < 0) return;
      const filled = owner < 0 ? 0 : ledger.filled(owner, index);
      cell.spot = owner < 0 ? {block: page} : {request: owner, logical: index};
      cell.title = this.trace.say(owner < 0 ? "code.mapped" : "ranges.page", {page, index});
      cell.style.setProperty("--filled", filled / ledger.size);
      write(cell, this.pages <= MOST_NUMBERS ? String(page) : "");
      dress(cell, `range-page${owner < 0 ? " mark-mapped" : tint(page)}${lights(scene, page)}`);
    });
  }
}
