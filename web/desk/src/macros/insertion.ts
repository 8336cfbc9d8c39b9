// SPDX-License-Identifier: EUPL-1.2
//! Words that are put into a draft, and how they are taken out again. No React here.

import type { Draft } from "../conversations/draft";
import { htmlOf } from "../conversations/outgoing";

/** What is put in: the words, and the same with markup where they have some. */
export interface Piece {
  text: string;
  html: string | null;
}

/** Whether markup shows more than plain text can. */
export function isFormatted(html: string): boolean {
  return /<(?!\/?(p|br|div|span)\b)[a-z]/i.test(html);
}

/** What is put into formatted text; one paragraph goes into the line that the cursor is in. */
export function inlineOf(piece: Piece): string {
  const html = piece.html ?? htmlOf(piece.text);
  const { body } = new DOMParser().parseFromString(html, "text/html");
  const [only, more] = body.children;
  return only && !more && only.tagName === "P" && body.childNodes.length === 1 ? only.innerHTML : html;
}

/** A draft with the piece in plain text from `from` to `to`. */
export function into(draft: Draft, piece: Piece, from: number, to: number): Draft {
  const text = draft.noting ? draft.note : draft.text;
  const [before, after] = [text.slice(0, from), text.slice(to)];
  if (draft.noting) return { ...draft, note: before + piece.text + after };
  if (piece.html === null || !isFormatted(piece.html)) return { ...draft, text: before + piece.text + after };
  const around = (part: string) => (part.trim() ? htmlOf(part.trim()) : "");
  return { ...draft, text: before + piece.text + after, html: around(before) + piece.html + around(after) };
}

/** At the end of formatted text whose editor is not there yet. */
export function below(draft: Draft, piece: Piece): Draft {
  const text = [draft.text, piece.text].filter((one) => one.trim()).join("\n\n");
  return { ...draft, text, html: (draft.html ?? "") + (piece.html ?? htmlOf(piece.text)) };
}

/** `now` without what came in between `before` and `after`; null where that cannot be told any more. */
function without(before: string, after: string, now: string): string | null {
  if (now === after) return before;
  let start = 0;
  while (start < before.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < before.length - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  // Something was replaced, too: it has no place of its own in what was written since.
  if (start + end < before.length) return null;
  const piece = after.slice(start, after.length - end);
  const at = now.indexOf(piece);
  if (piece === "" || at < 0 || now.indexOf(piece, at + 1) >= 0) return null;
  return now.slice(0, at) + now.slice(at + piece.length);
}

/** What is left of `now` when the insertion that made `after` of `before` is taken back. */
export function takenBack(before: Draft, after: Draft, now: Draft): Draft | null {
  const note = without(before.note, after.note, now.note);
  const text = without(before.text, after.text, now.text);
  if (note === null || text === null) return null;
  if (now.html === null) return { ...now, note, text };
  if (now.html === after.html) return { ...now, note, text, html: before.html };
  const html = without(before.html ?? htmlOf(before.text), after.html ?? "", now.html);
  return html === null ? null : { ...now, note, text, html };
}
