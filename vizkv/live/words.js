// Words, numbers and elements: what all the other modules use.

export const CATEGORIES = ["used", "reserved", "internal", "external", "free"]; // bottom to top, vizkv.trace.slots.CATEGORIES

export function make(name, classes = "", text = "", attributes = {}) {
  const element = document.createElement(name);
  if (classes) element.className = classes;
  if (text) element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** Text, set only where it differs. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A class, an attribute or a style, set only where it differs. */
export function mark(element, name, on) {
  if (element.classList.contains(name) !== Boolean(on)) element.classList.toggle(name, Boolean(on));
}

export function attribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** The page's words and its way of writing numbers. */
export class Words {
  constructor(texts, lang) {
    this.texts = texts;
    const format = (digits) => new Intl.NumberFormat(lang, {minimumFractionDigits: digits, maximumFractionDigits: digits});
    [this.whole, this.one, this.two] = [0, 1, 2].map(format);
  }

  say(key, values = {}) {
    return (this.texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  }

  /** One decimal, and no minus before a zero. */
  share(value) {
    return this.one.format(Math.round(value * 10) / 10 + 0);
  }

  signed(value, digits = 1) {
    const scale = 10 ** digits;
    const rounded = Math.round(value * scale) / scale;
    const sign = rounded > 0 ? "+" : rounded < 0 ? "−" : "±";
    return sign + (digits === 1 ? this.one : this.two).format(Math.abs(rounded));
  }
}
