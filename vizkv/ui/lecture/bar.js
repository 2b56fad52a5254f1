// The lecture bar: title, beat, clock, notes, question. It sends what is pressed to Python, which decides what happens.

const NEXT = ["PageDown", "ArrowRight", "ArrowDown"];
const BACK = ["PageUp", "ArrowLeft", "ArrowUp"];
const START = "vizkv-lecture-started";
const TURNING = 2000; // ms that a page change may take: meanwhile the player does not report its step to Python
const TOP = 60; // px: vertical position of a page's first element
const bars = new WeakMap(); // by element: Streamlit calls the default export again on every change
let desk = null; // the window with the notes; one per tab
let shown = null; // the bar that is on the page now

const two = (n) => String(n).padStart(2, "0");
const clockOf = (ms) => {
  const s = Math.max(0, Math.floor(ms / 1000));
  return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${two(Math.floor(s / 60))}:${two(s % 60)}`;
};

/** Return the page's font faces as CSS, for the window with the notes. */
const faces = () => [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]).filter((rule) => rule instanceof CSSFontFaceRule).map((rule) => rule.cssText).join("");

class Bar {
  constructor(root) {
    this.root = root;
    this.at = (selector) => root.querySelector(selector);
    this.letters = [];
    this.notes = false;
    this.onKey = (event) => this.key(event);
    this.onPick = (event) => this.pick(event.detail);
    root.addEventListener("click", (event) => this.click(event));
    root.__vizkv = {bar: this};
  }

  mount() {
    if (this.mounted) return;
    this.mounted = true;
    shown = this;
    window.addEventListener("keydown", this.onKey, true); // before the player, which handles these keys too
    window.addEventListener("vizkv-pick", this.onPick);
    this.ticking = setInterval(() => {
      this.tick();
      if (this.data) this.again();
    }, 500);
    this.observer = new ResizeObserver(() => {
      this.room();
      requestAnimationFrame(() => this.mounted && this.room()); // the picture below moves one frame later
    });
    this.observer.observe(this.at(".below"));
  }

  unmount() {
    this.mounted = false;
    window.removeEventListener("keydown", this.onKey, true);
    window.removeEventListener("vizkv-pick", this.onPick);
    clearInterval(this.ticking);
    this.observer?.disconnect();
    this.height = "";
    if (shown !== this) return;
    document.documentElement.style.removeProperty("--vizkv-lecture");
    document.documentElement.removeAttribute("data-vizkv-notes");
  }

  /** Subtract the height of the bar from the height that the picture below it may have. */
  room() {
    const picture = document.querySelector('[class*="st-key-player-"], .st-key-whatif-live');
    const scrolled = window.vizkvPage?.scrolled() ?? 0;
    const below = this.at(".below").getBoundingClientRect();
    const top = picture?.isConnected ? picture.getBoundingClientRect().top + scrolled : below.top + below.height;
    const height = `${Math.max(0, Math.ceil(top - TOP))}px`;
    if (height !== this.height) document.documentElement.style.setProperty("--vizkv-lecture", height);
    this.height = height;
  }

  tell(letter) {
    const {beat, part} = this.data;
    const last = this.letters.at(-1)?.n ?? 0;
    this.letters = this.letters.filter((one) => one.n > this.data.heard);
    this.letters.push({n: Math.max(Date.now(), last + 1), beat, part, ...letter});
    window.vizkvTurning = performance.now() + TURNING;
    this.setStateValue("letters", this.letters);
  }

  key(event) {
    if (!this.data || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const by = NEXT.includes(event.key) ? 1 : BACK.includes(event.key) ? -1 : 0;
    if (!by) return;
    const path = event.composedPath();
    const target = path[0];
    if (target.matches?.("input, textarea, select, [contenteditable]")) return;
    // arrow keys belong to the focused element: they turn the beats only if nothing or the bar itself has the focus
    const idle = target === document.body || target === document.documentElement || path.includes(this.root);
    if (event.key.startsWith("Arrow") && !idle) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!event.repeat) this.go(by);
  }

  go(by) {
    if (by < 0 && this.data.beat === 1) return;
    if (by > 0 && this.data.beat === this.data.last && !this.data.question?.open) return;
    this.tell({what: "go", by});
  }

  click(event) {
    const button = event.target.closest("button");
    if (!button || !this.data) return;
    const {do: what, value} = button.dataset;
    if (value !== undefined) this.tell({what: "answer", value});
    else if (what === "next" || what === "back") this.go(what === "next" ? 1 : -1);
    else if (what === "leave") this.tell({what: "leave"});
    else if (what === "notes") this.show((this.notes = !this.notes));
    else if (what === "window") this.open();
    // the bar's own button lies under this one; wait until this click is over, or it closes what it has opened
    else if (what === "share") setTimeout(() => document.querySelector(".st-key-bar-share button")?.click());
    else if (what === "clock") {
      sessionStorage.setItem(START, String(Date.now()));
      this.tick();
    }
  }

  /** Answer with the slot that was clicked in the player. */
  pick({system, slot}) {
    if (this.data?.question?.open && this.data.question.pick) this.tell({what: "pick", system, slot});
  }

  show() {
    this.at(".notes").hidden = !this.notes;
    this.at(".notes-toggle").setAttribute("aria-expanded", this.notes ? "true" : "false");
    document.documentElement.toggleAttribute("data-vizkv-notes", this.notes);
    this.room();
  }

  /** Send unprocessed messages again once the page is idle: Streamlit may drop a value that arrives during a run. */
  again() {
    const lost = this.letters.some(({n}) => n > this.data.heard) && window.vizkvPage?.isIdle();
    if (lost && this.lost) this.setStateValue("letters", this.letters.map((one) => ({...one, again: Date.now()})));
    this.lost = lost && !this.lost;
  }

  tick() {
    this.room();
    const now = Date.now();
    if (!sessionStorage.getItem(START)) sessionStorage.setItem(START, String(now));
    const elapsed = clockOf(now - Number(sessionStorage.getItem(START)));
    if (this.at(".clock").textContent !== elapsed) this.at(".clock").textContent = elapsed;
    if (desk && !desk.closed) desk.document.getElementById("clock").textContent = elapsed;
  }

  // -- the window with the notes -------------------------------------------------------------------------------------

  open() {
    desk = window.open("", "vizkv-notes", "width=760,height=640");
    if (!desk) {
      this.at(".notes").hidden = false;
      this.at(".notes").textContent = this.data.texts.blocked;
      return;
    }
    const paper = desk.document;
    paper.body.replaceChildren();
    const style = paper.createElement("style");
    style.textContent = `${faces()}body{font:20px/1.5 ${getComputedStyle(this.root).fontFamily};margin:0;padding:24px 32px;background:#14181c;color:#f2f2f2}header{display:flex;gap:1.5em;font-variant-numeric:tabular-nums;color:#9fc6ff}h1{font-size:1.5em;line-height:1.2;margin:.5em 0}#notes{white-space:pre-line}#then{margin-top:1.5em;color:#b9b9b9;border-top:1px solid #555;padding-top:.6em}#asked{color:#ebc04a}`;
    const header = paper.createElement("header");
    for (const id of ["where", "clock"]) header.append(Object.assign(paper.createElement("span"), {id}));
    paper.body.append(style, header);
    for (const [tag, id] of [["h1", "title"], ["p", "asked"], ["div", "notes"], ["p", "then"]]) paper.body.append(Object.assign(paper.createElement(tag), {id}));
    desk.onkeydown = (event) => {
      const by = [...NEXT, " "].includes(event.key) ? 1 : BACK.includes(event.key) ? -1 : 0;
      if (!by) return;
      event.preventDefault();
      if (!event.repeat) shown?.go(by);
    };
    this.write();
  }

  write() {
    if (!desk || desk.closed) return;
    const {data} = this;
    const paper = desk.document;
    const put = (id, text) => (paper.getElementById(id).textContent = text);
    paper.title = data.texts.notes;
    paper.documentElement.lang = data.lang;
    put("where", data.where);
    put("title", data.title);
    put("asked", data.question ? `${data.question.text} ${data.question.key}` : "");
    put("notes", data.notes || data.texts["no-notes"]);
    put("then", data.then);
    this.tick();
  }

  // -- drawing -------------------------------------------------------------------------------------------------------

  draw(data) {
    this.data = data;
    const {texts, question} = data;
    const {root} = this;
    root.lang = data.lang;
    root.setAttribute("aria-label", texts.label);
    root.dataset.beat = data.beat;
    root.dataset.part = data.part;
    root.dataset.open = question?.open ? "1" : "0";
    root.dataset.dark = data.dark ? "1" : "0";
    if (data.started && this.began !== data.started) {
      this.began = data.started;
      const kept = Number(sessionStorage.getItem(`${START}-by`));
      if (kept !== data.started) sessionStorage.setItem(START, String(Date.now()));
      sessionStorage.setItem(`${START}-by`, String(data.started));
    }
    this.at(".where").textContent = data.where;
    this.at(".title").textContent = data.title;
    this.at(".score").textContent = data.score;
    this.at(".notes").textContent = data.notes || texts["no-notes"];
    this.at(".progress").style.setProperty("--part", data.beat / data.last);
    const name = (selector, text) => {
      this.at(selector).title = text;
      this.at(selector).setAttribute("aria-label", text);
    };
    name(".next", question?.open ? texts.reveal : texts.next);
    name(".back", texts.back);
    name(".leave", texts.leave);
    name(".window", texts.window);
    name(".share", texts.share);
    this.at(".clock").title = texts.elapsed;
    this.at(".notes-toggle").textContent = texts.notes;
    this.at(".notes-toggle").title = texts["notes.hint"];
    this.at(".back").disabled = data.beat === 1;
    this.at(".next").disabled = data.beat === data.last && !question?.open;
    this.ask(question, texts);
    this.show();
    this.tick();
    this.write();
  }

  ask(question, texts) {
    this.at(".question").hidden = !question;
    if (!question) return;
    this.at(".asked").textContent = question.text;
    const choices = question.choices.map(({value, label}) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = label;
      button.dataset.value = value;
      button.disabled = !question.open;
      if (!question.open && value === question.answer) button.className = "right";
      else if (!question.open && value === question.given) button.className = "wrong";
      return button;
    });
    const hint = document.createElement("span");
    hint.textContent = question.open && question.pick ? texts[`click.${question.pick}`] : "";
    this.at(".choices").replaceChildren(...choices, hint);
    const told = this.at(".told");
    told.replaceChildren();
    if (question.open) return;
    const word = document.createElement("b");
    const right = question.given === question.answer;
    word.className = right ? "yes" : question.given ? "no" : "";
    word.textContent = question.given ? (right ? texts.right : texts.wrong) : texts.answer;
    told.append(word, ` ${question.told}`);
  }
}

export default function (component) {
  const {data, parentElement, setStateValue} = component;
  const root = parentElement.querySelector(".bar");
  let bar = bars.get(parentElement);
  if (!bar || bar.root !== root) {
    bar?.unmount();
    bar = new Bar(root);
    bars.set(parentElement, bar);
  }
  bar.setStateValue = setStateValue;
  const call = Symbol("call");
  bar.call = call;
  bar.mount();
  if (data) bar.draw(data);
  return () => {
    if (bar.call === call) bar.unmount();
  };
}
