// A class on the app's server: the lecturer's windows have one state, which the server orders; students follow it.
// It takes the place of `Shared`: begin(), set(change), state, me.

const FINAL = ["class", "over", "secret", "message", "lecturers"]; // refusals after which asking again is of no use
const VIEW_EVERY = 100; // ms between two messages of a picture that is being moved
const [SOONEST, LATEST] = [400, 8000]; // ms until the next attempt to connect

function hex() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Room {
  /** `changed(state)`: another beat is to be shown; `heard()`: anything else is new: counts, the connection. */
  constructor(score, changed, heard) {
    Object.assign(this, {score, changed, heard});
    this.code = location.pathname.split("/").pop().toLowerCase();
    this.address = location.origin + location.pathname.replace(/[^/]*$/, this.code);
    this.secret = new URLSearchParams(location.hash.slice(1)).get("lead") ?? "";
    this.leads = this.secret !== "";
    this.me = crypto.getRandomValues(new Uint32Array(1))[0];
    this.state = {beat: 0, part: 0, black: false, join: false, shown: false, view: null, by: 0};
    this.news = {n: -1, place: null, far: [0, 0], tally: null, students: 0, kept: true};
    this.alone = false; // a student who has let go
    this.sent = 0; // messages of this window, and how many of them the server has acknowledged
    this.acknowledged = 0;
    this.floor = 0; // the server's count after the last of them
    this.unsent = false; // moved while there was no connection
    this.connected = false;
    this.trouble = ""; // why the server has ended the last connection
    this.refused = ""; // why it will end the next one, too
    this.tries = 0;
    this.peers = new Set();
  }

  begin() {
    this.connect();
    window.addEventListener("online", () => this.soon(0));
    document.addEventListener("visibilitychange", () => !document.hidden && this.soon(0));
    window.addEventListener("hashchange", () => {
      if ((new URLSearchParams(location.hash.slice(1)).get("lead") ?? "") !== this.secret) location.reload();
    });
  }

  voter() {
    const key = `vizkv-voter-${this.code}`;
    try {
      if (!/^[0-9a-f]{32}$/.test(localStorage.getItem(key) ?? "")) localStorage.setItem(key, hex());
      return localStorage.getItem(key);
    } catch {
      return (this.random ??= hex());
    }
  }

  // -- the connection ------------------------------------------------------------------------------------------------

  connect() {
    if (this.socket || this.refused) return;
    const socket = new WebSocket(`${this.address.replace(/^http/, "ws")}/live`);
    this.socket = socket;
    this.first = true;
    socket.onopen = () => socket.send(JSON.stringify(this.leads ? {secret: this.secret} : {voter: this.voter()}));
    socket.onmessage = ({data}) => this.hear(JSON.parse(data));
    socket.onclose = () => {
      this.socket = null;
      this.connected = false;
      if (this.sent > this.acknowledged) this.unsent = true;
      this.acknowledged = this.sent;
      this.heard();
      this.soon(Math.min(LATEST, SOONEST * 2 ** this.tries++) * (0.5 + Math.random()));
    };
  }

  soon(ms) {
    if (this.socket || this.refused) return;
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.connect(), ms);
  }

  hear(data) {
    if (data.refused) {
      this.trouble = data.refused;
      if (FINAL.includes(data.refused)) this.refused = data.refused;
      this.tries = Math.max(this.tries, 4);
      return this.heard();
    }
    if (data.ack) {
      this.acknowledged = Math.max(this.acknowledged, data.ack);
      this.floor = data.n;
      return this.adopt();
    }
    if ("mine" in data) return void (this.mine = data);
    if (!data.place || !this.score.beats[data.place.beat]) return;
    const known = this.news.n;
    this.news = data;
    this.tries = 0;
    this.connected = true;
    this.trouble = "";
    if (this.first) {
      this.first = false;
      this.floor = 0;
      // moved while there was no connection: that counts, unless another window has moved the class since
      if (this.unsent && (known === data.n || data.place.by === this.me)) this.send();
      this.unsent = false;
    }
    this.adopt();
    this.heard();
  }

  /** Show what the server says, once it has everything that this window said. */
  adopt() {
    const {place, n} = this.news;
    if (!place || n < this.floor || this.acknowledged < this.sent || this.moving) return;
    if (!this.leads && this.alone) return;
    const found = this.leads ? place : {...place, black: false, join: false};
    const same = JSON.stringify(found) === this.shown;
    this.shown = JSON.stringify(found);
    const own = place.by === this.me && place.k === this.sent && this.state.by === this.me;
    this.state = {...found};
    if (!same && !own) this.changed(this.state);
  }

  // -- what is said --------------------------------------------------------------------------------------------------

  set(change) {
    if (!this.leads) return this.wander(change);
    const {beat, part} = this.state;
    const next = {...this.state, ...change, by: this.me};
    if (next.beat !== beat || next.part >> 1 !== part >> 1) next.shown = false;
    this.state = next;
    const only = Object.keys(change).join() === "view" && change.view !== null;
    if (!only) this.send();
    else if (!this.moving) {
      this.moving = setTimeout(() => this.send(), VIEW_EVERY);
    }
    this.changed(this.state);
  }

  send() {
    clearTimeout(this.moving);
    this.moving = null;
    if (!this.connected || this.socket?.readyState !== WebSocket.OPEN) return void (this.unsent = true);
    const {beat, part, black, join, shown, view} = this.state;
    this.sent += 1;
    this.socket.send(JSON.stringify({place: {beat, part, black, join, shown, view, by: this.me, k: this.sent}}));
  }

  end() {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({end: true}));
  }

  // -- a student -----------------------------------------------------------------------------------------------------

  /** A student on their own goes as far as the class has been. */
  wander(change) {
    if (!this.alone) return;
    const next = {...this.state, ...change, by: this.me};
    const [beat, part] = this.news.far;
    if (next.beat > beat || (next.beat === beat && next.part > part)) return;
    this.state = next;
    this.changed(this.state);
  }

  follow(on) {
    this.alone = !on;
    this.shown = "";
    if (on) this.adopt();
    else this.changed(this.state);
    this.heard();
  }

  /** Whether a student's answer to this question counts now. */
  open(beat, question) {
    const {place} = this.news;
    return Boolean(place) && place.beat === beat && place.part % 2 === 0 && place.part >> 1 === question;
  }

  answer(beat, question, value) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({answer: {beat, question, value}}));
  }

  /** {by: {value: count}, all} of a question; null where the counts are not to be seen. */
  counts(beat, question, always = false) {
    const {tally} = this.news;
    if (!tally || tally.at[0] !== beat || tally.at[1] !== question) return null;
    return always || this.state.shown ? tally : null;
  }
}

/** Begin a class of a show on this server and go to its page as the lecturer; returns a sentence if that fails. */
export async function beginClass(score, failed) {
  try {
    const answer = await fetch(`${score.served.show}/class`, {method: "POST", headers: {"X-Vizkv": "1"}});
    const told = await answer.json();
    if (!answer.ok) return told.error;
    location.assign(`../c/${told.code}#lead=${told.secret}`);
    return "";
  } catch {
    return failed;
  }
}
