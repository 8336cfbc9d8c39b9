// SPDX-License-Identifier: EUPL-1.2
//! Over what macros are offered at the moment. What the choice shows is fetched when it is wanted.

import type { Uuid } from "@belofte/api-client";
import { useSyncExternalStore } from "react";
import { expect } from "../app/hold";

/** Over what macros are offered: conversations, or the mail that begins one; perhaps one of them at once. */
export interface Offered {
  ids: Uuid[];
  chosen?: Uuid | undefined;
  /** Only what they do: these are chosen in a list. */
  bulk?: boolean;
}

let current: Offered | null = null;
const listeners = new Set<() => void>();

export function offerMacros(next: Offered | null) {
  current = next;
  for (const listener of listeners) listener();
}

export const useOffered = (): Offered | null =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );

/** Opens the choice; what is typed from here on narrows it. */
export function askForMacros(ids: Uuid[], bulk = false) {
  expect("macro");
  offerMacros({ ids, bulk });
}
