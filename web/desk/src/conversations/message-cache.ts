// SPDX-License-Identifier: EUPL-1.2

import type { Message, Page, Uuid } from "@belofte/api-client";
import type { InfiniteData } from "@tanstack/react-query";
import { api } from "../app/api";
import { keys, queryClient } from "../app/queries";

export type Pages = InfiniteData<Page<Message>, string>;

/** Puts the new state of a message in place of the old one. */
export function replaceMessage(message: Message) {
  queryClient.setQueryData<Pages>(keys.messages(message.conversation_id), (old) =>
    old
      ? {
          ...old,
          pages: old.pages.map((page) => ({
            ...page,
            items: page.items.map((one) => (one.id === message.id ? message : one)),
          })),
        }
      : old,
  );
}

/** Adds a message that was just sent to the newest page, unless a live event was quicker. */
export function appendMessage(message: Message) {
  queryClient.setQueryData<Pages>(keys.messages(message.conversation_id), (old) => {
    if (!old) return old;
    const [newest, ...older] = old.pages;
    if (!newest || newest.items.some((one) => one.id === message.id)) return old;
    return { ...old, pages: [{ ...newest, items: [...newest.items, message] }, ...older] };
  });
}

/** What was taken back here: an answer that was under way meanwhile still holds it. */
const takenBack = new Set<Uuid>();

/** Takes a message away that was taken back, for good. */
export async function removeMessage(message: Message): Promise<void> {
  takenBack.add(message.id);
  const queryKey = keys.messages(message.conversation_id);
  await queryClient.cancelQueries({ queryKey });
  queryClient.setQueryData<Pages>(queryKey, (old) =>
    old
      ? { ...old, pages: old.pages.map((page) => ({ ...page, items: page.items.filter((one) => one.id !== message.id) })) }
      : old,
  );
  void queryClient.invalidateQueries({ queryKey });
}

/**
 * Lays a fresh newest page over what was loaded, older pages included. Null when
 * the two do not meet: then messages between them are missing.
 */
export function mergeNewest(old: Pages, head: Page<Message>): Pages | null {
  if (old.pages.length <= 1) return { pages: [head], pageParams: [""] };
  const loaded = new Set(old.pages.flatMap((page) => page.items.map((one) => one.id)));
  if (!head.items.some((one) => loaded.has(one.id))) return null;
  const fresh = new Map(head.items.map((one) => [one.id, one]));
  const added = head.items.filter((one) => !loaded.has(one.id));
  return {
    ...old,
    pages: old.pages.map((page, index) => ({
      ...page,
      items: [...page.items.map((one) => fresh.get(one.id) ?? one), ...(index === 0 ? added : [])],
    })),
  };
}

/**
 * Brings a conversation on screen up to date with one request, however much of it is loaded.
 * `touched` are the messages that changed; one further back than the newest page costs them all.
 */
export async function refreshMessages(id: Uuid, touched: ReadonlySet<Uuid>): Promise<void> {
  const queryKey = keys.messages(id);
  const loaded = queryClient.getQueryData<Pages>(queryKey);
  const active = queryClient.getQueryCache().find({ queryKey })?.isActive() ?? false;
  if (!loaded || !active || loaded.pages.length <= 1) {
    await queryClient.invalidateQueries({ queryKey });
    return;
  }
  try {
    const asked = await api.conversations.messages(id);
    const head = { ...asked, items: asked.items.filter((one) => !takenBack.has(one.id)) };
    const merged = mergeNewest(loaded, head);
    const held = new Set(head.items.map((one) => one.id));
    const further = loaded.pages.some((page) => page.items.some((one) => touched.has(one.id) && !held.has(one.id)));
    if (merged && !further) {
      queryClient.setQueryData<Pages>(queryKey, (now) => (now && mergeNewest(now, head)) ?? merged);
      return;
    }
  } catch {
    // The whole fetch below tells what is wrong.
  }
  await queryClient.invalidateQueries({ queryKey });
}
