// SPDX-License-Identifier: EUPL-1.2
//! What is fetched of people, and what becomes of it when somebody changes one.

import type { Contact, Conversation, FindContacts, RecordField, Uuid } from "@belofte/api-client";
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { api } from "../app/api";
import { patchLists, rowOf } from "../app/lists";
import { keys, queryClient } from "../app/queries";
import { mergeHead, PAGE, type Pages, withName } from "./rows";

/** What a list is asked for, without the place in it. */
export type Ask = Omit<FindContacts, "cursor" | "limit">;

/** Of everybody, who came last first: the one list that is cheap to ask for again. */
export const isPlain = (ask: Ask) => !ask.q && !ask.conditions?.length && !ask.order;

export const contactsQuery = (ask: Ask) =>
  infiniteQueryOptions({
    queryKey: [...keys.contacts, ask] as const,
    queryFn: ({ pageParam, signal }) =>
      api.contacts.find({ ...ask, limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}) }, signal),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor || undefined,
    staleTime: 60_000,
    // Words that were looked for are not kept longer than somebody may come back to them.
    gcTime: 2 * 60_000,
  });

export const contactQuery = (id: Uuid) =>
  queryOptions({ queryKey: keys.contact(id), queryFn: ({ signal }) => api.contacts.get(id, signal) });

export const contactConversationsQuery = (id: Uuid) =>
  infiniteQueryOptions({
    queryKey: keys.contactConversations(id),
    queryFn: ({ pageParam, signal }) =>
      api.contacts.conversations(id, { limit: 20, ...(pageParam ? { cursor: pageParam } : {}) }, signal),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor || undefined,
  });

const fieldKey = [...keys.fields, "contact"] as const;

/** The fields of people that this user reads, with nothing in them. */
export const contactFieldsQuery = queryOptions({
  queryKey: fieldKey,
  queryFn: ({ signal }): Promise<RecordField[]> => api.fields.readable("contact", signal).then(({ items }) => items),
});

/** Puts a new name in every place where the old one is loaded. */
export function renamed(contact: Contact, changed: Contact, me: Uuid, conversation?: Conversation) {
  if (conversation) {
    const next = { ...conversation, contact: { ...contact, ...changed } };
    queryClient.setQueryData(keys.conversation(conversation.id), next);
    patchLists(rowOf(next), me);
  } else void queryClient.invalidateQueries({ queryKey: ["conversation"] });
  queryClient.setQueryData(contactQuery(contact.id).queryKey, (old) => old && { ...old, ...changed });
  queryClient.setQueriesData<Pages>({ queryKey: keys.contacts }, (old) => old && withName(old, changed));
  void queryClient.invalidateQueries({ queryKey: keys.lists });
}

let changedAt = 0;
const listeners = new Set<() => void>();

/**
 * Somebody changed or is new. The list of who came last is brought up to date; one with a filter or another order looks
 * through everybody, so that its reader says when.
 */
export async function contactsChanged(): Promise<void> {
  changedAt = Date.now();
  for (const listener of listeners) listener();
  const queries = queryClient.getQueryCache().findAll({ queryKey: keys.contacts });
  await Promise.all(
    queries.map(async (query) => {
      const key = query.queryKey;
      const ask = key[1] as Ask;
      if (!query.isActive() || !isPlain(ask)) {
        await queryClient.invalidateQueries({ queryKey: key, exact: true, refetchType: "none" });
        return;
      }
      try {
        const head = await api.contacts.find({ ...ask, limit: PAGE });
        const loaded = queryClient.getQueryData<Pages>(key);
        if (!loaded) return;
        const next = mergeHead(loaded, head);
        // Further down they are as old as they were, and the page says so.
        queryClient.setQueryData<Pages>(key, next, next.pages.length > 1 ? { updatedAt: query.state.dataUpdatedAt } : {});
      } catch {
        // The list keeps what it has; the next look fetches it whole.
        await queryClient.invalidateQueries({ queryKey: key, exact: true, refetchType: "none" });
      }
    }),
  );
}

/** Whether somebody changed since this moment, in milliseconds; 0 for one that has not come. */
export function useChangedSince(at: number): boolean {
  const last = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => changedAt,
  );
  return at > 0 && last > at;
}
