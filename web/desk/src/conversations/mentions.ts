// SPDX-License-Identifier: EUPL-1.2
//! Colleagues who are named in a note: what is typed after an `@`, and where their names stand in the text.

import type { Mention, Naming, UserRef, Uuid } from "@belofte/api-client";

/** Somebody who was chosen from the list, under the name that stands in the text. */
export interface Named {
  id: Uuid;
  name: string;
}

/** So many names a note holds at most. */
export const MOST = 20;
/** Longer than any name that is still looked for. */
const LONGEST = 40;

/** What is typed after an `@` before the caret, and where that stands; null when nobody is being named. */
export function typedName(text: string, caret: number): { at: number; q: string } | null {
  const before = text.slice(Math.max(0, caret - LONGEST), caret);
  const found = /(?:^|[\s([{"'“‘/-])@([^@\n]*)$/u.exec(before);
  if (!found) return null;
  const q = found[1] ?? "";
  // A name has a few words at most; a sentence is none.
  if (/^\s/.test(q) || q.split(/\s+/).length > 4) return null;
  return { at: caret - q.length - 1, q };
}

const plain = (text: string): string => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** Every word of the question begins some word of the name. */
export function begins(name: string, q: string): boolean {
  const words = plain(name).split(/[\s-]+/);
  return plain(q)
    .split(/\s+/)
    .filter(Boolean)
    .every((part) => words.some((word) => word.startsWith(part)));
}

/** Those of `users` whose names fit what is typed; once a name is written out whole, nobody is suggested any more. */
export function suggested(users: readonly UserRef[], q: string, most = 8): UserRef[] {
  const found = users.filter((user) => begins(user.name, q));
  return found.some((user) => plain(`${user.name} `) === plain(q)) ? [] : found.slice(0, most);
}

const WITHIN = /[\p{L}\p{N}_]/u;

/** Where the names of those who were chosen stand in `text`, each behind its `@`; one that is no longer there tells nobody. */
export function namings(text: string, chosen: readonly Named[]): Naming[] {
  const found: Naming[] = [];
  // Two of one name are told apart by the order in which they were chosen.
  let left = [...chosen];
  for (let at = text.indexOf("@"); at >= 0 && found.length < MOST; at = text.indexOf("@", at + 1)) {
    const fits = chosen.filter((one) => text.startsWith(one.name, at + 1) && !WITHIN.test(text[at + 1 + one.name.length] ?? ""));
    const longest = Math.max(0, ...fits.map((one) => one.name.length));
    const named = fits.filter((one) => one.name.length === longest);
    const one = named.find((other) => left.includes(other)) ?? named[0];
    if (!one) continue;
    left = left.filter((other) => other !== one);
    found.push({ user_id: one.id, starts_at: at, ends_at: at + 1 + one.name.length });
  }
  return found;
}

/** Those who are named by a draft or a note that the server kept, under the names that stand in it. */
export function chosenIn(text: string, kept: readonly Naming[]): Named[] {
  return kept.map((one) => ({ id: one.user_id, name: text.slice(one.starts_at + 1, one.ends_at) }));
}

/** The note that was taken back, as it can be written again. */
export const namingsOf = (mentions: readonly Mention[]): Naming[] =>
  mentions.map(({ user, starts_at, ends_at }) => ({ user_id: user.id, starts_at, ends_at }));

export interface Part {
  text: string;
  /** Who is named here. */
  user: UserRef | null;
}

/** A note in parts: its words, and the names under which those who are named go by now. */
export function parts(text: string, mentions: readonly Mention[]): Part[] {
  const all: Part[] = [];
  let at = 0;
  for (const { user, starts_at, ends_at } of mentions) {
    if (starts_at < at || ends_at > text.length) continue;
    if (starts_at > at) all.push({ text: text.slice(at, starts_at), user: null });
    all.push({ text: `@${user.name}`, user });
    at = ends_at;
  }
  if (at < text.length) all.push({ text: text.slice(at), user: null });
  return all;
}

/** The words of a note with the names of now. */
export const withNames = (text: string, mentions: readonly Mention[]): string =>
  parts(text, mentions)
    .map((part) => part.text)
    .join("");
