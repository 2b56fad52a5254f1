// mount(element, exhibit): the one way in which an exhibit comes onto a page, whatever page that is.
//
// exhibit: {kind, id (names the payload and the language), packed (deflated bytes), words, view, alt}
// Returns {ready, show(view), veil(on), view(), rest(), wake(), redress(), close()}: `rest` and `wake` give the window's keys back and take them.

async function inflateText(packed) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

function mountsPlayer(element, exhibit, moved) {
  element.innerHTML = htmlPlayer;
  const root = element.querySelector(".vizkv");
  const named = {...exhibit.view, trace: exhibit.id, command: 1};
  const component = {
    data: {view: named, packed: exhibit.packed, words: exhibit.words},
    parentElement: element,
    setStateValue: (_, view) => {
      root.dataset.wish = "0"; // nobody is there to ask for steps outside of this window
      moved?.(view);
    },
  };
  mountPlayer(component);
  const player = () => root.__vizkv.player;
  const ready = new Promise((done) => {
    const look = () => (root.dataset.ready === "0" ? requestAnimationFrame(look) : done());
    look();
  });
  return {
    ready,
    show: (view) => {
      const one = player();
      if (!one.trace) Object.assign(named, view);
      else one.obey({...one.tell(), ...view, command: one.commanded + 1});
    },
    veil: (on) => {
      if ((root.dataset.veil === "1") === on) return;
      root.dataset.veil = on ? "1" : "0";
      if (player().trace) player().veil(on);
    },
    view: () => (player().trace ? player().tell() : null),
    rest: () => player().hands.rest(),
    wake: () => player().hands.listen(),
    redress: () => player().trace && player().dress(),
    close: () => player().unmount(),
  };
}

function mountsBars(element, exhibit) {
  element.innerHTML = htmlLive;
  const root = element.querySelector(".vizlive");
  const {words} = exhibit;
  let given = null;
  let turned = null; // {knob, index}: one knob at a time is away from home
  let heard = 0;
  let grow = 0;
  const data = () => {
    const ends = turned && given.knobs[turned.knob].ends[turned.index];
    const systems = given.systems.map((system, i) => {
      const base = {...words.systems[i], ...system, done: true, rate: "", chosen: "", seeds: []};
      if (!ends) return base;
      const paper = system.paper && {...system.paper, compares: {shares: false, batched: false}};
      return {...base, paper, shares: given.systems[i].shares.map(() => ends[i][0]), batched: given.systems[i].batched.map(() => ends[i][1])};
    });
    const knob = turned && words.knobs[turned.knob];
    const invalid = turned && !ends;
    const status = !turned ? words.status : (invalid ? words.invalid : words.turned).replace("{knob}", knob.label).replace("{value}", knob.texts[turned.index]);
    return {
      run: turned ? `${turned.knob}/${turned.index}` : "home", title: words.title, state: "done", more: false, progress: 1, answer: heard, grow,
      order: 0, lang: words.lang, say: words.say, status, alarm: Boolean(invalid), frames: given.frames, counted: given.counted, duration: given.duration,
      warmup: given.warmup, lens: given.lens, accounting: given.accounting, lookup: given.lookup, systems, pinned: false, seeds: {state: "none", progress: 0},
      ghost: ends ? {title: "", systems: given.systems.map(({shares, batched}) => ({shares: shares.at(-1), batched: batched.at(-1)}))} : null,
      knobs: given.knobs.map((one, i) => ({
        name: one.name, ...words.knobs[i], kind: "range", values: one.values, home: one.home, index: turned?.knob === i ? turned.index : one.home,
      })),
    };
  };
  const hear = (_, letters) => {
    for (const letter of letters.filter(({n}) => n > heard)) {
      heard = letter.n;
      if (letter.what !== "turn") continue;
      const knob = given.knobs.findIndex(({name}) => name === letter.name);
      const index = given.knobs[knob].values.indexOf(letter.value);
      turned = index === given.knobs[knob].home ? null : {knob, index};
    }
    setTimeout(draw); // not at once: a letter is still being handed over
  };
  const draw = () => mountLive({data: data(), parentElement: element, setStateValue: hear});
  const ready = inflateText(exhibit.packed).then((found) => {
    given = found;
    draw();
  });
  return {
    ready,
    show: () => {
      if (!given || grow) return;
      grow = 1; // the bars grow when they are first seen
      draw();
    },
    veil: () => {},
    view: () => ({}),
    rest: () => {},
    wake: () => {},
    redress: () => given && draw(),
    close: () => root.remove(),
  };
}

function mountsChart(element, exhibit) {
  const chart = new Chart(element, exhibit.words);
  return {
    ready: inflateText(exhibit.packed).then((data) => chart.open(data)),
    show: () => {},
    veil: () => {},
    view: () => ({}),
    rest: () => {},
    wake: () => {},
    redress: () => chart.draw(),
    close: () => chart.close(),
  };
}

/** `moved(view)` is called when the reader has moved a player and it stands still again. */
export function mount(element, exhibit, moved) {
  element.classList.add("vizkv-exhibit");
  element.dataset.kind = exhibit.kind;
  return {player: mountsPlayer, bars: mountsBars, chart: mountsChart}[exhibit.kind](element, exhibit, moved);
}
