// One system's pool at a step. For each slot we keep the number of the run that painted it last: code, owner, position
// and "since when" all follow from that one number.

export const CODE = {USED: 0, PENDING: 1, SURPLUS: 2, REALISED: 3, ROUNDING: 4, STRANDED: 5, FREE: 6, CACHED: 7, MAPPED: 8, EXPIRED: 9};
export const CODES = 10;

/** What each code is in the lens: online a slot that is never written cannot be told from one that will be. */
export function statesOf(trace, view) {
  return trace.lookup[view.lens].textbook.map((category, code) => (code === CODE.CACHED ? -1 : category));
}

const KEY_EVERY = 64; // steps between keyframes
const KEY_BYTES = 24 * 2 ** 20; // of one system; longer traces have them further apart

export class Memory {
  constructor(system, steps) {
    this.system = system;
    this.latest = new Uint32Array(system.slots);
    this.step = -1;
    const affordable = Math.max(1, Math.floor(KEY_BYTES / (4 * system.slots)));
    this.every = Math.max(KEY_EVERY, Math.ceil(steps / affordable));
    this.keys = new Map(); // step -> copy of latest; filled as we come past
  }

  /** Go to a step. Returns whether any slot may look different. */
  seek(step) {
    if (step === this.step) return false;
    const {offsets, stranded} = this.system.run;
    const before = this.step;
    const key = this.keyBefore(step);
    if (step < before || key > before) {
      if (key >= 0) {
        this.latest.set(this.keys.get(key));
        this.step = key;
      } else {
        this.step = -1;
      }
    }
    const onward = this.step === before && before >= 0;
    while (this.step < step) this.advance();
    const same = onward && offsets[before + 1] === offsets[step + 1] && stranded[before] === stranded[step];
    return !same;
  }

  keyBefore(step) {
    let key = step - (step % this.every);
    while (key >= 0 && !this.keys.has(key)) key -= this.every;
    return key;
  }

  advance() {
    const {offsets, start, length} = this.system.run;
    this.step += 1;
    const end = offsets[this.step + 1];
    for (let r = offsets[this.step]; r < end; r++) {
      if (length[r] === 1) this.latest[start[r]] = r;
      else this.latest.fill(r, start[r], start[r] + length[r]);
    }
    if (this.step % this.every === 0 && !this.keys.has(this.step)) this.keys.set(this.step, this.latest.slice());
  }

  get stranded() {
    return this.system.run.stranded[this.step] === 1;
  }

  code(slot) {
    const code = this.system.run.code[this.latest[slot]];
    return code === CODE.FREE && this.stranded ? CODE.STRANDED : code;
  }

  owner(slot) {
    return this.system.run.owner[this.latest[slot]];
  }

  /** Position of the slot's token in its sequence, -1 if it has none. */
  position(slot) {
    const {position, start} = this.system.run;
    const r = this.latest[slot];
    return position[r] < 0 ? -1 : position[r] + slot - start[r];
  }

  /** The step since when the slot has been in this state with this owner. `states`: of each code, see statesOf. */
  since(slot, states) {
    const {code, owner, start, length, stranded} = this.system.run;
    let first = this.latest[slot];
    for (let r = first - 1; r >= 0; r--) {
      if (slot < start[r] || slot >= start[r] + length[r]) continue;
      if (states[code[r]] !== states[code[first]] || owner[r] !== owner[first]) break;
      first = r;
    }
    let step = this.stepOf(first);
    if (this.code(slot) === CODE.STRANDED) {
      // free since then, but stranded only while somebody waits
      let from = this.step;
      while (from > step && stranded[from - 1]) from -= 1;
      step = from;
    }
    return step;
  }

  /** The step that a run belongs to. */
  stepOf(run) {
    const {offsets} = this.system.run;
    let low = 0;
    let high = offsets.length - 2;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (offsets[middle + 1] > run) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Slots by code in this step, as Python counted them. */
  counts() {
    return this.system.run.counts.subarray(this.step * CODES, (this.step + 1) * CODES);
  }
}
