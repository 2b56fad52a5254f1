// One thing seen in several places: a token, its logical cell, its row in the block table, its slot. A target is the
// same object for all panels: {request, position, logical, offset, block, slot, cpu, part}; -1 (or "") where it has none.

const NOTHING = {request: -1, position: -1, logical: -1, offset: -1, block: -1, slot: -1, cpu: -1, part: ""};
export const TINTS = 10;

/** Where a token of a sequence lies in this step: block and slot are -1 while it is not written. */
export function ofToken(ledger, request, position) {
  if (request < 0 || position < 0) return null;
  const logical = Math.floor(position / ledger.size);
  const offset = position % ledger.size;
  const written = position < ledger.tokens(request);
  const block = written ? (ledger.table(request)[logical] ?? -1) : -1;
  const cpu = ledger.cpu.get(request)?.[logical] ?? -1;
  return {...NOTHING, request, position, logical, offset, block, slot: block < 0 ? -1 : block * ledger.size + offset, cpu};
}

/** A row of a block table, whole. */
export function ofRow(ledger, request, logical) {
  const block = ledger.table(request)[logical] ?? -1;
  return {...NOTHING, request, logical, block, cpu: block < 0 ? (ledger.cpu.get(request)?.[logical] ?? -1) : -1};
}

/** A physical block, whoever holds it. */
export function ofBlock(block) {
  return {...NOTHING, block};
}

/** A place of a physical block, and the first sequence that has written there. */
export function ofSlot(ledger, slot) {
  const block = Math.floor(slot / ledger.size);
  const offset = slot % ledger.size;
  const holder = ledger.holders(block).find(({request, logical}) => offset < ledger.filled(request, logical));
  if (!holder) return ofBlock(block);
  return ofToken(ledger, holder.request, holder.logical * ledger.size + offset);
}

export function ofCpu(cpu) {
  return {...NOTHING, cpu};
}

/** Whether a target lights a place of a block, or (offset -1) the block as a box or a row. */
export function touches(target, block, offset = -1) {
  if (!target || block < 0 || target.block !== block) return false;
  return offset < 0 || target.offset < 0 || target.offset === offset;
}

/** Classes for a thing: under the pointer, or pinned. */
export function lights(scene, block, offset = -1) {
  return (touches(scene.lit, block, offset) ? (scene.lit.offset < 0 ? " lit whole" : " lit") : "") + (touches(scene.pin, block, offset) ? " pinned" : "");
}

export function lightsCpu(scene, cpu) {
  return (scene.lit && cpu >= 0 && scene.lit.cpu === cpu ? " lit" : "") + (scene.pin && cpu >= 0 && scene.pin.cpu === cpu ? " pinned" : "");
}

export function tint(block) {
  return block < 0 ? "" : ` tint-${block % TINTS}`;
}

/** Sets all classes at once, and only if they changed: most stay the same from step to step. */
export function dress(element, classes) {
  if (element.dressed === classes) return;
  element.dressed = classes;
  element.className = classes;
}

/** A token as one can read it: what is white space is made visible, what has no text is a dot. */
export function readable(text) {
  if (!text) return "·";
  return text.replaceAll("\n", "↵").replaceAll("\t", "⇥");
}

/**
 * Scroll a box (not the page) so that its elements from `first` to `last` are seen, or the first of them where not all
 * fit. `head` pixels at the box's top are covered. It scrolls by whole lines: none is seen by half.
 */
export function reveal(box, first, last, head = 0) {
  box.style.removeProperty("--rest");
  if (!first || !last || box.scrollHeight <= box.clientHeight) return;
  const line = first.getBoundingClientRect().height;
  const room = box.clientHeight - head;
  box.style.setProperty("--rest", `${room % line}px`);
  const around = box.getBoundingClientRect().top + box.clientTop + head;
  const [top, bottom] = [first.getBoundingClientRect().top - around, last.getBoundingClientRect().bottom - around];
  const by = top < 0 || bottom - top > room ? top : Math.max(0, bottom - room);
  if (Math.abs(by) >= 1) box.scrollTop = Math.ceil((box.scrollTop + by - 1) / line) * line;
}
