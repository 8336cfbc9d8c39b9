// SPDX-License-Identifier: EUPL-1.2
//! What is done with whole conversations: merging, linking, splitting and moving to another mailbox. What
//! asks for it opens a dialogue; what was done is told with a way back.

import type { ConversationRow, Sender, Uuid } from "@belofte/api-client";
import { useSyncExternalStore } from "react";
import { api } from "../app/api";
import { keys, queryClient } from "../app/queries";
import { explainShort } from "../app/states";
import { toast } from "../app/toasts";
import type { Words } from "../i18n";

/** What is asked for, over which conversation; a split begins with a message. */
export interface Arrangement {
  what: "merge" | "link" | "split" | "mailbox";
  id: Uuid;
  message?: Uuid;
}

let current: Arrangement | null = null;
const listeners = new Set<() => void>();

export function arrange(next: Arrangement | null) {
  current = next;
  for (const listener of listeners) listener();
}

export const useArrangement = (): Arrangement | null =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );

/** Everything that may show one of these conversations is fetched again. */
export async function refresh(...ids: Uuid[]): Promise<void> {
  const stale = ids.flatMap((id) => [
    keys.conversation(id),
    keys.messages(id),
    keys.activity(id),
    keys.related(id),
  ]);
  await Promise.all(
    [...stale, keys.lists, keys.counts].map((queryKey) =>
      queryClient.invalidateQueries({ queryKey }),
    ),
  );
}

/** Tells what went wrong; whether it went well. */
async function tried(words: Words, act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    toast(explainShort(error, words), { bad: true });
    return false;
  }
}

export async function takeApart(target: Uuid, parts: Uuid[], words: Words): Promise<void> {
  const done = await tried(words, () =>
    api.conversations.unmerge(target, { conversation_ids: parts }),
  );
  if (!done) return;
  await refresh(target, ...parts);
  toast(words.t("did.unmerged"));
}

/** Makes `other` part of `target`. */
export async function merge(
  target: ConversationRow,
  other: ConversationRow,
  words: Words,
): Promise<void> {
  const otherContacts = target.contact.id !== other.contact.id;
  await api.conversations.merge(target.id, {
    conversation_ids: [other.id],
    other_contacts: otherContacts,
  });
  await refresh(target.id, other.id);
  toast(words.t("did.merged", { no: String(other.no), into: String(target.no) }), {
    life: 12_000,
    undo: () => void takeApart(target.id, [other.id], words),
  });
}

export async function split(
  from: ConversationRow,
  messages: Uuid[],
  subject: string,
  words: Words,
  back: (id: Uuid) => void,
): Promise<ConversationRow> {
  const made = await api.conversations.split(from.id, {
    message_ids: messages,
    ...(subject ? { subject } : {}),
  });
  await refresh(from.id, made.id);
  toast(words.t("did.split", { count: messages.length, no: String(made.no) }), {
    life: 12_000,
    undo: () =>
      void tried(words, () => api.conversations.unsplit(made.id)).then(async (done) => {
        if (!done) return;
        back(from.id);
        await refresh(from.id, made.id);
        toast(words.t("did.unsplit"));
      }),
  });
  return made;
}

export async function link(
  one: ConversationRow,
  other: ConversationRow,
  linked: boolean,
  words: Words,
): Promise<void> {
  await api.conversations.link(one.id, other.id, linked);
  await refresh(one.id, other.id);
  const no = String(other.no);
  toast(linked ? words.t("did.linked", { no }) : words.t("did.unlinked", { no }), {
    undo: () =>
      void tried(words, () => api.conversations.link(one.id, other.id, !linked)).then(() =>
        refresh(one.id, other.id),
      ),
  });
}

export async function toMailbox(
  row: ConversationRow,
  mailbox: Sender,
  words: Words,
): Promise<void> {
  const before = { channel_account_id: row.channel_account_id, queue_id: row.queue.id };
  const moved = await api.conversations.change(row.id, {
    channel_account_id: mailbox.id,
    version: row.version,
  });
  await refresh(row.id);
  toast(words.t("did.to_mailbox", { address: mailbox.address }), {
    undo: () =>
      void tried(words, () =>
        api.conversations.change(row.id, { ...before, version: moved.version }),
      ).then(() => refresh(row.id)),
  });
}
