// SPDX-License-Identifier: EUPL-1.2
//! Changes of one conversation by one person follow each other. Who resolves, takes it back and
//! resolves again within a second has not come in their own way: each change is made on what the one
//! before it left.

import type { Uuid } from "@belofte/api-client";

const last = new Map<Uuid, Promise<number>>();

/**
 * Sends a change of `id` when those before it are through. `send` gets the version to make it on: that
 * of the change before it, or `version`, whichever is newer; it gives the version that it made.
 */
export async function inTurn<Done extends { version: number }>(
  id: Uuid,
  version: number,
  send: (version: number) => Promise<Done>,
): Promise<Done> {
  const earlier = last.get(id);
  const sent = earlier ? earlier.then((left) => send(Math.max(left, version))) : send(version);
  // One that was refused left what it found.
  const left = sent.then((done) => done.version).catch(() => version);
  last.set(id, left);
  void left.then(() => {
    if (last.get(id) === left) last.delete(id);
  });
  return sent;
}
