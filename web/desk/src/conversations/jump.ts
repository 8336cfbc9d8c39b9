// SPDX-License-Identifier: EUPL-1.2
//! The way to one message of a conversation, for who is told of it.

import type { Uuid } from "@belofte/api-client";
import { useSyncExternalStore } from "react";

let wanted: { conversation: Uuid; message: Uuid } | null = null;
const listeners = new Set<() => void>();

function set(next: typeof wanted) {
  wanted = next;
  for (const listener of listeners) listener();
}

/** Shows this message as soon as its conversation is there. */
export const jumpTo = (conversation: Uuid, message: Uuid) => set({ conversation, message });

/** It is shown, or is not there. */
export function jumped(conversation: Uuid) {
  if (wanted?.conversation === conversation) set(null);
}

/** The message of this conversation that is to be shown. */
export const useJump = (conversation: Uuid): Uuid | null =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => (wanted?.conversation === conversation ? wanted.message : null),
  );
