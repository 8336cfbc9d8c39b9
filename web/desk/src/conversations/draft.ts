// SPDX-License-Identifier: EUPL-1.2
//! What is being written: one value, kept in this tab until the server has it (`draft-sync.ts`).

import type { Attachment, Mailbox, Uuid } from "@belofte/api-client";
import { keep, kept as keptText } from "../app/private-store";
import type { Named } from "./mentions";

/** How a mail goes out of a conversation. */
export type Way = "reply" | "all" | "forward";

export interface Draft {
  /** Whether the note is in front; what was written to others stays meanwhile. */
  noting: boolean;
  note: string;
  /** Colleagues who were chosen for the note; told are those whose names stand in it. */
  named: Named[];
  way: Way;
  text: string;
  /** The same with markup, when it is formatted; an upload that it shows stands there by its id. */
  html: string | null;
  /** The message that is answered or passed on; null is the newest of the customer. */
  answers: Uuid | null;
  /** Null is whom the way says. */
  to: Mailbox[] | null;
  cc: Mailbox[] | null;
  bcc: Mailbox[];
  /** Only of a mail that begins a conversation. */
  subject: string;
  /** The sender; null is the address that was written to. */
  account: Uuid | null;
  /** Whether the signature of the sender stands below it. */
  signed: boolean;
  /** The message that is passed on, in words; it stands below everything. */
  quoted: string | null;
  /** Its files that go along. */
  copies: Attachment[];
  files: Attachment[];
  /** The newest message when it was begun: what came after it may not have been read. */
  seen: Uuid | null;
  /** When the server kept what was begun elsewhere, in place of that. */
  savedAt: string | null;
}

export const EMPTY: Draft = {
  noting: false,
  note: "",
  named: [],
  way: "reply",
  text: "",
  html: null,
  answers: null,
  to: null,
  cc: null,
  bcc: [],
  subject: "",
  account: null,
  signed: true,
  quoted: null,
  copies: [],
  files: [],
  seen: null,
  savedAt: null,
};

const LISTS = ["bcc", "copies", "files", "named"] as const;

/** What was written in this tab, also when the server has it. */
const memory = new Map<string, Draft>();
let written: (id: string, draft: Draft) => void = () => undefined;

/** Tells of everything that is written; there is one who listens. */
export function whenWritten(then: (id: string, draft: Draft) => void) {
  written = then;
}

const nameOf = (id: string) => `writing.${id}`;

/** Whether something waits here that the server has not confirmed. */
export const kept = (id: string): boolean => keptText(nameOf(id)) !== null;

const baseOf = (id: string) => `writing-on.${id}`;

/** The server has it: the browser keeps no copy. */
export function confirm(id: string) {
  keep(nameOf(id), null);
  keep(baseOf(id), null);
  keep(flightsOf(id), null);
}

const flightsOf = (id: string) => `writing-sent.${id}`;

/** What is on its way to the server, for each kind: the page may go before the answer has come. */
export const keepFlight = (id: string, kind: string, print: string) => keep(flightsOf(id), JSON.stringify({ ...keptFlights(id), [kind]: print }));

export function keptFlights(id: string): Record<string, string> {
  try {
    return (JSON.parse(keptText(flightsOf(id)) ?? "null") as Record<string, string> | null) ?? {};
  } catch {
    return {};
  }
}

/** On which versions of the server the copy stands. */
export const keepVersions = (id: string, versions: Record<string, number>) => keep(baseOf(id), JSON.stringify(versions));

export function keptVersions(id: string): Record<string, number> | null {
  try {
    return JSON.parse(keptText(baseOf(id)) ?? "null") as Record<string, number> | null;
  } catch {
    return null;
  }
}

/** Nobody's any more. */
export const forgetWritten = () => memory.clear();

export function readDraft(id: string): Draft {
  const known = memory.get(id);
  if (known) return known;
  const text = keptText(nameOf(id));
  if (!text) return EMPTY;
  try {
    const draft = { ...EMPTY, ...(JSON.parse(text) as Partial<Draft>) };
    if (!LISTS.every((name) => Array.isArray(draft[name]))) return EMPTY;
    // It is what is written here also when the server has it, and the browser's copy is gone.
    memory.set(id, draft);
    return draft;
  } catch {
    return EMPTY;
  }
}

export function writeDraft(id: string, draft: Draft) {
  const before = readDraft(id);
  const { noting, signed, seen, savedAt, ...said } = draft;
  const bare = Object.entries(said).every(([name, value]) =>
    Array.isArray(value) ? value.length === 0 : value === EMPTY[name as keyof Draft],
  );
  memory.set(id, draft);
  keep(nameOf(id), bare ? null : JSON.stringify(draft));
  if (before !== draft) written(id, draft);
}

/** What is left when the note, or the mail, has gone. */
export function sent(draft: Draft, note: boolean): Draft {
  return note ? { ...draft, note: "", named: [], noting: false, files: [] } : { ...EMPTY, note: draft.note, named: draft.named };
}

/** Another way: its recipients and what it takes along begin anew, the words stay. */
export function turned(draft: Draft, way: Way, answers: Uuid | null): Draft {
  if (draft.way === way && draft.answers === answers) return { ...draft, noting: false };
  return { ...draft, noting: false, way, answers, to: null, cc: null, quoted: null, copies: [] };
}
