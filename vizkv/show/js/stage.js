// The stage: all beats mounted ahead, one of them in front; keys, overview, black, desk, and the exhibit in an iframe.

import {Shared, address} from "./state.js";
import {Score} from "./quiz.js";
import {Shelf, Slide, make, partsOf} from "./slide.js";
import {Desk} from "./desk.js";
import {Room, beginClass} from "./room.js";
import {classLine, joinScreen, studentBar} from "./student.js";

const KEYS = [
  ["PageDown → Space", "next"], ["PageUp ←", "previous"], ["Home End", "home"], ["1 2 Enter", "number"], ["O", "overview"], ["B .", "black"],
  ["F", "full"], ["S", "desk"], ["L", "lens"], ["Esc", "picture"], ["?", "keys"],
];
const CLASS_KEYS = [["Q", "join"], ["A", "answers"]];
const FOLLOWED = ["PageDown", "PageUp", "ArrowLeft", "ArrowRight", " "]; // scroll a page that somebody else turns
const TYPED_FOR = 3000; // ms in which Enter still belongs to the number that was typed

async function inflated(packed) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

class Stage {
  constructor(score) {
    this.score = score;
    this.page = document.documentElement;
    this.root = document.getElementById("show");
    this.shelf = new Shelf(score.files);
    this.asked = address();
    this.room = score.served?.room ? new Room(score, (state) => this.show(state), () => this.heard()) : null;
    this.student = Boolean(this.room) && !this.room.leads;
    this.answers = new Score(this.room ? `${score.id}-${this.room.code}` : score.id);
    this.shared = this.room ?? new Shared(score, (state) => this.show(state));
    this.embed = this.asked.has("embed");
    this.isDesk = this.asked.has("desk") && !this.student;
    this.page.classList.toggle("embed", this.embed);
    this.typed = "";
    if (this.page.dataset.theme === "") this.page.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const theme = this.remembered("theme") ?? this.asked.get("theme");
    if (["light", "dark"].includes(theme)) this.page.dataset.theme = theme;
    window.addEventListener("keydown", (event) => this.key(event), true);
    document.addEventListener("fullscreenchange", () => this.redress());
  }

  remembered(name, value) {
    try {
      if (value !== undefined) sessionStorage.setItem(`vizkv-${name}`, value);
      return sessionStorage.getItem(`vizkv-${name}`);
    } catch {
      return null;
    }
  }

  async begin() {
    const {languages} = this.score;
    const wanted = [this.asked.get("lang"), this.remembered("lang"), ...navigator.languages.map((tag) => tag.slice(0, 2))];
    await this.speak(wanted.find((one) => languages.includes(one)) ?? languages[0]);
    this.shared.begin();
  }

  async speak(language) {
    this.language = language;
    this.words = await inflated(await this.shelf.get(`words-${language}`));
    this.page.lang = this.words.lang;
    document.title = this.words.title;
    this.build();
  }

  build() {
    for (const slide of this.slides ?? []) slide.close();
    const {score, words, shelf, answers} = this;
    const {room} = this;
    const context = {
      score, words, shelf, answers, room, moved: (slide, view) => this.moved(slide, view), answered: (...what) => this.answered(...what),
      counted: (beat, question) => this.student && room.open(beat, question), counts: (beat, question) => room?.counts(beat, question) ?? null, watching: () => this.watching(),
    };
    this.root.replaceChildren();
    this.front = -1;
    if (this.isDesk) {
      this.page.classList.add("is-desk");
      this.desk = new Desk(context, this.root);
      this.slides = [];
      return;
    }
    this.slides = score.beats.map((_, i) => new Slide(context, i));
    this.deck = make("main", "deck");
    this.deck.append(...this.slides.map((slide) => slide.element));
    this.root.append(this.deck);
    for (const slide of this.slides) {
      slide.element.addEventListener("click", (event) => {
        if (!this.over) return;
        event.stopPropagation();
        this.overview(false);
        this.shared.set({beat: slide.index, part: 0, view: null});
      }, true);
    }
    if (this.embed) this.tellHeight();
    else if (this.student) studentBar(this);
    else this.bar();
  }

  bar() {
    const {say} = this.words;
    const tool = (name, text, act, label = text) => {
      const button = make("button", `tool ${name}`, text, {type: "button", title: label, "aria-label": label});
      button.addEventListener("click", () => act());
      return button;
    };
    this.count = make("span", "count", "", {role: "status"});
    this.tally = make("span", "tally");
    this.link = make("a", "tool app", say.app, {target: "_blank", rel: "noopener"});
    const bar = make("nav", "show-bar", "", {"aria-label": say.keys});
    this.back = tool("back", "‹", () => this.turn(-1), say.previous);
    this.forth = tool("forth", "›", () => this.turn(1), say.next);
    this.line = make("span", "class-line", "", {role: "status"});
    bar.append(this.back, this.count, this.forth, this.tally, this.line, make("span", "gap"), this.link, ...this.classTools(tool), tool("over", say.overview, () => this.overview(!this.over)), tool("desk-open", say.desk, () => this.openDesk()));
    if (this.score.languages.length > 1) bar.append(tool("lang", say.language, () => this.otherLanguage()));
    bar.append(tool("theme", "◐", () => this.otherTheme(), say.theme), tool("help-open", "?", () => this.help(), say.keys));
    this.root.append(bar);
    this.dialog = make("dialog", "help", "", {"aria-label": say.keys});
    const list = make("dl");
    for (const [keys, name] of [...KEYS, ...(this.room ? CLASS_KEYS : [])]) list.append(make("dt", "", keys), make("dd", "", say[`key.${name}`]));
    const again = tool("again", say.again, () => {
      this.answers.clear();
      this.dialog.close();
      this.show(this.shared.state);
    });
    this.dialog.append(make("h2", "", say.keys), list, again, tool("close", say.close, () => this.dialog.close()), make("p", "made", say.made.replace("{version}", this.score.vizkv)));
    this.black = make("div", "black", "", {role: "status", "aria-label": say.black});
    this.black.hidden = true;
    this.black.addEventListener("click", () => this.shared.set({black: false}));
    this.number = make("div", "typed");
    this.number.hidden = true;
    this.root.append(this.dialog, this.black, this.number);
    if (!this.room) return;
    this.join = joinScreen(this);
    this.root.append(this.join);
  }

  classTools(tool) {
    const {say} = this.words;
    if (this.room) {
      return [tool("join-open", say["class.join"], () => this.shared.set({join: !this.shared.state.join})), tool("answers", say["class.show"], () => this.shared.set({shown: !this.shared.state.shown}))];
    }
    if (!this.score.served) return [];
    return [tool("class-begin", say["class.begin"], async () => {
      this.line.textContent = await beginClass(this.score, say["class.failed"]);
    }, say["class.begin.hint"])];
  }

  /** A student who follows watches: keys, pointer and picture are the lecturer's. */
  watching() {
    return this.student && !this.room.alone;
  }

  /** The class has news that turn no beat: counts, the connection, or that it is over. */
  heard() {
    if (!this.words) return;
    const {room} = this;
    const line = classLine(this.words, room);
    if (this.desk) this.desk.heard();
    if (!this.line) return;
    if (this.line.textContent !== line) this.line.textContent = line;
    this.page.dataset.connected = room.connected ? "1" : "0";
    this.page.dataset.students = room.news.students ?? "";
    if (room.refused && this.front < 0) this.root.replaceChildren(make("p", "failed", line, {role: "alert"}));
    const {say} = this.words;
    if (this.following) {
      this.following.textContent = room.alone ? say["class.follow"] : say["class.let-go"];
      this.following.setAttribute("aria-label", this.following.textContent);
      this.following.title = room.alone ? say["class.follow.hint"] : say["class.let-go.hint"];
    }
    const slide = this.slides[this.front];
    if (slide) slide.tally();
    if (slide && this.mine !== room.mine) {
      this.mine = room.mine;
      const {at, mine} = room.mine;
      if (this.answers.of(...at) === null) this.answers.put(...at, mine);
      slide.question();
    }
  }

  // -- what is shown -------------------------------------------------------------------------------------------------

  show(state) {
    if (!this.words) return;
    if (this.desk) return this.desk.show(state);
    const {beat, part, view} = state;
    const slide = this.slides[beat];
    if (this.embed) state = {...state, part: partsOf(slide.beat) - 1};
    const same = this.front === beat && slide.part === state.part;
    if (this.front !== beat) {
      this.slides[this.front]?.activate(false);
      this.slides[this.front]?.element.classList.remove("front");
      slide.element.classList.add("front");
      if (!this.embed) slide.activate(true);
      else slide.exhibit?.rest();
      this.front = beat;
      for (const one of this.slides) one.element.inert = one !== slide && !this.over;
      if (document.activeElement && !document.activeElement.closest(".show-bar, dialog")) document.activeElement.blur();
    }
    if (!same || state.by !== this.shared.me || view === null) slide.show(state.part, this.embed ? slide.beat.view : view);
    slide.open().then(() => {
      if (!performance.getEntriesByName("vizkv-first").length) requestAnimationFrame(() => performance.mark("vizkv-first")); // for benchmarks
      this.ahead();
    });
    if (this.embed) return;
    this.black.hidden = this.student || !state.black;
    if (this.join) this.join.hidden = !state.join;
    if (this.student) {
      this.page.dataset.watching = this.watching() ? "1" : "0";
      this.back.hidden = this.forth.hidden = this.watching();
      slide.wakes();
    }
    if (this.room) {
      this.page.dataset.shown = state.shown ? "1" : "0";
      this.root.querySelector(".answers")?.setAttribute("aria-pressed", String(state.shown));
      this.heard();
    }
    this.count.textContent = this.words.say.beat.replace("{n}", beat + 1).replace("{total}", this.slides.length);
    this.link.href = `${this.score.app}/${this.score.beats[beat].app}`;
    this.link.hidden = !this.score.app;
    this.link.title = this.words.say["app.hint"].replace("{address}", this.link.href.split("?")[0]);
    const {answered, right} = this.answers.count(this.score.beats);
    this.tally.textContent = answered ? this.words.say.score.replace("{right}", right).replace("{answered}", answered) : "";
    this.back.disabled = beat === 0 && part === 0;
    this.forth.disabled = beat === this.slides.length - 1 && part >= partsOf(slide.beat) - 1;
    this.page.dataset.beat = beat + 1;
    this.page.dataset.part = part;
  }

  /** What comes next is there before it is asked for: the neighbours first, one at a time, while nobody waits. */
  ahead() {
    if (this.embed || this.mounting) return;
    const order = [...this.slides].sort((a, b) => Math.abs(a.index - this.front - 0.1) - Math.abs(b.index - this.front - 0.1));
    // a student's device loads the next beat only: a thousand of them share one network
    const next = order.find((slide) => !slide.opening && (!this.student || Math.abs(slide.index - this.front - 0.5) < 1));
    if (!next) return void (this.page.dataset.ahead = "1");
    this.mounting = true;
    const later = window.requestIdleCallback ?? ((act) => setTimeout(act, 30));
    later(async () => {
      next.show(0);
      await next.open();
      this.mounting = false;
      this.ahead();
    }, {timeout: 500});
  }

  moved(slide, view) {
    if (slide.index !== this.front || this.embed || this.watching() || slide.element.dataset.asked === "1") return;
    const known = this.shared.state.view ?? slide.viewAt(slide.part);
    if (Object.keys(known).every((name) => known[name] === view[name])) return;
    this.shared.set({view});
  }

  answered(slide, question, value) {
    if (this.student && this.room.open(slide.index, question)) {
      this.room.answer(slide.index, question, value);
      return slide.question();
    }
    if (slide.index === this.front) this.shared.set({part: this.shared.state.part + 1, view: null});
  }

  turn(by) {
    const {beat, part} = this.shared.state;
    const here = this.score.beats[beat];
    const wanted = part + by;
    if (wanted >= 0 && wanted < partsOf(here)) return this.shared.set({part: wanted, view: null});
    const other = this.score.beats[beat + by];
    if (other) this.shared.set({beat: beat + by, part: by > 0 ? 0 : partsOf(other) - 1, view: null});
  }

  goTo(beat) {
    if (this.score.beats[beat]) this.shared.set({beat, part: 0, view: null, black: false});
  }

  overview(on) {
    this.over = on;
    this.page.classList.toggle("overview", on);
    for (const slide of this.slides) {
      slide.element.inert = !on && slide.index !== this.front;
      slide.element.tabIndex = on ? 0 : -1;
      if (on) slide.open();
    }
    if (on) this.slides[this.front].element.focus();
    else this.deck.scrollTop = 0;
    this.lay();
  }

  /** The overview is the slides themselves, made small by a transform: nothing is drawn again. */
  lay() {
    const wide = this.deck.clientWidth;
    const columns = Math.max(2, Math.min(4, Math.floor(wide / 260)));
    const gap = 14;
    const scale = (wide - gap * (columns + 1)) / columns / wide;
    const high = this.deck.clientHeight * scale;
    this.slides.forEach(({element}, i) => {
      element.style.transform = this.over ? `translate(${gap + (i % columns) * (wide * scale + gap)}px, ${gap + Math.floor(i / columns) * (high + gap)}px) scale(${scale})` : "";
    });
  }

  openDesk() {
    const url = new URL(location.href);
    const words = new URLSearchParams({desk: "", lang: this.language, ...(this.room ? {lead: this.room.secret} : {})});
    url.hash = words;
    if (!this.room) url.searchParams.set("desk", "");
    const desk = window.open(url, `vizkv-desk-${this.room?.code ?? this.score.id}`, "popup,width=1100,height=760");
    if (desk) this.shared.peers.add(desk);
    else this.count.textContent = this.words.say["desk.blocked"];
  }

  otherLanguage() {
    const {languages} = this.score;
    const next = languages[(languages.indexOf(this.language) + 1) % languages.length];
    this.remembered("lang", next);
    this.speak(next).then(() => this.show(this.shared.state));
  }

  otherTheme() {
    this.page.dataset.theme = this.page.dataset.theme === "dark" ? "light" : "dark";
    this.remembered("theme", this.page.dataset.theme);
    this.redress();
  }

  redress() {
    for (const slide of this.slides) slide.exhibit?.redress();
  }

  help() {
    if (this.dialog.open) this.dialog.close();
    else this.dialog.showModal();
  }

  tellHeight() {
    const tell = () => window.parent.postMessage({vizkv: "height", height: Math.ceil(this.deck.scrollHeight), beat: this.front + 1}, "*");
    new ResizeObserver(tell).observe(this.deck);
  }

  // -- keys ----------------------------------------------------------------------------------------------------------

  key(event) {
    if (!this.words || this.embed || event.ctrlKey || event.metaKey || event.altKey || this.dialog?.open) return;
    const target = event.composedPath()[0];
    if (target.matches?.("input:not([type=range]), textarea, select")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    // inside of the picture the arrows, the space bar and Home are the picture's
    const inside = target.closest?.(".place") && target !== document.body;
    const button = target.closest?.("button, a, [role=button]");
    if (this.student && !inside && !button && this.watching()) {
      if (FOLLOWED.includes(key)) event.preventDefault();
      return event.stopImmediatePropagation();
    }
    if (inside && (["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", " ", "Home", "End", "Enter"].includes(key) || /^[1-9]$/.test(key))) return;
    if (button && (key === " " || key === "Enter")) return;
    if (!this.act(key, inside)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  act(key, inside) {
    if (/^\d$/.test(key)) return this.type(key);
    if (key === "Enter") {
      if (this.over && !this.typed) {
        const here = document.activeElement?.closest?.(".slide");
        this.overview(false);
        if (here) this.goTo(Number(here.dataset.beat) - 1);
        return true;
      }
      const beat = Number(this.typed);
      this.type("");
      if (beat) this.goTo(beat - 1);
      return beat > 0;
    }
    if (key === "Escape") {
      if (this.over) this.overview(false);
      else if (inside) document.activeElement.blur();
      else return false;
      return true;
    }
    const actions = {
      PageDown: () => this.turn(1), PageUp: () => this.turn(-1), ArrowRight: () => this.turn(1), ArrowLeft: () => this.turn(-1), ArrowDown: () => this.turn(1),
      ArrowUp: () => this.turn(-1), " ": () => this.turn(1), Home: () => this.goTo(0), End: () => this.goTo(this.score.beats.length - 1),
      ...(this.student ? {} : {b: () => this.shared.set({black: !this.shared.state.black}), ".": () => this.shared.set({black: !this.shared.state.black})}),
      ...(this.room?.leads ? {
        q: () => this.shared.set({join: !this.shared.state.join}), a: () => this.shared.set({shown: !this.shared.state.shown}),
      } : {}),
      ...(this.desk || this.student ? {} : {
        o: () => this.overview(!this.over), f: () => (document.fullscreenElement ? document.exitFullscreen() : this.page.requestFullscreen?.()),
        s: () => this.openDesk(), l: () => this.otherLens(), "?": () => this.help(),
      }),
    };
    if (!actions[key]) return false;
    actions[key]();
    return true;
  }

  otherLens() {
    const slide = this.slides[this.front];
    const view = slide.exhibit?.view();
    if (!view?.lens || slide.element.dataset.asked === "1") return;
    const lens = view.lens === "online" ? "hindsight" : "online";
    slide.exhibit.show({lens});
    this.shared.set({view: {...view, lens}});
  }

  type(digit) {
    clearTimeout(this.typing);
    this.typed = digit ? (this.typed + digit).slice(-3) : "";
    if (this.number) {
      this.number.hidden = !this.typed;
      this.number.textContent = this.typed;
    }
    if (digit) this.typing = setTimeout(() => this.type(""), TYPED_FOR);
    return true;
  }
}

const stage = new Stage(JSON.parse(document.getElementById("score").textContent));
window.vizkvShow = stage;
window.addEventListener("resize", () => stage.over && stage.lay());
stage.begin().catch((error) => {
  console.error("vizkv show:", error);
  document.querySelector("#show").replaceChildren(make("p", "failed", String(error.message), {role: "alert"}));
});
