// The payload as it comes from Python (vizkv/views/payload/pack.py): a small JSON of the view, then the deflated trace.

const VIEWS = {u1: Uint8Array, u2: Uint16Array, i2: Int16Array, u4: Uint32Array, i4: Int32Array, f8: Float64Array};

function magicOf(bytes) {
  return String.fromCharCode(...bytes.subarray(0, 4));
}

function lengthAt(bytes, offset) {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset, true);
}

function jsonAt(bytes, offset, length) {
  return JSON.parse(new TextDecoder().decode(bytes.subarray(offset, offset + length)));
}

/**
 * The outer part: {view, packed}. Cheap, so that an unchanged trace is recognised before anything is inflated. An
 * exhibit hands it over as it is, with the words beside the trace: {view, packed, words}.
 */
export function readOuter(data) {
  if (data.packed) return data;
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data.buffer ?? data);
  if (magicOf(bytes) !== "VZP1") throw new Error("not a vizkv payload");
  const length = lengthAt(bytes, 4);
  return {view: jsonAt(bytes, 8, length), packed: bytes.subarray(8 + length)};
}

async function inflate(packed) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * The trace: header, one object of typed arrays a system, and texts with placeholders. Steps are counted from the
 * payload's own beginning, which may be in the middle of a run: `first` steps are before it, `total` in the whole.
 */
export async function readTrace(packed, words = null) {
  const bytes = await inflate(packed);
  if (magicOf(bytes) !== "VZI1") throw new Error("not a vizkv trace");
  const length = lengthAt(bytes, 4);
  const bare = jsonAt(bytes, 8, length);
  const header = words ? worded(bare, words) : bare;
  const base = bytes.byteOffset + 8 + length;
  const array = (name) => {
    const [kind, offset, count] = header.arrays[name];
    const View = VIEWS[kind];
    const from = base + offset;
    // a view where the alignment allows it, otherwise a copy
    if (from % View.BYTES_PER_ELEMENT === 0) return new View(bytes.buffer, from, count);
    return new View(bytes.buffer.slice(from, from + count * View.BYTES_PER_ELEMENT));
  };
  const names = ["offsets", "start", "length", "code", "owner", "position", "stranded", "counts",
    "sentence_online", "sentence_hindsight", "waiting", "refusal"];
  const systems = header.systems.map((system, i) => {
    const own = [...names, ...["op_offsets", "ops", "step", "time_s"].filter((name) => header.arrays[`${i}/${name}`])];
    const arrays = Object.fromEntries(own.map((name) => [name, array(`${i}/${name}`)]));
    return {...system, index: i, run: arrays};
  });
  const overall = {online: array("all/sentence_online"), hindsight: array("all/sentence_hindsight")};
  const window = {timed: header.lead >= 0, before: header.first > 0, behind: header.first + header.steps < header.total};
  return {...header, systems, overall, last: header.steps - 1, ...window, ...wording(header)};
}

/** A header with the words of a language in it: single fields, and fields of the entries of a list. */
function worded(header, words) {
  const both = {...header};
  for (const [name, told] of Object.entries(words)) {
    both[name] = header[name] === undefined || name === "texts" ? told : header[name].map((one, i) => ({...one, ...told[i]}));
  }
  return both;
}

/** say(key, values): a text with its placeholders filled; number and percent as the language writes them. */
function wording({texts, lang}) {
  const plain = new Intl.NumberFormat(lang);
  const whole = new Intl.NumberFormat(lang, {style: "percent", maximumFractionDigits: 0});
  const fine = new Intl.NumberFormat(lang, {style: "percent", maximumFractionDigits: 1});
  const tenths = new Intl.NumberFormat(lang, {minimumFractionDigits: 1, maximumFractionDigits: 1});
  const number = (value) => plain.format(value);
  return {
    number,
    tenth: (value) => tenths.format(value),
    percent: (share) => (share > 0 && share < 0.1 ? fine : whole).format(share),
    say: (key, values = {}) => {
      const text = texts[key] ?? key;
      return text.replace(/\{(\w+)\}/g, (_, name) => {
        const value = values[name];
        return typeof value === "number" ? number(value) : String(value ?? "");
      });
    },
  };
}

/** The part of a message's key that names a category: the paper's "external & others" holds free slots too. */
export function wordOf(category, view) {
  return view.accounting === "paper" && category === "external" ? "others" : category;
}

/** The category (index into header.categories) of each code under a lens and an accounting. */
export function categoriesOf(trace, view) {
  return trace.lookup[view.lens][view.accounting];
}
