// SPDX-License-Identifier: EUPL-1.2
//! Keeps loaded conversation lists true without fetching all their pages again.

import {
  ApiError,
  type Conversation,
  type ConversationQuery,
  type ConversationRow,
  type Page,
  type Uuid,
} from "@belofte/api-client";
import type { InfiniteData } from "@tanstack/react-query";
import { api } from "./api";
import { keys, queryClient, sessionQuery } from "./queries";

export type ListData = InfiniteData<Page<ConversationRow>, string>;

/** The row of a conversation that was fetched whole. */
export function rowOf(whole: Conversation): ConversationRow {
  const { participants, threads, other_conversations, contact, ...row } = whole;
  return {
    ...row,
    contact: { id: contact.id, name: contact.name, address: contact.identities[0]?.value ?? "" },
  };
}

/** Whether a row belongs in a list. `me` is the id of the signed-in user. */
export function belongs(row: ConversationRow, filter: ConversationQuery, me: Uuid): boolean {
  if (filter.status && filter.status !== "all" && row.status !== filter.status) return false;
  if (filter.queue && row.queue.id !== filter.queue) return false;
  if (filter.tag && !row.tags.some((tag) => tag.id === filter.tag)) return false;
  switch (filter.assignee) {
    case undefined:
    case "any":
      return true;
    case "none":
      return !row.assignee;
    case "me":
      return row.assignee?.id === me;
    default:
      return row.assignee?.id === filter.assignee;
  }
}

/**
 * Lays a fresh first page over what was loaded. Rows further down stay, except
 * those that moved up to the first page or fell out of it.
 */
export function mergeHead(old: ListData, head: Page<ConversationRow>): ListData {
  const fresh = new Set(head.items.map((row) => row.id));
  const end = head.items.at(-1)?.placed_at ?? "";
  if (!head.next_cursor || old.pages.length <= 1) return { pages: [head], pageParams: [""] };
  const rest = old.pages
    .flatMap((page) => page.items)
    .filter((row) => !fresh.has(row.id) && row.placed_at <= end);
  const last = old.pages.at(-1);
  return {
    pages: [
      { items: head.items, next_cursor: head.next_cursor },
      { items: rest, next_cursor: last?.next_cursor ?? null },
    ],
    pageParams: ["", old.pageParams.at(-1) ?? ""],
  };
}

/** Puts a changed row in its place in every loaded list, or takes it out. */
export function patchLists(row: ConversationRow, me: Uuid) {
  for (const [key, data] of queryClient.getQueriesData<ListData>({ queryKey: keys.lists })) {
    if (!data) continue;
    const filter = key[1] as ConversationQuery;
    const stays = belongs(row, filter, me);
    queryClient.setQueryData<ListData>(key, {
      ...data,
      pages: data.pages.map((page) => ({
        ...page,
        items: page.items.flatMap((old) => (old.id !== row.id ? [old] : stays ? [row] : [])),
      })),
    });
  }
}

/** Takes a conversation out of every loaded list. */
function dropFromLists(id: Uuid) {
  queryClient.setQueriesData<ListData>({ queryKey: keys.lists }, (data) =>
    data
      ? {
          ...data,
          pages: data.pages.map((page) => ({
            ...page,
            items: page.items.filter((row) => row.id !== id),
          })),
        }
      : data,
  );
}

async function refreshRow(id: Uuid): Promise<void> {
  const session = queryClient.getQueryData(sessionQuery.queryKey);
  if (!session) return;
  try {
    const whole = await api.conversations.get(id);
    // It became part of another one, whose row this is.
    if (whole.id !== id) dropFromLists(id);
    patchLists(rowOf(whole), session.user.id);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) dropFromLists(id);
  }
}

/** Above this many changed rows outside the first page a whole fetch is cheaper. */
const SINGLY = 8;

/**
 * Brings the lists on screen up to date: their first page is fetched, and rows
 * further down that changed are fetched one by one. Lists that are not on
 * screen are fetched when they are opened.
 */
export async function refreshHeads(changed: ReadonlySet<Uuid>): Promise<void> {
  const further = new Set<Uuid>();
  const queries = queryClient.getQueryCache().findAll({ queryKey: keys.lists });
  await Promise.all(
    queries.map(async (query) => {
      const key = query.queryKey;
      if (!query.isActive()) {
        await queryClient.invalidateQueries({ queryKey: key, exact: true, refetchType: "none" });
        return;
      }
      try {
        const head = await api.conversations.list({ ...(key[1] as ConversationQuery), limit: 50 });
        queryClient.setQueryData<ListData>(key, (old) => (old ? mergeHead(old, head) : old));
        const fresh = new Set(head.items.map((row) => row.id));
        for (const page of queryClient.getQueryData<ListData>(key)?.pages ?? []) {
          for (const row of page.items) if (changed.has(row.id) && !fresh.has(row.id)) further.add(row.id);
        }
      } catch {
        // The list keeps what it has and is marked stale: the next look fetches it whole.
        await queryClient.invalidateQueries({ queryKey: key, exact: true, refetchType: "none" });
      }
    }),
  );
  if (further.size > SINGLY) await queryClient.invalidateQueries({ queryKey: keys.lists });
  else await Promise.all([...further].map(refreshRow));
}
