// What a class adds to the page: a student's bar, the code that fills the screen, and the lecturer's line of counts.

import {make} from "./slide.js";

const HERE_ONLY = ["localhost", "127.0.0.1", "[::1]"];

function tool(name, text, act, label = text) {
  const button = make("button", `tool ${name}`, text, {type: "button", title: label, "aria-label": label});
  button.addEventListener("click", () => act());
  return button;
}

/** The bar of a student: where the class is, let go and follow, the app, language and theme. */
export function studentBar(stage) {
  const {say} = stage.words;
  const {room} = stage;
  stage.count = make("span", "count", "", {role: "status"});
  stage.tally = make("span", "tally");
  stage.link = make("a", "tool app", say.app, {target: "_blank", rel: "noopener"});
  stage.back = tool("back", "‹", () => stage.turn(-1), say.previous);
  stage.forth = tool("forth", "›", () => stage.turn(1), say.next);
  stage.line = make("span", "class-line", "", {role: "status"});
  stage.following = tool("follow", say["class.let-go"], () => room.follow(room.alone));
  stage.black = make("div", "black");
  stage.black.hidden = true;
  const bar = make("nav", "show-bar", "", {"aria-label": say["class.bar"]});
  bar.append(stage.following, stage.back, stage.count, stage.forth, stage.tally, stage.line, make("span", "gap"), stage.link);
  if (stage.score.languages.length > 1) bar.append(tool("lang", say.language, () => stage.otherLanguage()));
  bar.append(tool("theme", "◐", () => stage.otherTheme(), say.theme));
  stage.root.append(bar);
}

/** The code, the address and the QR code over the whole screen. */
export function joinScreen(stage) {
  const {say} = stage.words;
  const {code, address} = stage.room;
  const box = make("div", "join", "", {role: "dialog", "aria-label": say["class.join"]});
  const texts = make("div", "join-texts");
  texts.append(make("p", "join-hint", say["class.join.hint"]), make("p", "join-address", address.replace(/^https?:\/\//, "")), make("p", "join-code", code.toUpperCase()));
  if (HERE_ONLY.includes(location.hostname)) texts.append(make("p", "join-warning", say["class.here-only"]));
  const picture = make("div", "join-picture", "", {role: "img", "aria-label": say["class.qr"]});
  fetch(`${address}/qr.svg?address=${encodeURIComponent(address)}`)
    .then((answer) => (answer.ok ? answer.text() : ""))
    .then((svg) => (picture.innerHTML = svg))
    .catch(() => {}); // the address beside it says the same
  box.append(picture, texts);
  box.hidden = true;
  box.addEventListener("click", () => stage.room.set({join: false}));
  return box;
}

/** How the class is, in a line. */
export function classLine(words, room) {
  const {say} = words;
  if (room.refused) return say[`class.refused.${room.refused}`] ?? say["class.refused.class"];
  if (!room.connected) return say[`class.refused.${room.trouble}`] ?? say["class.connecting"];
  if (!room.leads) {
    const {beat, part} = room.news.place;
    const elsewhere = room.alone && (beat !== room.state.beat || part !== room.state.part);
    return elsewhere ? say["class.elsewhere"].replace("{n}", beat + 1) : "";
  }
  const number = (n) => n.toLocaleString(words.lang);
  const {students, tally, kept} = room.news;
  const parts = [say["class.students"].replace("{n}", number(students))];
  if (tally) parts.push(say["class.answers"].replace("{n}", number(tally.all)));
  if (!kept) parts.push(say["class.not-kept"]);
  return parts.join(" · ");
}

/** The lecturer's part of the desk: counts as they come, what the stage shows of them, and what can be saved. */
export class ClassDesk {
  constructor(context) {
    Object.assign(this, context);
    const {say} = this.words;
    this.root = make("section", "class-desk", "", {"aria-label": say["class.title"]});
    this.line = make("p", "class-line", "", {role: "status"});
    this.bars = make("dl", "class-bars");
    this.shown = tool("answers", say["class.show"], () => this.room.set({shown: !this.room.state.shown}));
    this.join = tool("join-open", say["class.join"], () => this.room.set({join: !this.room.state.join}));
    this.note = make("span", "class-note", "", {role: "status"});
    const row = make("div", "class-tools");
    row.append(
      this.join, this.shown, tool("save-csv", say["class.csv"], () => this.save("csv")), tool("save-page", say["class.page"], () => this.save("html")),
      tool("copy-link", say["class.link"], () => this.copy(), say["class.link.hint"]),
      tool("end", say["class.end"], () => window.confirm(say["class.end.sure"]) && this.room.end()), this.note,
    );
    this.root.append(make("h2", "", `${say["class.title"]} ${this.room.code.toUpperCase()}`), this.line, this.bars, row);
  }

  show() {
    const {room, words} = this;
    this.line.textContent = classLine(words, room);
    this.shown.setAttribute("aria-pressed", String(room.state.shown));
    this.join.setAttribute("aria-pressed", String(room.state.join));
    const {tally} = room.news;
    const text = tally && words.beats[tally.at[0]]?.questions[tally.at[1]];
    if (!text) return this.bars.replaceChildren();
    const {answer} = this.score.beats[tally.at[0]].questions[tally.at[1]];
    const labels = new Map(text.choices);
    const others = Object.keys(tally.by).filter((value) => !labels.has(value));
    const rows = [...labels].map(([value, label]) => [value === answer ? `${label} ✓` : label, tally.by[value] ?? 0]);
    if (others.length) rows.push([words.say["class.others"], others.reduce((sum, value) => sum + tally.by[value], 0)]);
    this.bars.replaceChildren(...rows.flatMap(([label, n]) => {
      const bar = make("dd", "class-bar", String(n));
      bar.style.setProperty("--share", tally.all ? n / tally.all : 0);
      return [make("dt", "", label), bar];
    }));
  }

  async save(ending) {
    const {room, words} = this;
    try {
      const answer = await fetch(`${room.address}/answers.${ending}?lang=${words.language}`, {headers: {Authorization: `Bearer ${room.secret}`}});
      if (!answer.ok) throw new Error(String(answer.status));
      const link = make("a", "", "", {href: URL.createObjectURL(await answer.blob()), download: `class-${room.code}.${ending}`});
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
      this.note.textContent = "";
    } catch {
      this.note.textContent = words.say["class.not-saved"];
    }
  }

  async copy() {
    const link = `${this.room.address}#lead=${this.room.secret}`;
    try {
      await navigator.clipboard.writeText(link);
      this.note.textContent = this.words.say["class.copied"];
    } catch { // a page without https may not write there
      window.prompt(this.words.say["class.link"], link);
    }
  }
}
