// SPDX-License-Identifier: EUPL-1.2

import type { Conversation, ConversationRow } from "@belofte/api-client";
import { rowOf } from "./lists";
import { queryClient } from "./queries";

const MOST = 5;

/** Conversations looked at since the desk was opened, newest first; kept nowhere but in memory. */
export function recentConversations(except: string | undefined): ConversationRow[] {
  return queryClient
    .getQueryCache()
    .findAll({ queryKey: ["conversation"] })
    .filter((query) => query.state.data !== undefined && query.queryKey[1] !== except)
    .sort((a, b) => b.state.dataUpdatedAt - a.state.dataUpdatedAt)
    .slice(0, MOST)
    .map((query) => rowOf(query.state.data as Conversation));
}
