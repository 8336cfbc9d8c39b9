// SPDX-License-Identifier: EUPL-1.2
//! Where a conversation is to stand after an answer that a macro wrote. An answer by itself makes it wait for the
//! customer; whoever used a macro that says and resolves means both.

import type { ConversationStatus, Uuid } from "@belofte/api-client";

export interface After {
  status: ConversationStatus;
  snoozed_until?: string;
}

const kept = new Map<Uuid, After>();

export function keepAfter(id: Uuid, after: After | null) {
  if (after) kept.set(id, after);
  else kept.delete(id);
}

/** Where it is to stand, as long as it stands there: whoever changed it since meant that. */
export function afterOf(id: Uuid, now: ConversationStatus | undefined): After | null {
  const after = kept.get(id);
  return after && after.status === now ? after : null;
}

/** Nobody's any more. */
export const forgetAfter = () => kept.clear();
