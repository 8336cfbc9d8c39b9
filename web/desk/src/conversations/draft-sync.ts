// SPDX-License-Identifier: EUPL-1.2
//! Keeps drafts at the server: after a short pause in typing, and when the page is left. The copy in the
//! browser lives only until the server has confirmed it. Two windows never overwrite each other in silence.

import { ApiError, type Draft as Kept, type DraftContent, type SavedDraft, type WhisperFrame } from "@belofte/api-client";
import { useSyncExternalStore } from "react";
import { api } from "../app/api";
import { NEW } from "../app/here";
import { draftsQuery, keys, queryClient } from "../app/queries";
import { confirm, type Draft, keepFlight, keepVersions, kept, keptFlights, keptVersions, readDraft, whenWritten, writeDraft } from "./draft";
import { both, contentOf, draftFrom, type Kind } from "./draft-content";

/** After so long without a key what was typed goes to the server, in milliseconds … */
const PAUSE_MS = 700;
/** … and while somebody types on and on, after so long all the same. */
const MOST_MS = 4_000;
/** After a failure it is tried again after so long, and longer each time. */
const AGAIN_MS = 3_000;
const AGAIN_MOST_MS = 60_000;

export type State = "still" | "writing" | "saving" | "saved" | "failed" | "changed" | "gone";

interface Base {
  version: number;
  /** What the server has, as it was sent; "" is nothing, and null is not known. */
  print: string | null;
}

interface Place {
  id: string;
  draft: Draft;
  bases: Map<Kind, Base>;
  /** What was on its way when the page before this one went. */
  left: Record<string, string>;
  state: State;
  /** Since when something waits to be saved. */
  since: number | null;
  timer: ReturnType<typeof setTimeout> | null;
  flight: Promise<void> | null;
  failures: number;
  /** Why it could not be saved, when the server said so. */
  refusal: ApiError | null;
  /** While it is being sent nothing is saved. */
  held: boolean;
  listeners: Set<() => void>;
  /** The composer, when it is on the screen. */
  show: ((draft: Draft) => void) | null;
}

const places = new Map<string, Place>();

const kindsOf = (id: string): Kind[] => (id === NEW ? ["mail"] : ["reply", "note"]);

const printOf = (kind: Kind, draft: Draft): string => {
  const content = contentOf(kind, draft);
  return content ? JSON.stringify(content) : "";
};

function placeOf(id: string): Place {
  const known = places.get(id);
  if (known) return known;
  const place: Place = {
    id,
    draft: readDraft(id),
    bases: new Map(),
    left: {},
    state: "still",
    since: null,
    timer: null,
    flight: null,
    failures: 0,
    refusal: null,
    held: false,
    listeners: new Set(),
    show: null,
  };
  places.set(id, place);
  return place;
}

function tell(place: Place, state: State) {
  if (place.state === state) return;
  place.state = state;
  for (const listener of place.listeners) listener();
}

const dirty = (place: Place): Kind[] =>
  kindsOf(place.id).filter((kind) => (place.bases.get(kind)?.print ?? "") !== printOf(kind, place.draft) || place.bases.get(kind)?.print === null);

function plan(place: Place, wait: number) {
  if (place.timer) clearTimeout(place.timer);
  place.timer = null;
  if (place.held || place.state === "changed" || place.state === "gone") return;
  if (dirty(place).length === 0) {
    place.since = null;
    confirm(place.id);
    if (place.state !== "still") tell(place, kindsOf(place.id).some((kind) => place.bases.get(kind)?.print) ? "saved" : "still");
    return;
  }
  if (place.bases.size > 0) keepVersions(place.id, Object.fromEntries([...place.bases].map(([kind, base]) => [kind, base.version])));
  const now = Date.now();
  place.since ??= now;
  const pause = Math.max(0, Math.min(wait, place.since + MOST_MS - now));
  if (place.failures === 0 && !place.flight) tell(place, "writing");
  place.timer = setTimeout(() => void save(place), place.failures > 0 ? wait : pause);
}

const send = (id: string, kind: Kind, version: number, content: DraftContent | null, leaving: boolean): Promise<SavedDraft> =>
  kind === "mail" ? api.drafts.saveMail({ version, content }, leaving) : api.drafts.save(id, { kind, version, content }, leaving);

/** What is listed is old where something begins or ends; else its version alone. */
function list(place: Place, kind: Kind, saved: SavedDraft) {
  const mine = (row: { kind: Kind; conversation?: { id: string } | null }) => row.kind === kind && (row.conversation?.id ?? NEW) === place.id;
  const known = queryClient.getQueryData(draftsQuery.queryKey);
  if (!known || known.items.some(mine) !== saved.version > 0) {
    void queryClient.invalidateQueries({ queryKey: keys.drafts });
    return;
  }
  if (saved.version === 0) return;
  queryClient.setQueryData(draftsQuery.queryKey, {
    items: known.items.map((row) => (mine(row) ? { ...row, version: saved.version, saved_at: saved.saved_at ?? row.saved_at } : row)),
  });
}

async function save(place: Place): Promise<void> {
  place.timer = null;
  if (place.flight) return place.flight;
  place.flight = (async () => {
    tell(place, "saving");
    try {
      // What is kept there already is known before anything is saved over it.
      await known(place);
      for (const kind of dirty(place)) {
        const print = printOf(kind, place.draft);
        const content = contentOf(kind, place.draft);
        const base = place.bases.get(kind);
        keepFlight(place.id, kind, print);
        const saved = await send(place.id, kind, base?.version ?? 0, content, false);
        place.bases.set(kind, { version: saved.version, print });
        list(place, kind, saved);
      }
      place.failures = 0;
      place.refusal = null;
      place.since = null;
      place.flight = null;
      tell(place, "saved");
      plan(place, PAUSE_MS);
    } catch (error) {
      if (error instanceof ApiError && error.code === "draft_changed") {
        await conflict(place);
        place.flight = null;
        plan(place, PAUSE_MS);
        return;
      }
      place.flight = null;
      place.failures += 1;
      place.refusal = error instanceof ApiError && error.status < 500 && error.status !== 401 ? error : null;
      tell(place, "failed");
      plan(place, Math.min(AGAIN_MS * 2 ** Math.min(place.failures - 1, 5), AGAIN_MOST_MS));
    }
  })();
  return place.flight;
}

/** The versions that the server has, for a place of which this tab knows nothing yet. */
async function known(place: Place) {
  if (kindsOf(place.id).every((kind) => place.bases.has(kind))) return;
  const stood = kept(place.id) ? keptVersions(place.id) : null;
  if (stood) {
    // Before this page was loaded anew it stood on these.
    place.left = keptFlights(place.id);
    for (const kind of kindsOf(place.id)) place.bases.set(kind, { version: stood[kind] ?? 0, print: null });
    return;
  }
  const { items } = await queryClient.ensureQueryData(draftsQuery);
  for (const kind of kindsOf(place.id)) {
    if (place.bases.has(kind)) continue;
    const row = items.find((one) => one.kind === kind && (one.conversation?.id ?? NEW) === place.id);
    // Another one than what is written here: it is not saved over unasked.
    place.bases.set(kind, row ? { version: 0, print: null } : { version: 0, print: "" });
  }
}

const fetchKept = async (id: string): Promise<Kept[]> => (id === NEW ? api.drafts.mail() : api.drafts.of(id)).then((found) => found.items);

/**
 * Somebody else saved first. Where that was the page before this one while it went, by the same words or earlier ones, it
 * is no conflict: what is written here goes on from it.
 */
async function conflict(place: Place) {
  const items = await fetchKept(place.id).catch(() => null);
  const theirs = draftFrom(items ?? []);
  const own = kindsOf(place.id).every((kind) => {
    const print = printOf(kind, theirs);
    return print === printOf(kind, place.draft) || print === place.bases.get(kind)?.print || print === place.left[kind];
  });
  if (!items?.length || !own) {
    tell(place, items?.length === 0 ? "gone" : "changed");
    return;
  }
  for (const kind of kindsOf(place.id)) {
    place.bases.set(kind, { version: items.find((one) => one.kind === kind)?.version ?? 0, print: printOf(kind, theirs) });
  }
  place.failures = 0;
  place.refusal = null;
  tell(place, "saved");
}

function adopt(place: Place, items: readonly Kept[], draft: Draft) {
  for (const kind of kindsOf(place.id)) {
    const found = items.find((one) => one.kind === kind);
    place.bases.set(kind, { version: found?.version ?? 0, print: found ? printOf(kind, draftFrom(items)) : "" });
  }
  place.failures = 0;
  tell(place, items.length > 0 ? "saved" : "still");
  place.draft = draft;
  writeDraft(place.id, draft);
  place.show?.(draft);
  plan(place, 0);
}

/** Ends a conflict: with what the server has, with what is written here, or with both. */
export async function settle(id: string, with_: "theirs" | "mine" | "both"): Promise<void> {
  const place = placeOf(id);
  const items = await fetchKept(id);
  const theirs = draftFrom(items);
  const mine = place.draft;
  tell(place, "still");
  adopt(place, items, with_ === "theirs" ? theirs : with_ === "mine" ? mine : both(theirs, mine));
}

/** Brings what the server has to a composer that opens, unless something newer is here. */
export async function open(id: string, show: (draft: Draft) => void): Promise<void> {
  const place = placeOf(id);
  place.show = show;
  if (kept(id) || dirty(place).length > 0) {
    plan(place, 0);
    return;
  }
  const { items } = await queryClient.ensureQueryData(draftsQuery).catch(() => ({ items: [] }));
  const rows = items.filter((row) => (row.conversation?.id ?? NEW) === id);
  const same = kindsOf(id).every((kind) => (rows.find((row) => row.kind === kind)?.version ?? 0) === (place.bases.get(kind)?.version ?? 0));
  for (const kind of kindsOf(id)) {
    if (!place.bases.has(kind) && !rows.some((row) => row.kind === kind)) place.bases.set(kind, { version: 0, print: "" });
  }
  if (same || place.flight) return;
  const before = place.draft;
  const found = await fetchKept(id).catch(() => null);
  if (!found) return;
  // Who has begun to type meanwhile goes on below.
  const mine = place.draft;
  const begun = mine !== before && kindsOf(id).some((kind) => printOf(kind, mine) !== "");
  adopt(place, found, begun ? both(draftFrom(found), mine) : draftFrom(found));
}

/** The composer has gone; what it held is saved at once. */
export function close(id: string, show: (draft: Draft) => void) {
  const place = placeOf(id);
  if (place.show === show) place.show = null;
  flush(id);
}

/** Saves at once what waits. */
export function flush(id: string) {
  const place = places.get(id);
  if (place?.timer) plan(place, 0);
}

/** Before it is sent: nothing is saved any more, and gives the version that goes along. */
export async function hold(id: string, kind: Kind): Promise<number | undefined> {
  const place = placeOf(id);
  place.held = true;
  if (place.timer) clearTimeout(place.timer);
  place.timer = null;
  await place.flight?.catch(() => undefined);
  if (!place.bases.has(kind)) await known(place).catch(() => undefined);
  // A page before this one may have saved it while it went: the draft that is not named here would stay, and look as
  // if it had never been sent.
  if (place.bases.get(kind)?.print === null) await save(place);
  return place.bases.get(kind)?.version || undefined;
}

/**
 * After that: it is written on, or with the message the server has taken away the draft of the version that went along.
 * What was saved after a first try, whose answer was lost, did not go along, and the next save takes it away.
 */
export function release(id: string, kind: Kind, sent: { draft: number | undefined } | null) {
  const place = placeOf(id);
  place.held = false;
  const base = place.bases.get(kind);
  if (sent && base?.version) {
    if (base.version === sent.draft) place.bases.set(kind, { version: 0, print: "" });
    // It was missed while it was being sent again.
    if (place.state === "gone") tell(place, "still");
    void queryClient.invalidateQueries({ queryKey: keys.drafts });
  }
  plan(place, PAUSE_MS);
}

/** Another window of the same user has saved or sent something. */
export function heard({ conversation_id, draft }: WhisperFrame) {
  const id = conversation_id ?? NEW;
  if (!draft) return;
  // One's own saves come back as well, perhaps before their answer.
  setTimeout(() => {
    const place = places.get(id);
    if (place && (place.flight || place.held || (place.bases.get(draft.kind)?.version ?? 0) === draft.version)) return;
    void queryClient.invalidateQueries({ queryKey: keys.drafts }).then(() => {
      if (place?.show && dirty(place).length === 0) return open(id, place.show);
    });
  }, 400);
}

/** Something may have been missed: a line that was cut, a machine that slept. */
export async function lookAgain(): Promise<void> {
  await queryClient.invalidateQueries({ queryKey: keys.drafts });
  for (const place of places.values()) {
    if (place.show && !place.held && !place.flight && dirty(place).length === 0) void open(place.id, place.show);
  }
}

/** Saves everything that waits, for a sign-out; gives up after a while. */
export async function saveAll(): Promise<void> {
  const waiting = [...places.values()].filter((place) => !place.held && dirty(place).length > 0 && place.state !== "changed" && place.state !== "gone");
  const patience = new Promise<void>((done) => setTimeout(done, 3_000));
  await Promise.race([Promise.all(waiting.map((place) => save(place))), patience]);
}

/** Nobody's any more. */
export function forgetDrafts() {
  for (const place of places.values()) if (place.timer) clearTimeout(place.timer);
  places.clear();
}

whenWritten((id, draft) => {
  const place = placeOf(id);
  place.draft = draft;
  // It may come out of a drawing: nobody else is told before that has ended.
  queueMicrotask(() => plan(place, PAUSE_MS));
});

/** The page goes away: requests that outlive it. */
function leave() {
  for (const place of places.values()) {
    if (place.held || place.flight || place.state === "changed" || place.state === "gone") continue;
    for (const kind of dirty(place)) {
      const base = place.bases.get(kind);
      const content = contentOf(kind, place.draft);
      // A browser lets no more than 64 KiB outlive a page; what is longer stays in this tab for the next time.
      if (!base || base.print === null || JSON.stringify(content).length > 60_000) continue;
      keepFlight(place.id, kind, printOf(kind, place.draft));
      void send(place.id, kind, base.version, content, true).catch(() => undefined);
    }
  }
}

if (typeof window !== "undefined") {
  window.addEventListener("pagehide", leave);
  window.addEventListener("online", () => {
    for (const place of places.values()) if (place.failures > 0) plan(place, 0);
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") for (const id of places.keys()) flush(id);
    else void lookAgain();
  });
}

/** Why a draft could not be saved, when the server said so. */
export const refusalOf = (id: string): ApiError | null => places.get(id)?.refusal ?? null;

/** Where a draft stands, … */
export const stateOf = (id: string): State => placeOf(id).state;

/** … told again whenever that changes. */
export function useDraftState(id: string): State {
  const place = placeOf(id);
  return useSyncExternalStore(
    (listener) => {
      place.listeners.add(listener);
      return () => place.listeners.delete(listener);
    },
    () => place.state,
  );
}
