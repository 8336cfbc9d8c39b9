// SPDX-License-Identifier: EUPL-1.2
//! Who is where at this moment: what the live line whispers, and what this browser says of its user.

import type { Uuid, WhisperFrame } from "@belofte/api-client";
import { useEffect, useRef, useSyncExternalStore } from "react";

export type Doing = "away" | "viewing" | "writing";

export interface Present {
  people: readonly { user_id: Uuid; state: Doing }[];
  writer: Uuid | null;
}

const NOBODY: Present = { people: [], writer: null };

/** So long after the last key somebody still writes, in milliseconds. */
export const WRITES_MS = 60_000;
/** So long without a touch somebody is still there. */
export const THERE_MS = 5 * 60_000;
/** It is said no more often than this. */
const PAUSE_MS = 250;
/** What holds is said again so often: a line that was full may have lost it. */
const AGAIN_MS = 25_000;

const cases = new Map<Uuid, Present>();
const listeners = new Set<() => void>();

function changed() {
  for (const listener of listeners) listener();
}

/** Takes what the line whispers; exported for its test. */
export function heardPresence({ conversation_id: id, people, writer_id }: WhisperFrame) {
  if (!id || !people) return;
  if (people.length === 0) cases.delete(id);
  else cases.set(id, { people, writer: writer_id ?? null });
  changed();
}

/** The line was lost: what was heard may not hold any more. */
export function forgetPresence() {
  if (cases.size === 0) return;
  cases.clear();
  changed();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const usePresence = (id: Uuid): Present => useSyncExternalStore(subscribe, () => cases.get(id) ?? NOBODY);

interface Here {
  conversation_id: Uuid | null;
  state: Doing;
}

const NOWHERE: Here = { conversation_id: null, state: "viewing" };
let here: Here = NOWHERE;
let said = "";
let take = false;
let timer: ReturnType<typeof setTimeout> | null = null;
let speak: ((what: object) => void) | null = null;
let lastAt = 0;

function sayIt() {
  timer = null;
  const text = JSON.stringify(here);
  if (!take && text === said) return;
  said = text;
  speak?.({ here: take ? { ...here, take } : here });
  take = false;
}

function soon() {
  if (!timer) timer = setTimeout(sayIt, PAUSE_MS);
}

/** The line is open: from here on it is spoken through; called with nothing when it is lost. */
export function presenceLine(say: ((what: object) => void) | null) {
  speak = say;
  said = "";
  if (say && here.conversation_id) sayIt();
}

/** Where the user is; leaving one place does not end another that was entered meanwhile. */
function be(next: Here, left?: Uuid) {
  if (left && here.conversation_id !== left) return;
  here = next;
  soon();
}

let took: { id: Uuid; at: number } | null = null;

/** Takes the reply over from who writes it. */
export function takeOver(id: Uuid) {
  took = { id, at: Date.now() };
  here = { conversation_id: id, state: "writing" };
  take = true;
  sayIt();
}

/** The reply has gone: nobody need wait for its writer any more. */
export function wroteIt(id: Uuid) {
  if (took?.id === id) took = null;
}

if (typeof window !== "undefined") {
  setInterval(() => {
    if (!here.conversation_id) return;
    said = "";
    sayIt();
  }, AGAIN_MS);
  const touched = () => {
    lastAt = Date.now();
  };
  for (const what of ["pointerdown", "pointermove", "keydown", "wheel"]) window.addEventListener(what, touched, { passive: true, capture: true });
}

/**
 * Says that the user is in a conversation as long as it is shown. `text` is what is written to the customer:
 * each change of it counts as writing, for a while; but not while somebody else writes the reply.
 */
export function useHereIn(id: Uuid, text: string, locked: boolean) {
  const latest = useRef({ text, at: 0 });
  const look = useRef<() => void>(() => undefined);
  useEffect(() => {
    if (latest.current.text !== text) latest.current = { text, at: Date.now() };
    look.current = () => {
      const now = Date.now();
      const typed = !locked && text !== "" && now - latest.current.at < WRITES_MS;
      const taken = took?.id === id && now - took.at < WRITES_MS;
      const away = document.visibilityState === "hidden" || now - lastAt > THERE_MS;
      be({ conversation_id: id, state: typed || taken ? "writing" : away ? "away" : "viewing" });
    };
    look.current();
  }, [id, text, locked]);
  // Who lost it to somebody else has it no more.
  useEffect(() => {
    if (locked) took = null;
  }, [locked]);
  useEffect(() => {
    lastAt = Date.now();
    const at = () => look.current();
    at();
    const beat = setInterval(at, 5_000);
    document.addEventListener("visibilitychange", at);
    return () => {
      clearInterval(beat);
      document.removeEventListener("visibilitychange", at);
      be(NOWHERE, id);
    };
  }, [id]);
}
