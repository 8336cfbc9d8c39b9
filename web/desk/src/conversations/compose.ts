// SPDX-License-Identifier: EUPL-1.2
//! Brings the cursor into the composer of a conversation, also of one that is still opening.

import type { Uuid } from "@belofte/api-client";
import { arrive, expect } from "../app/hold";
import type { Way } from "./draft";

export type Kind = Way | "note";

type Write = (kind: Kind, text: string, message: Uuid | null) => void;

const composers = new Map<Uuid, Write>();
let asked: { kind: Kind; message: Uuid | null } = { kind: "reply", message: null };

/**
 * Begins a reply, passes a message on, or begins a note. What is typed from here on is its text.
 * Without a message the newest of the customer is meant.
 */
export function compose(id: Uuid, kind: Kind, message: Uuid | null = null) {
  const write = composers.get(id);
  if (write) return write(kind, "", message);
  asked = { kind, message };
  expect(`composer ${id}`);
}

/** A composer is there; `write` gets what was typed for it meanwhile. Returns how to leave. */
export function join(id: Uuid, write: Write): () => void {
  composers.set(id, write);
  const text = arrive(`composer ${id}`);
  if (text !== null) write(asked.kind, text, asked.message);
  return () => {
    if (composers.get(id) === write) composers.delete(id);
  };
}
