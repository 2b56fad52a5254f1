// From a token to its slot: the arithmetic with its numbers, and the lines of code that do it.

import {dress, readable} from "./links.js";
import {make, write} from "./row.js";

const PARTS = ["position", "row", "offset", "block", "slot"];
const LINES = [
  "block = block_table[position // block_size]",
  "slot = block * block_size + position % block_size",
  "k, v = pool[layer, 0, slot], pool[layer, 1, slot]",
];
// what of a line is which part of the arithmetic, in the order in which it stands there
const MARKED = [
  [["block", "block"], ["block_table[", "block"], ["position // block_size", "row"], ["]", "block"]],
  [["slot", "slot"], ["block", "block"], ["position % block_size", "offset"]],
  [["slot", "slot"], ["slot", "slot"]],
];

function codeLine(text, marked) {
  const line = make("code", "code-line");
  let from = 0;
  for (const [words, part] of marked) {
    const at = text.indexOf(words, from);
    line.append(text.slice(from, at), make("span", "code-part", words, {"data-part": part}));
    from = at + words.length;
  }
  line.append(text.slice(from));
  return line;
}

export class FollowPanel {
  constructor(trace) {
    const {say} = trace;
    this.trace = trace;
    this.element = make("section", "panel panel-follow", "", {"aria-label": say("panel.follow")});
    this.who = make("span", "follow-who");
    const name = make("h2", "panel-name", say("panel.follow"));
    name.append(this.who);
    this.sum = make("div", "sum", "", {"aria-live": "off"});
    this.parts = Object.fromEntries(PARTS.map((part) => [part, make("button", "part-of-sum", "", {type: "button", "data-part": part})]));
    const {position, row, offset, block, slot} = this.parts;
    const both = make("span", "both");
    both.append(row, offset);
    this.sum.append(position, ...[both, block, slot].map((part) => {
      const next = make("span", "sum-next");
      next.append(make("span", "sum-arrow", "→", {"aria-hidden": "true"}), part);
      return next;
    }));
    this.hint = make("p", "follow-hint", say("follow.hint"));
    this.code = make("pre", "code");
    this.code.append(...LINES.map((line, i) => codeLine(line, MARKED[i])));
    const box = make("div", "panel-box", "", {tabindex: "0", role: "group", "aria-label": say("panel.follow")}); // it scrolls
    box.append(this.hint, this.sum, this.code);
    this.element.append(name, box);
    this.spots = [...this.element.querySelectorAll("[data-part]")];
    for (const element of this.spots) element.spot = {part: element.dataset.part};
  }

  update(scene) {
    const {ledger, lit, pin} = scene;
    const token = lit?.position >= 0 ? lit : pin;
    const written = token !== null && token?.slot >= 0;
    dress(this.sum, `sum${written ? "" : " unseen"}`);
    dress(this.hint, `follow-hint${written ? " unseen" : ""}`);
    const part = lit?.part ?? "";
    for (const element of this.spots) {
      const base = element.localName === "button" ? "part-of-sum" : "code-part";
      dress(element, `${base}${element.dataset.part === part ? " here" : ""}${written ? "" : " idle"}`);
    }
    if (!written) {
      const {say, requests} = this.trace;
      const key = token?.position >= 0 ? "follow.unwritten" : "follow.hint";
      write(this.hint, say(key, {request: requests[token?.request]?.id ?? "", position: String(token?.position)}));
      write(this.who, "");
      return;
    }
    this.numbers(scene, token, ledger.size);
  }

  numbers(scene, token, size) {
    const {say, requests} = this.trace;
    const {position, logical, offset, block} = token;
    const misread = scene.ledger.misread(token.request, logical);
    const read = misread >= 0 ? misread : block; // what attention computes with
    const n = (values) => Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]));
    write(this.who, say("tip.token", n({request: requests[token.request].id, position, token: readable(scene.textOf(token.request, position))})));
    const {parts} = this;
    write(parts.position, say("follow.position", n({position})));
    write(parts.row, say("follow.row", n({position, size, row: logical})));
    write(parts.offset, say("follow.offset", n({position, size, offset})));
    write(parts.block, say(misread >= 0 ? "follow.misread" : "follow.block", n({row: logical, block: read, right: block})));
    write(parts.slot, say("follow.slot", n({block: read, size, offset, slot: read * size + offset})));
    this.sum.dataset.wrong = misread >= 0 ? "1" : "0";
  }
}
