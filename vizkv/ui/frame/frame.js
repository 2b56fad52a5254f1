// Part of every page: sets the document's language and connects the class. A lecturer's player is reported to the
// server; a student's page follows it. One web socket per tab; it outlives the pages, so its state is on the window.

const TELL_EVERY = 120; // ms: a playing lecturer is reported eight times a second
const AGAIN = 1500; // ms until a lost connection is retried
const STILL = 600; // ms after which a page has its fonts, and a resized window its size
const SPREAD = 300; // ms over which the pages of a class spread their requests for another run;
const EACH = 50; // plus this per page, the time of one run: early pages finish sooner, and the lecturer is not held up
const TURNING = 15000; // ms that a page change may take with two hundred students; then it is requested again

const room = (window.vizkvClass ??= {name: "", socket: null, following: true, said: "", last: null, asked: 0, askedAt: 0, n: 0, returned: 0, refused: "", given: {}});

const kept = (name) => `vizkv.class.${name}`;

/** Read or write the tab's session storage: the lecturer's token, and whether a student follows. It may be blocked. */
function remember(name, value) {
  try {
    if (value === undefined) return sessionStorage.getItem(kept(name));
    sessionStorage.setItem(kept(name), value);
  } catch {
    // storage is blocked: a reload starts anew
  }
  return null;
}

function address(data) {
  const folder = new URL(data.base, location.href);
  return `${folder.protocol === "https:" ? "wss:" : "ws:"}//${location.host}${folder.pathname.replace(/\/$/, "")}${data.path}/${data.name}`;
}

/** Return the page that the address names, or the first page. */
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

/** Open on this page what the lecturer's page shows. */
function follow() {
  const {data, last} = room;
  if (!last || data.token || !last.opened) return;
  if (data.taken !== last.opened) {
    if (room.asked === last.opened && performance.now() - room.askedAt < TURNING) return; // already requested
    room.asked = last.opened;
    room.askedAt = performance.now();
    clearTimeout(room.asking);
    room.asking = setTimeout(() => room.ask(), Math.random() * Math.max(SPREAD, EACH * (last.listeners ?? 0)));
    return;
  }
  lead();
}

/** Bring the player to the lecturer's step, lens and so on, within the run that is open. */
function lead() {
  const {last, data} = room;
  const player = window.vizkvPlayer;
  if (!room.following || !last?.view || last.opened !== data.taken) return;
  if (!player?.mounted || !player.trace) return; // tick() tries again
  // the player may process the page's own command after ours: then ours is sent again
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

/** Show the lecturer's question. Each student answers alone: answers are not sent anywhere. */
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
  // the page reserves space for it
  document.documentElement.style.setProperty("--vizkv-quiz", question ? `${Math.ceil(quiz.getBoundingClientRect().height)}px` : "0px");
  document.documentElement.toggleAttribute("data-vizkv-quiz", !!question);
  document.documentElement.toggleAttribute("data-vizkv-told", !!question && !question.open);
}

/** Report the text size to the server, which draws the charts and does not know a projector's text size. */
function measure() {
  const {data, tellType} = room;
  if (!data?.projector || !room.root?.isConnected) return;
  const px = Math.round(parseFloat(getComputedStyle(document.documentElement).fontSize));
  if (px === data.type_px) room.typeTold = 0; // report it again if the server has lost it
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
  else if (room.following) follow();
}

function show() {
  const {data, root} = room;
  if (!data || !root) return;
  const live = room.socket?.readyState === WebSocket.OPEN;
  root.hidden = !data.name || (!!data.token && !room.refused && live);
  document.documentElement.toggleAttribute("data-vizkv-class", !root.hidden); // the page reserves space on phones
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
      room.data.taken = 0; // the reader may have gone anywhere meanwhile
      follow();
    } else window.vizkvPlayer?.report(); // from now on the reader moves the player
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
  if (before?.token && !data.token) remember(before.name, ""); // the class has ended
  // a lecturer's tab was reloaded; the server sends the token back, or removes the tab from the class
  const mine = data.name && !data.token ? remember(data.name) : null;
  if (mine) setStateValue("claim", {token: mine, at: Date.now()});
  if (before?.name !== data.name || before?.token !== data.token) {
    room.refused = "";
    const old = room.socket;
    room.socket = null;
    old?.close();
    room.following = remember(`${data.name}.free`) !== "1";
    room.last = null;
    room.asked = 0;
    if (data.name && !mine) connect();
  }
  if (!room.timer) window.addEventListener("resize", measureSoon);
  room.timer ??= setInterval(tick, TELL_EVERY);
  measureSoon();
  if (room.following) follow();
  show();
}
