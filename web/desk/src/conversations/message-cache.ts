// SPDX-License-Identifier: EUPL-1.2

import type { Message, Page } from "@belofte/api-client";
import type { InfiniteData } from "@tanstack/react-query";
import { keys, queryClient } from "../app/queries";

type Pages = InfiniteData<Page<Message>, string>;

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
