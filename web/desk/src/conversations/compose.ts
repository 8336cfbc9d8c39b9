// SPDX-License-Identifier: EUPL-1.2
//! Brings the cursor into the composer of a conversation, also of one that is still opening.

import type { Uuid } from "@belofte/api-client";
import { arrive, expect } from "../app/hold";

export type Kind = "reply" | "note";

type Write = (kind: Kind, text: string) => void;

const composers = new Map<Uuid, Write>();
let asked: Kind = "reply";

/** Begins a reply or a note. What is typed from here on is its text. */
export function compose(id: Uuid, kind: Kind) {
  const write = composers.get(id);
  if (write) return write(kind, "");
  asked = kind;
  expect(`composer ${id}`);
}

/** A composer is there; `write` gets what was typed for it meanwhile. Returns how to leave. */
export function join(id: Uuid, write: Write): () => void {
  composers.set(id, write);
  const text = arrive(`composer ${id}`);
  if (text !== null) write(asked, text);
  return () => {
    if (composers.get(id) === write) composers.delete(id);
  };
}
