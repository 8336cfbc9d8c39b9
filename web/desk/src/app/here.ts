// SPDX-License-Identifier: EUPL-1.2

import type { Uuid } from "@belofte/api-client";
import { useRouter } from "@tanstack/react-router";
import { useCallback } from "react";

/** What stands in an address in the place of a conversation while one is begun. */
export const NEW = "new";

/** The conversation that an address names. */
export function conversationIn(path: string): Uuid | undefined {
  const found = /^\/(?:inbox\/[^/]+|search)\/([^/]+)\/?$/.exec(path)?.[1];
  return found === NEW ? undefined : found;
}

/**
 * Tells which conversation is open, or is being opened. Keys follow each other quicker than
 * views do: what the last one asked for counts, whether it is on screen yet or not.
 */
export function useHere(): () => Uuid | undefined {
  const router = useRouter();
  return useCallback(() => conversationIn(router.history.location.pathname), [router]);
}
