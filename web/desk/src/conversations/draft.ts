// SPDX-License-Identifier: EUPL-1.2
//! What is being written: one value, kept in this tab until it is sent.

import type { Attachment, Mailbox, Uuid } from "@belofte/api-client";
import { keep, kept } from "../app/private-store";

/** How a mail goes out of a conversation. */
export type Way = "reply" | "all" | "forward";

export interface Draft {
  /** Whether the note is in front; what was written to others stays meanwhile. */
  noting: boolean;
  note: string;
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
}

export const EMPTY: Draft = {
  noting: false,
  note: "",
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
};

const LISTS = ["bcc", "copies", "files"] as const;

export function readDraft(id: string): Draft {
  const text = kept(`writing.${id}`);
  if (!text) return EMPTY;
  try {
    const draft = { ...EMPTY, ...(JSON.parse(text) as Partial<Draft>) };
    return LISTS.every((name) => Array.isArray(draft[name])) ? draft : EMPTY;
  } catch {
    return EMPTY;
  }
}

export function writeDraft(id: string, draft: Draft) {
  const { noting, signed, ...said } = draft;
  const bare = Object.entries(said).every(([name, value]) =>
    Array.isArray(value) ? value.length === 0 : value === EMPTY[name as keyof Draft],
  );
  keep(`writing.${id}`, bare ? null : JSON.stringify(draft));
}

/** What is left when the note, or the mail, has gone. */
export function sent(draft: Draft, note: boolean): Draft {
  return note ? { ...draft, note: "", noting: false, files: [] } : { ...EMPTY, note: draft.note };
}

/** Another way: its recipients and what it takes along begin anew, the words stay. */
export function turned(draft: Draft, way: Way, answers: Uuid | null): Draft {
  if (draft.way === way && draft.answers === answers) return { ...draft, noting: false };
  return { ...draft, noting: false, way, answers, to: null, cc: null, quoted: null, copies: [] };
}
