// SPDX-License-Identifier: EUPL-1.2
//! Keeps what somebody types while the field that it is meant for is still on its way.
//!
//! A key that opens a field is followed at once by the text. Until the field is there, the
//! keys of that text would be taken for shortcuts, and `e` alone resolves a conversation.

/** The field that is awaited: `composer` and the id of its conversation, or one that there is once. */
export type Field = `composer ${string}` | "search" | "palette" | "assign" | "tag" | "queue" | "new mail" | "new contact" | "macro";

/** So long a field may take, in milliseconds; then the keys are the desk's again. */
export const PATIENCE_MS = 10_000;

interface Held {
  field: Field;
  text: string;
  until: number;
}

let held: Held | null = null;

function hold(event: KeyboardEvent) {
  if (!held) return;
  if (Date.now() > held.until) return callOff();
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key.length === 1) held.text += event.key;
  else if (event.key === "Enter") held.text += "\n";
  else if (event.key === "Backspace") held.text = [...held.text].slice(0, -1).join("");
  else if (event.key === "Escape") callOff();
  else return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** From now on what is typed belongs to this field, until it arrives, Escape or a click calls it off. */
export function expect(field: Field) {
  if (!held) {
    document.addEventListener("keydown", hold, true);
    document.addEventListener("pointerdown", away, true);
  }
  held = { field, text: held?.field === field ? held.text : "", until: Date.now() + PATIENCE_MS };
}

/** Called by a field that is there and has the focus: what was typed for it, or null when nobody awaits it. */
export function arrive(field: Field): string | null {
  if (held?.field !== field || Date.now() > held.until) return null;
  const { text } = held;
  callOff();
  return text;
}

/** The field does not come, or not this one. */
export function callOff(field?: Field) {
  if (field && held?.field !== field) return;
  held = null;
  document.removeEventListener("keydown", hold, true);
  document.removeEventListener("pointerdown", away, true);
}

function away() {
  callOff();
}
