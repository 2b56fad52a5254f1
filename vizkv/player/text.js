// The followed sequence's text, token by token, with one tint a block; and which sequence that is.

import {dress, lights, readable, reveal, tint} from "./links.js";
import {make, write} from "./row.js";

const MOST = 1536; // tokens shown: of a longer text, its end

/** About how many letters a request's whole text takes, with the gaps between tokens and blocks. */
function lengthOf({tokens, final_slots: slots}, size) {
  return tokens.reduce((sum, token) => sum + token.length, 0) + slots * 0.7 + (slots / size) * 1.5;
}

export class TextPanel {
  constructor(trace, system, everyone) {
    this.trace = trace;
    this.longest = Math.max(1, ...everyone.map((i) => lengthOf(trace.requests[i], system.block_size)));
    this.element = make("section", "panel wide panel-text", "", {"aria-label": trace.say("panel.text")});
    const label = make("div", "panel-label");
    this.chips = make("div", "sequences", "", {role: "group", "aria-label": trace.say("panel.sequences")});
    label.append(make("h2", "panel-name", trace.say("panel.text")), this.chips);
    this.box = make("div", "tokens", "", {role: "listbox", "aria-orientation": "horizontal", "aria-label": trace.say("panel.text")});
    this.away = make("p", "away");
    this.element.append(label, this.box);
    this.tokens = [];
    this.sequences = trace.requests.map((request, i) => {
      const chip = make("button", "sequence", request.id, {type: "button", "data-request": i});
      chip.title = trace.say("sequence", {request: request.id});
      return chip;
    });
    this.chips.append(...this.sequences);
  }

  /** As many lines as the longest text will need, so that nothing moves; few, so that the rest has room. */
  resize() {
    const type = parseFloat(getComputedStyle(this.box).fontSize);
    const lines = Math.ceil((this.longest * type * 0.55) / Math.max(1, this.box.clientWidth));
    const least = this.sequences.length > 4 ? 2 : 1; // their chips need room too
    this.element.style.setProperty("--lines", Math.max(least, Math.min(window.innerHeight > 900 ? 3 : 2, lines)));
  }

  update(scene) {
    const {ledger, followed} = scene;
    this.sequences.forEach((chip, i) => {
      dress(chip, `sequence${ledger.tables.has(i) ? "" : " absent"}`);
      chip.setAttribute("aria-pressed", i === followed ? "true" : "false");
    });
    if (followed !== this.followed) reveal(this.chips, this.sequences[followed], this.sequences[followed]);
    this.followed = followed;
    const written = ledger.tokens(followed);
    const size = ledger.size;
    const from = written > MOST ? Math.ceil((written - MOST) / size) * size : 0;
    const final = this.trace.requests[followed]?.final_slots ?? 0;
    const shown = written - from + (ledger.tables.has(followed) && written < final ? 1 : 0); // and an outline of the next
    while (this.tokens.length < shown) this.tokens.push(make("span", "token", "", {role: "option", tabindex: "-1"}));
    if (this.shown !== shown) {
      if (this.shown > shown || !this.box.isConnected) this.box.replaceChildren(...this.tokens.slice(0, shown));
      else this.box.append(...this.tokens.slice(this.shown ?? 0, shown));
      this.shown = shown;
    }
    const fresh = ledger.wroteFrom(followed);
    for (let i = 0; i < shown; i++) this.token(this.tokens[i], scene, from + i, written, fresh);
    this.reach(scene, from, written);
    this.absence(scene, shown);
  }

  token(element, scene, position, written, fresh) {
    const {ledger, followed} = scene;
    const logical = Math.floor(position / ledger.size);
    const offset = position % ledger.size;
    const first = offset === 0 ? " first" : "";
    const last = offset === ledger.size - 1 ? " last" : "";
    element.spot = {request: followed, position};
    if (element.logical !== logical) element.dataset.logical = element.logical = logical;
    if (element.position !== position) element.dataset.position = element.position = position;
    if (position >= written) {
      write(element, "…");
      dress(element, `token next${first}${last}`);
      return;
    }
    const block = ledger.table(followed)[logical] ?? -1;
    write(element, readable(scene.textOf(followed, position)));
    const news = position === written - 1 && fresh < written ? " newest" : position >= fresh ? " new" : "";
    const wrong = ledger.misread(followed, logical) >= 0 ? " wrong" : "";
    dress(element, `token${tint(block)}${first}${last}${news}${wrong}${lights(scene, block, offset)}`);
    const chosen = scene.pin?.request === followed && scene.pin.position === position;
    if (element.chosen !== chosen) {
      element.chosen = chosen;
      element.setAttribute("aria-selected", chosen ? "true" : "false");
    }
  }

  /** The chosen token, or else the newest, is in sight and is the one that Tab reaches. */
  reach(scene, from, written) {
    const position = scene.pin?.request === scene.followed && scene.pin.position < written ? scene.pin.position : written - 1;
    const element = this.tokens[position - from];
    if (element === this.reached && this.reachedAt === position) return;
    if (this.reached) this.reached.tabIndex = -1;
    this.reached = element;
    this.reachedAt = position;
    if (!element) return;
    element.tabIndex = 0;
    this.scroll(element);
  }

  /** By whole lines: none is shown by half. */
  scroll(element) {
    const {box} = this;
    const line = element.offsetHeight + parseFloat(getComputedStyle(element).marginBottom);
    const at = element.offsetTop;
    if (at >= box.scrollTop && at + line <= box.scrollTop + box.clientHeight + 2) return;
    const lines = Math.max(1, Math.floor((box.clientHeight + 2) / line));
    box.scrollTop = Math.max(0, Math.round(at / line) - lines + 1) * line;
  }

  absence(scene, shown) {
    const name = this.trace.requests[scene.followed]?.id;
    const key = shown ? "" : !name ? "away.nobody" : scene.ledger.cpu.has(scene.followed) ? "away.swapped" : "away.none";
    if (key && !this.away.isConnected) this.box.append(this.away);
    if (!key) this.away.remove();
    else write(this.away, this.trace.say(key, {request: name}));
  }

  /** The element of a token, for the keyboard. */
  find(position) {
    return this.tokens.find((element) => element.isConnected && element.position === position);
  }
}
