// What is open, checked: the one parser of what Python, a lecturer's browser and a click say of it.

import {markOf} from "./mark.js";

const FIRST = {step: 0, lens: "online", accounting: "textbook", colour: "state", focus: -1, request: -1, position: -1, lit: "", lit_in: -1, mark: ""};
const COLOURS = ["state", "request"];

/** Whether each field is one that this trace has; `request` counts in the trace's own requests, before `position`. */
const VALID = {
  step: (value, {last}) => whole(value, 0, last),
  lens: (value, {lookup}) => Object.hasOwn(lookup, value),
  accounting: (value, {lookup}) => Object.hasOwn(lookup.online, value),
  colour: (value) => COLOURS.includes(value),
  focus: (value, {systems}) => whole(value, -1, systems.length - 1),
  request: (value, {requests}) => whole(value, -1, requests.length - 1),
  position: (value, {requests}, {request}) => {
    const whose = request < 0 ? requests : [requests[request]];
    return whole(value, -1, whose.reduce((most, one) => Math.max(most, one.final_slots - 1), 0));
  },
  lit: (value, {categories}) => value === "" || categories.includes(value),
  lit_in: (value, {systems}) => whole(value, -1, systems.length - 1),
  mark: (value, trace) => value === "" || markOf(value, trace) !== null,
};

function whole(value, low, most) {
  return Number.isInteger(value) && value >= low && value <= most;
}

/** A view with a change; what of the change this trace has not stays as it was, or as it is at first. */
export function changed(view, change, trace) {
  const found = {};
  for (const [name, valid] of Object.entries(VALID)) {
    found[name] = [change[name], view[name]].find((value) => valid(value, trace, found)) ?? FIRST[name];
  }
  return found;
}

/** The view that Python or a lecturer's browser asks for, in the run's own numbers: a step outside of the window is its end. */
export function viewOf(asked, trace) {
  const step = Number.isInteger(asked.step) ? Math.max(0, Math.min(trace.last, asked.step - trace.first)) : 0;
  const request = trace.requests.findIndex((one) => one.index === asked.request);
  return changed(FIRST, {...asked, step, request}, trace);
}
