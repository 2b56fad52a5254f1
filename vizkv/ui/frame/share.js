// A link to take along: its QR code, its text, and a button that copies it.

const TYPED = 60; // characters of an address that somebody without a camera may type in
const LINE = 34; // of the field's characters in a line

/** Into the clipboard; over plain http, as in a lecture hall, a browser has the old way only. */
async function copy(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    field.select();
    return document.execCommand("copy");
  }
}

export default function (component) {
  const {data, parentElement, setStateValue} = component;
  const at = (selector) => parentElement.querySelector(selector);
  // a player that plays has gone on since Python last heard of it: it stops, and the link is of where it stands
  const player = window.vizkvPlayer;
  if (data.moment && player?.mounted && player.trace) {
    player.stop();
    if (player.tell().step !== data.step) setStateValue("now", player.tell());
  }
  for (const picture of [at(".picture"), at(".code")]) if (picture.innerHTML !== data.svg) picture.innerHTML = data.svg;
  at(".picture").hidden = !data.svg;
  for (const what of ["title", "ariaLabel"]) at(".picture")[what] = data.say.large;
  at(".close").title = data.say.small;
  at(".address").textContent = data.url.length <= TYPED ? data.url : "";
  at(".picture").onclick = () => at(".large").showModal();
  at(".close").onclick = () => at(".large").close();
  const field = at(".link");
  if (field.value !== data.url) at(".done").textContent = "";
  field.value = data.url;
  field.rows = Math.min(6, Math.max(2, Math.ceil(data.url.length / LINE)));
  field.setAttribute("aria-label", data.say.label);
  field.onfocus = () => field.select();
  at(".copy").textContent = data.say.copy;
  at(".copy").onclick = async () => {
    at(".done").textContent = data.say[(await copy(field)) ? "copied" : "failed"];
  };
}
