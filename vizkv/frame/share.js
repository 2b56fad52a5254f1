// A link to take along: its QR code, its text, and a button that copies it.

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
  at(".picture").innerHTML = data.svg;
  at(".picture").hidden = !data.svg;
  const field = at(".link");
  if (field.value !== data.url) at(".done").textContent = "";
  field.value = data.url;
  field.setAttribute("aria-label", data.say.label);
  field.onfocus = () => field.select();
  at(".copy").textContent = data.say.copy;
  at(".copy").onclick = async () => {
    at(".done").textContent = data.say[(await copy(field)) ? "copied" : "failed"];
  };
}
