// Where the lecture stands: one state for all windows of a show, the newest wins; kept for a reload and in the address.

const KEPT = "vizkv-show";

/** A number from a word of the address, within bounds; null if it is none. */
function whole(text, most) {
  return /^\d{1,4}$/.test(text ?? "") && Number(text) >= 1 && Number(text) <= most ? Number(text) : null;
}

/** The words behind "?" and "#": the fragment counts more, since it changes without a reload. */
export function address() {
  return new URLSearchParams(`${location.search.slice(1)}&${location.hash.slice(1)}`);
}

export class Shared {
  /** `changed(state)` is called for every state, also one's own. */
  constructor(score, changed) {
    this.score = score;
    this.changed = changed;
    this.key = `${KEPT}-${score.id}`;
    this.me = crypto.getRandomValues(new Uint32Array(1))[0];
    this.state = {n: 0, by: 0, beat: 0, part: 0, black: false, view: null};
    this.peers = new Set(); // windows that we opened or that opened us: a file may have no channel to itself
    try {
      this.channel = new BroadcastChannel(this.key);
      this.channel.onmessage = ({data}) => this.hear(data);
    } catch {
      this.channel = null;
    }
    window.addEventListener("message", ({data, source}) => {
      if (data?.vizkv === this.key && this.peers.has(source)) this.hear(data);
    });
    if (window.opener) this.peers.add(window.opener);
  }

  begin() {
    const words = address();
    const beat = whole(words.get("beat"), this.score.beats.length);
    let kept = null;
    try {
      kept = JSON.parse(localStorage.getItem(this.key) ?? "null");
    } catch {
      kept = null;
    }
    const sound = kept && Number.isInteger(kept.beat) && this.score.beats[kept.beat];
    const same = sound && (beat === null || beat - 1 === kept.beat) && (beat !== null || words.has("desk"));
    this.state = {...this.state, ...(same ? {beat: kept.beat, part: kept.part, n: kept.n ?? 0} : {beat: (beat ?? 1) - 1}), part: same ? kept.part : 0};
    this.keep();
    this.changed(this.state);
    this.tell({hello: true});
  }

  set(change) {
    this.state = {...this.state, ...change, n: this.state.n + 1, by: this.me};
    this.keep();
    this.tell({state: this.state});
    this.changed(this.state);
  }

  hear(data) {
    if (data?.vizkv !== this.key) return;
    if (data.hello) return void (this.state.n && this.tell({state: this.state}));
    const {state} = data;
    if (!state || !this.score.beats[state.beat]) return;
    const newer = state.n > this.state.n || (state.n === this.state.n && state.by > this.state.by);
    if (!newer) return;
    this.state = state;
    this.keep();
    this.changed(state);
  }

  tell(what) {
    const data = {vizkv: this.key, ...what};
    this.channel?.postMessage(data);
    for (const peer of this.peers) if (!peer.closed) peer.postMessage(data, "*");
  }

  keep() {
    const {n, beat, part} = this.state;
    try {
      localStorage.setItem(this.key, JSON.stringify({n, beat, part}));
    } catch { /* a browser that keeps nothing */ }
    const words = new URLSearchParams(location.hash.slice(1));
    words.set("beat", beat + 1);
    try {
      history.replaceState(null, "", `#${words}`);
    } catch { /* an address that cannot change */ }
  }
}
