// Streamlit's own widgets speak English only: what they say is replaced from outside, in the page's language.
// WORDS: English text -> the language's; empty for English. What a widget says again later is replaced again.
const WORDS = /*words*/{};
// "Remove $" -> /^Remove (.+)$/; and what Streamlit calls a symbol, "lightbulb icon", which is only a symbol to us
const PATTERNS = [[/^[a-z0-9_ ]+ icon$/, "icon"], ...Object.keys(WORDS).filter((text) => text.includes("$")).map((text) =>
  [new RegExp(`^${text.split("$").map((part) => part.replace(/[.*+?^()|[\]{}\\/]/g, "\\$&")).join("(.+)")}$`), text])];
const TEXTS = [
  '[data-testid="stFileUploader"] *', '[data-testid="stDialog"] *', '[data-testid="stException"] *', '[role="alert"] *',
  '[data-testid="stNumberInput"] *', '[data-testid^="stDataFrameColumn"] *', '.gdg-search-status *', '[role="menuitem"]',
  '[data-testid="InputInstructions"] *', '[data-testid="stSkipLink"]', 'a[href^="#"]', '[data-testid="stTooltipContent"] *',
  '[data-baseweb="tooltip"] *', '[role="listbox"] li', '[role="menuitem"] *', '[data-testid="stStatusWidget"] *',
].join(", ");
const ATTRIBUTES = ["aria-label", "placeholder", "title", "alt"];

let [language, found] = [null, new Map()]; // each text is looked for once: this runs after every change of the page

/** What a text is in the language; the text itself where that is not known. */
function word(text) {
  if (language !== window.vizkvWords || found.size > 4096) [language, found] = [window.vizkvWords, new Map()];
  if (!found.has(text)) found.set(text, look(text));
  return found.get(text);
}

function look(text) {
  if (Object.hasOwn(window.vizkvWords, text)) return window.vizkvWords[text];
  for (const [pattern, key] of PATTERNS) {
    const parts = window.vizkvWords[key] && pattern.exec(text)?.slice(1);
    if (parts) return window.vizkvWords[key].replace(/\$/g, () => look(parts.shift()));
  }
  return text;
}

function replaceIn(element, said) {
  for (const node of element.childNodes) {
    if (node.nodeType !== Node.TEXT_NODE) continue;
    const old = said.get(node);
    const text = old && node.data === old.now ? old.was : node.data;
    const now = word(text.trim());
    const next = now === text.trim() ? text : now;
    if (node.data !== next) node.data = next;
    said.set(node, {was: text, now: next});
  }
}

function replaceAttribute(element, name, said) {
  const key = `${name} of it`;
  const kept = said.get(element) ?? {};
  const here = element.getAttribute(name);
  const text = kept[key] && here === kept[key].now ? kept[key].was : here;
  const now = word(text);
  if (here !== now) element.setAttribute(name, now);
  kept[key] = {was: text, now};
  said.set(element, kept);
}

window.vizkvWords = WORDS;
if (!window.vizkvSay && Object.keys(WORDS).length) {
  const [texts, attributes] = [new WeakMap(), new WeakMap()];
  let due = 0;
  window.vizkvSay = () => {
    due = 0;
    document.querySelectorAll(TEXTS).forEach((element) => replaceIn(element, texts));
    for (const name of ATTRIBUTES)
      document.querySelectorAll(`[${name}]`).forEach((element) => replaceAttribute(element, name, attributes));
  };
  new MutationObserver(() => { due ||= requestAnimationFrame(window.vizkvSay); }).observe(
    document.body, {childList: true, subtree: true, attributes: true, attributeFilter: ATTRIBUTES});
}
window.vizkvSay?.();
