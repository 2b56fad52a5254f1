// What stands around every page: the document's language, and the class: a lecturer's player is told to the server, a
// student's page follows it. One web socket a tab; it outlives the pages, so its state hangs on the window.

const TELL_EVERY = 120; // ms: a lecturer who plays is told of eight times a second
const AGAIN = 1500; // ms until a lost connection is tried anew
const STILL = 600; // ms after which a page has its type, and a window that is drawn larger its size
const SPREAD = 300; // ms in which the pages of a class ask for another run, so that they do not all ask at once;
const EACH = 50; // and for each of them, what such a run takes: of a large class the first are there, and its lecturer goes on
const TURNING = 15000; // ms that a page may be on its way to one of two hundred students

const room = (window.vizkvClass ??= {name: "", socket: null, following: true, said: "", last: null, asked: 0, n: 0, returned: 0, refused: "", given: {}});

const kept = (name) => `vizkv.class.${name}`;

/** The tab's own memory: a lecturer's token, and whether a student follows. A private window may refuse it. */
function remember(name, value) {
  try {
    if (value === undefined) return sessionStorage.getItem(kept(name));
    sessionStorage.setItem(kept(name), value);
  } catch {
    // then a reload forgets
  }
  return null;
}

function address(data) {
  const folder = new URL(data.base, location.href);
  return `${folder.protocol === "https:" ? "wss:" : "ws:"}//${location.host}${folder.pathname.replace(/\/$/, "")}${data.path}/${data.name}`;
}

/** The page that the address names, the first one if none. */
function page(data) {
  return location.pathname.replace(/\/+$/, "").split("/").filter(Boolean).at(-1) || data.first;
}

function connect() {
  const {data} = room;
  clearTimeout(room.retry);
  const socket = new WebSocket(address(data));
  room.socket = socket;
  socket.onopen = () => {
    room.said = "";
    socket.send(JSON.stringify({token: data.token}));
    show();
  };
  socket.onmessage = (event) => {
    const told = JSON.parse(event.data);
    if (told.refused) {
      room.refused = told.refused;
      show();
      return;
    }
    room.last = told;
    if (room.following) follow();
    ask();
  };
  socket.onclose = () => {
    if (room.socket !== socket) return;
    show();
    if (!room.refused) room.retry = setTimeout(connect, AGAIN);
  };
}

/** Bring this page to where the lecturer's is. */
function follow() {
  const {data, last} = room;
  if (!last || data.token || !last.opened) return;
  if (data.taken !== last.opened) {
    if (room.asked === last.opened) return; // under way
    room.asked = last.opened;
    clearTimeout(room.asking);
    room.asking = setTimeout(() => room.ask(), Math.random() * Math.max(SPREAD, EACH * (last.listeners ?? 0)));
    return;
  }
  lead();
}

/** The step, lens and so on of the run that is open: the player's business alone. */
function lead() {
  const {last, data} = room;
  const player = window.vizkvPlayer;
  if (!room.following || !last?.view || last.opened !== data.taken) return;
  if (!player?.mounted || !player.trace) return; // it is looked at again, see tick
  // the page's own word may reach the player after ours: then ours is said again
  const led = [last.told, player.commanded, player.drawn, room.returned].join();
  if (led === player.ledTo) return;
  player.ledTo = led;
  player.lead(last.view);
}

function tell() {
  const {data, socket} = room;
  const player = window.vizkvPlayer;
  if (!data.token || !player?.mounted || !player.trace || socket?.readyState !== WebSocket.OPEN) return;
  const {step, focus, request, position, lit_in, lens, accounting, colour, lit, mark} = player.tell();
  const said = JSON.stringify({page: page(data), step, focus, request, position, lit_in, lens, accounting, colour, lit, mark});
  if (said === room.said) return;
  room.said = said;
  socket.send(said);
}

/** The question that the lecturer has put. Each answers for himself: nobody else hears of it. */
function ask() {
  const {data, quiz, last, refused} = room;
  if (!quiz) return;
  const put = data.name && !data.token && !refused && room.following ? last?.question : null;
  const question = put?.[data.lang.startsWith("zh") ? "zh" : "en"];
  quiz.hidden = !question;
  if (question) {
    const given = room.given[put.number] ?? "";
    quiz.dataset.open = question.open ? "1" : "0";
    quiz.querySelector(".asked").textContent = question.text;
    const choices = question.choices.map(({value, label}) => {
      const button = Object.assign(document.createElement("button"), {type: "button", textContent: label, disabled: !question.open});
      button.setAttribute("aria-pressed", value === given ? "true" : "false");
      if (!question.open && value === question.answer) button.className = "right";
      else if (!question.open && value === given) button.className = "wrong";
      button.onclick = () => {
        room.given[put.number] = value;
        ask();
        quiz.querySelector('[aria-pressed="true"]')?.focus();
      };
      return button;
    });
    quiz.querySelector(".choices").replaceChildren(...choices);
    const word = given ? data.say[given === question.answer ? "right" : "wrong"] : data.say.answer;
    quiz.querySelector(".told").textContent = question.open ? "" : `${word} ${question.told}`;
  }
  // the page below keeps room for it
  document.documentElement.style.setProperty("--vizkv-quiz", question ? `${Math.ceil(quiz.getBoundingClientRect().height)}px` : "0px");
  document.documentElement.toggleAttribute("data-vizkv-quiz", !!question);
  document.documentElement.toggleAttribute("data-vizkv-told", !!question && !question.open);
}

/** Charts are drawn by the server, which does not know how large a projector's words are. */
function measure() {
  const {data, tellType} = room;
  if (!data?.projector || !room.root?.isConnected) return;
  const px = Math.round(parseFloat(getComputedStyle(document.documentElement).fontSize));
  if (px === data.type_px) room.typeTold = 0; // a server that has forgotten it is told again
  if (px === data.type_px || px === room.typeTold) return;
  room.typeTold = px;
  tellType(px);
}

function measureSoon() {
  clearTimeout(room.measuring);
  room.measuring = setTimeout(measure, STILL);
}

function tick() {
  if (!room.data?.name) return;
  if (room.data.token) tell();
  else if (room.following) lead();
}

function show() {
  const {data, root} = room;
  if (!data || !root) return;
  const live = room.socket?.readyState === WebSocket.OPEN;
  root.hidden = !data.name || (!!data.token && !room.refused && live);
  document.documentElement.toggleAttribute("data-vizkv-class", !root.hidden); // the page keeps room for a phone's line
  const what = room.refused ? `refused.${room.refused}` : !live ? "lost" : room.following ? "following" : "exploring";
  root.dataset.live = live && !room.refused && room.following ? "1" : "0";
  root.dataset.what = what;
  root.querySelector(".what").textContent = data.say[what] ?? "";
  const leave = root.querySelector(".leave");
  leave.hidden = !!room.refused || !!data.token;
  leave.textContent = data.say[room.following ? "leave" : "again"];
  ask();
}

export default function (component) {
  const {data, parentElement, setStateValue} = component;
  document.documentElement.lang = data.lang;
  room.root = parentElement.querySelector(".frame");
  room.quiz = parentElement.querySelector(".quiz");
  room.root.querySelector(".leave").onclick = () => {
    room.following = !room.following;
    remember(`${room.data.name}.free`, room.following ? "" : "1");
    room.returned += 1;
    if (room.following) {
      room.asked = 0;
      room.data.taken = 0; // where the reader went meanwhile, nobody here knows
      follow();
    } else window.vizkvPlayer?.report(); // from now on it is the reader's own
    show();
  };
  room.ask = () => {
    room.n += 1;
    window.vizkvTurning = performance.now() + TURNING; // see the player's send
    setStateValue("asked", {opened: room.last.opened, n: room.n, at: Date.now()});
  };
  room.tellType = (px) => setStateValue("type", {px});
  const before = room.data;
  room.data = {...data};
  if (data.name && data.token) remember(data.name, data.token);
  const mine = data.name && !data.token ? remember(data.name) : null;
  if (mine && room.claimed !== data.name) { // a lecturer's tab that was loaded anew
    room.claimed = data.name;
    setStateValue("claim", {token: mine, at: Date.now()});
  }
  if (before?.name !== data.name || before?.token !== data.token) {
    room.refused = "";
    const old = room.socket;
    room.socket = null;
    old?.close();
    room.following = remember(`${data.name}.free`) !== "1";
    room.last = null;
    room.asked = 0;
    if (data.name) connect();
  }
  if (!room.timer) window.addEventListener("resize", measureSoon);
  room.timer ??= setInterval(tick, TELL_EVERY);
  measureSoon();
  if (room.following) follow();
  show();
}
