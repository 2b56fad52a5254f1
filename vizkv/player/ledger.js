// One paged system's books at a step: block tables, references, free queue, cached blocks, CPU pool. Replays the rows of
// vizkv/views/payload/ops.py.

const OP = {
  TABLE: 0, DROP: 1, REFS: 2, LEAVE: 3, FRONT: 4, BACK: 5, CACHED: 6, WRITTEN: 7, CPU: 8, CPU_DROP: 9,
  REPOINT: 10, EXCHANGE: 11, COPY: 12, SWAP: 13, TEXT: 14, RANGE: 15, OWNER: 16,
};

/** The free queue: a ring of links, so that a block leaves from anywhere without a search. */
class Queue {
  constructor(blocks) {
    this.hole = blocks + 1; // a stand-in while two blocks change places
    this.next = new Int32Array(blocks + 2).fill(-1);
    this.before = new Int32Array(blocks + 2).fill(-1);
    this.ring = blocks; // where the ring closes
    this.next[blocks] = this.before[blocks] = blocks;
    this.size = 0;
  }

  has(block) {
    return this.next[block] >= 0;
  }

  insert(block, after) {
    const then = this.next[after];
    this.next[after] = this.before[then] = block;
    this.before[block] = after;
    this.next[block] = then;
    this.size += 1;
  }

  remove(block) {
    const [before, then] = [this.before[block], this.next[block]];
    this.next[before] = then;
    this.before[then] = before;
    this.next[block] = this.before[block] = -1;
    this.size -= 1;
    return before;
  }

  replace(old, block) {
    if (this.has(old)) this.insert(block, this.remove(old));
  }

  exchange(a, b) {
    this.replace(a, this.hole);
    this.replace(b, a);
    this.replace(this.hole, b);
  }

  /** The first `most` blocks from the head, or from the tail (nearest to the tail last). */
  list(most = this.size, fromTail = false) {
    const link = fromTail ? this.before : this.next;
    const found = [];
    for (let block = link[this.ring]; block !== this.ring && found.length < most; block = link[block]) found.push(block);
    return fromTail ? found.reverse() : found;
  }
}

export class Ledger {
  /** `trace`: whose requests and pieces have the texts. */
  constructor(system, trace) {
    this.system = system;
    this.trace = trace;
    this.size = system.block_size; // 0 where there are no blocks: then it knows only texts
    this.blocks = this.size ? Math.floor(system.slots / this.size) : 0;
    this.reset();
  }

  reset() {
    this.step = -1;
    this.tables = new Map(); // request -> physical blocks; in the order in which they came
    this.written = new Map();
    this.refs = new Int32Array(this.blocks);
    this.cached = new Uint8Array(this.blocks);
    this.queue = new Queue(this.blocks);
    this.cpu = new Map(); // request -> CPU blocks
    this.ranges = new Map(); // range of addresses -> the pages behind it
    this.owners = new Map(); // range -> the request that has it, or -1
    this.wrong = new Map(); // request -> Map(logical -> block that attention reads)
    this.texts = new Map(); // request -> Map(position -> piece) where the text is not the request's own
    this.clear();
  }

  /** What only the step itself shows. */
  clear() {
    this.left = [];
    this.came = new Set();
    this.writes = new Map(); // request -> first position that this step wrote
    this.copies = []; // [from, to, request]
    this.swaps = []; // [1 out | 2 in, block, cpu block]
    this.exchanged = 0;
    this.appeared = new Set(); // requests whose table begins in this step
  }

  /** Go to a step: onward from here, back from the start. */
  seek(step) {
    if (step === this.step) return;
    if (step < this.step) this.reset();
    while (this.step < step) this.advance();
  }

  advance() {
    const {op_offsets: offsets, ops} = this.system.run;
    this.step += 1;
    this.clear();
    const end = offsets[this.step + 1] * 4;
    for (let i = offsets[this.step] * 4; i < end; i += 4) this.apply(ops[i], ops[i + 1], ops[i + 2], ops[i + 3]);
    if (this.step === 0) this.came.clear(); // the queue as it was found has not come in this step
    if (this.step === 0 && this.trace.first > 0) this.appeared.clear(); // nor do the tables begin with a window
    this.left = this.left.filter((block) => !this.queue.has(block));
  }

  apply(op, x, y, z) {
    const {queue, tables} = this;
    if (op === OP.TABLE) {
      if (!tables.has(x)) this.appeared.add(x);
      put(tables, x, y, z);
    } else if (op === OP.DROP) {
      tables.delete(x);
      this.written.delete(x);
      this.wrong.delete(x);
    } else if (op === OP.REFS) this.refs[x] = y;
    else if (op === OP.LEAVE) {
      queue.remove(x);
      this.left.push(x);
    } else if (op === OP.FRONT || op === OP.BACK) {
      queue.insert(x, op === OP.FRONT ? queue.ring : queue.before[queue.ring]);
      this.came.add(x);
    } else if (op === OP.CACHED) this.cached[x] = y;
    else if (op === OP.WRITTEN) {
      this.writes.set(x, this.written.get(x) ?? 0);
      this.written.set(x, y);
    } else if (op === OP.CPU) put(this.cpu, x, y, z);
    else if (op === OP.CPU_DROP) this.cpu.delete(x);
    else if (op === OP.REPOINT) this.repoint(x, y, z);
    else if (op === OP.EXCHANGE) this.exchange(x, y);
    else if (op === OP.COPY) this.copies.push([x, y, z]);
    else if (op === OP.SWAP) this.swaps.push([x, y, z]);
    else if (op === OP.OWNER) this.owners.set(x, y);
    else if (op === OP.RANGE) {
      if (z >= 0) put(this.ranges, x, y, z);
      else this.ranges.get(x).length = y;
    } else if (op === OP.TEXT) {
      if (!this.texts.has(x)) this.texts.set(x, new Map());
      this.texts.get(x).set(y, z);
    }
  }

  repoint(request, logical, block) {
    if (!this.wrong.has(request)) this.wrong.set(request, new Map());
    if (block < 0) this.wrong.get(request).delete(logical);
    else this.wrong.get(request).set(logical, block);
  }

  exchange(a, b) {
    for (const table of this.tables.values()) {
      table.forEach((block, i) => {
        if (block === a) table[i] = b;
        else if (block === b) table[i] = a;
      });
    }
    [this.refs[a], this.refs[b]] = [this.refs[b], this.refs[a]];
    [this.cached[a], this.cached[b]] = [this.cached[b], this.cached[a]];
    this.queue.exchange(a, b);
    this.exchanged += 1;
  }

  // -- asking --------------------------------------------------------------------------------------------------------

  table(request) {
    return this.tables.get(request) ?? [];
  }

  tokens(request) {
    return this.written.get(request) ?? 0;
  }

  /** Slots filled in a request's logical block. */
  filled(request, logical) {
    return Math.max(0, Math.min(this.size, this.tokens(request) - logical * this.size));
  }

  /** First position that the step wrote for a request; what is written ends before it if it wrote none. */
  wroteFrom(request) {
    return this.writes.get(request) ?? this.tokens(request);
  }

  /** The wrong block that attention reads for a logical block, -1 if it reads the right one. */
  misread(request, logical) {
    return this.wrong.get(request)?.get(logical) ?? -1;
  }

  /** The text of a position as this system has written it. */
  textOf(request, position) {
    const piece = this.texts.get(request)?.get(position) ?? -1;
    return (piece < 0 ? this.trace.requests[request]?.tokens[position] : this.trace.pieces[piece]) ?? "";
  }

  /** {request, logical} of every table entry that is this block, in the order of the tables. */
  holders(block) {
    const found = [];
    for (const [request, table] of this.tables) {
      const logical = table.indexOf(block);
      if (logical >= 0) found.push({request, logical});
    }
    return found;
  }
}

function put(tables, request, index, block) {
  if (!tables.has(request)) tables.set(request, []);
  tables.get(request)[index] = block;
}
