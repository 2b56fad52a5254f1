// The time line: a slider, with a tick for each event above it.

const KINDS = ["block", "finish", "admission", "fork", "copy", "preemption", "refusal", "never", "hand"]; // later ones are drawn over earlier ones
const NEAR = 6; // CSS pixels

export class Timeline {
  constructor(line, ticks, scrub, trace) {
    Object.assign(this, {line, ticks, scrub, trace});
    scrub.max = trace.last;
  }

  /** Events of the focused system, or of all. */
  select(focus) {
    this.events = this.trace.events.filter((e) => focus < 0 || e.system === focus);
    this.steps = [...new Set(this.events.map((e) => e.step))].sort((a, b) => a - b);
  }

  next(step) {
    return this.steps.find((s) => s > step);
  }

  previous(step) {
    return this.steps.findLast((s) => s < step);
  }

  /** The slider's knob does not reach over the ends, so the ticks keep its radius too. */
  inset() {
    return parseFloat(getComputedStyle(this.line).getPropertyValue("--knob")) / 2 || 10;
  }

  xOf(step) {
    return this.from + (this.trace.last ? step / this.trace.last : 0) * (this.width - 2 * this.from);
  }

  resize() {
    this.width = this.ticks.clientWidth;
    this.height = this.ticks.clientHeight;
    this.from = this.inset();
  }

  draw(look) {
    const {ticks, width, height} = this;
    if (!width) return;
    ticks.width = Math.round(width * look.dpr);
    ticks.height = Math.round(height * look.dpr);
    const ctx = ticks.getContext("2d");
    const colours = {block: look.quiet, finish: look.quiet, admission: look.accent, preemption: look.alarm, refusal: look.alarm, never: look.alarm, fork: look.accent, copy: look.accent, hand: look.text};
    const unit = look.dpr;
    const drawn = new Set();
    for (const kind of KINDS) {
      ctx.fillStyle = colours[kind];
      for (const event of this.events) {
        if (event.kind !== kind) continue;
        const x = Math.round(this.xOf(event.step) * unit);
        const key = `${kind} ${x}`;
        if (drawn.has(key)) continue;
        drawn.add(key);
        this.tick(ctx, kind, x, unit);
      }
    }
  }

  /** Not told by colour alone: a block is short, an arrival points down to the line, a refusal and a preemption have a head, a fork, a copy and what is done by hand a diamond. */
  tick(ctx, kind, x, unit) {
    const high = Math.round(this.height * unit);
    const thin = Math.max(2, Math.round(2.4 * unit));
    const low = high;
    if (kind === "block") {
      ctx.globalAlpha = 0.6;
      ctx.fillRect(x - (thin >> 1), low - 0.32 * high, Math.max(1, thin - 1), 0.32 * high);
      ctx.globalAlpha = 1;
      return;
    }
    ctx.fillRect(x - (thin >> 1), low - 0.72 * high, thin, 0.72 * high);
    const head = 0.2 * high;
    if (kind === "refusal" || kind === "never") ctx.fillRect(x - head, low - 0.95 * high, 2 * head, 2 * head);
    if (kind === "preemption") {
      ctx.beginPath();
      ctx.moveTo(x - 1.3 * head, low - 0.95 * high);
      ctx.lineTo(x + 1.3 * head, low - 0.95 * high);
      ctx.lineTo(x, low - 0.45 * high);
      ctx.fill();
    }
    if (kind === "fork" || kind === "copy" || kind === "hand") {
      const wide = kind === "fork" ? 0.8 * head : 1.5 * head;
      ctx.beginPath();
      ctx.moveTo(x, low - 0.98 * high);
      ctx.lineTo(x + wide, low - 0.68 * high);
      ctx.lineTo(x, low - 0.38 * high);
      ctx.lineTo(x - wide, low - 0.68 * high);
      ctx.fill();
    }
    if (kind === "finish") {
      ctx.beginPath();
      ctx.arc(x, low - 0.74 * high, head, 0, 7);
      ctx.fill();
    }
  }

  /** {step, events} under a point of the line in CSS pixels. */
  at(x) {
    const {last} = this.trace;
    const span = Math.max(1, this.width - 2 * this.from);
    const step = Math.max(0, Math.min(last, Math.round(((x - this.from) / span) * last)));
    const near = this.events.filter((e) => Math.abs(this.xOf(e.step) - x) <= NEAR);
    if (!near.length) return {step, events: []};
    const best = near.reduce((a, b) => (Math.abs(this.xOf(b.step) - x) < Math.abs(this.xOf(a.step) - x) ? b : a)).step;
    return {step: best, events: near.filter((e) => e.step === best)};
  }
}
