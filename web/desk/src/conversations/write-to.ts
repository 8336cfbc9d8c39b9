// SPDX-License-Identifier: EUPL-1.2
//! Somebody to whom a mail is begun from their own page. An address stands in no address of the desk: it waits in this
//! tab's private store until the new mail is there.

import type { Mailbox } from "@belofte/api-client";
import { expect } from "../app/hold";
import { keep, kept } from "../app/private-store";
import type { Draft } from "./draft";
import { contentOf } from "./draft-content";
import { once, sameAddress } from "./people";

const PLACE = "write-to";

/** Whoever calls it goes to the new mail; what is typed from here on is its subject. */
export function writeTo(whom: Mailbox) {
  expect("new mail");
  keep(PLACE, JSON.stringify({ name: whom.name, address: whom.address }));
}

/** Who waits to be written to. */
export function awaited(): Mailbox | null {
  try {
    const { name, address } = JSON.parse(kept(PLACE) ?? "null") as Partial<Mailbox>;
    return typeof address === "string" && address !== "" ? { name: typeof name === "string" ? name : "", address } : null;
  } catch {
    return null;
  }
}

export const received = () => keep(PLACE, null);

export interface Joined {
  draft: Draft;
  /** Whether there was a mail already, to which they were added. */
  joined: boolean;
}

/** They are one of its recipients, and all that was written stays; who gets a copy already gets no second one. */
export function withRecipient(draft: Draft, whom: Mailbox): Joined {
  const known = [...(draft.to ?? []), ...(draft.cc ?? []), ...draft.bcc].some((one) => sameAddress(one, whom));
  const begun = contentOf("mail", draft) !== null;
  if (known) return { draft, joined: false };
  return { draft: { ...draft, to: once([...(draft.to ?? []), whom]) }, joined: begun };
}
