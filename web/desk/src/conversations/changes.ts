// SPDX-License-Identifier: EUPL-1.2
//! Changes of a conversation: what is asked of the server, how the row looks meanwhile, and what brings
//! it back to what it was. No React here.

import type { ConversationRow, ConversationStatus, Queue, TagRef, UpdateConversation, UserRef } from "@belofte/api-client";

/** A change that is the same for one conversation and for many. */
export interface Change {
  patch: UpdateConversation;
  /** The row as it will be. */
  shown: (row: ConversationRow) => ConversationRow;
}

/** What only a row that is put off, or that came back, has. */
function standing(row: ConversationRow, status: ConversationStatus, until?: string): ConversationRow {
  const { snoozed_until, woken_at, ...rest } = row;
  return { ...rest, status, ...(until ? { snoozed_until: until } : {}) };
}

export const toStatus = (status: Exclude<ConversationStatus, "snoozed">): Change => ({
  patch: { status },
  shown: (row) => standing(row, status),
});

export const toSnooze = (until: Date): Change => ({
  patch: { status: "snoozed", snoozed_until: until.toISOString() },
  shown: (row) => standing(row, "snoozed", until.toISOString()),
});

export const toAssignee = (user: UserRef | null): Change => ({
  patch: { assignee_id: user?.id ?? null },
  shown: ({ assignee, ...row }) => (user ? { ...row, assignee: user } : row),
});

export const toQueue = (queue: Queue): Change => ({
  patch: { queue_id: queue.id },
  shown: (row) => ({ ...row, queue: { id: queue.id, name: queue.name } }),
});

export const toTag = (tag: TagRef, on: boolean): Change => ({
  patch: on ? { add_tag_ids: [tag.id] } : { remove_tag_ids: [tag.id] },
  shown: (row) => {
    const others = row.tags.filter((one) => one.id !== tag.id);
    const tags = on ? [...others, { id: tag.id, name: tag.name, colour: tag.colour }] : others;
    return { ...row, tags: tags.sort((a, b) => a.name.localeCompare(b.name)) };
  },
});

/** Whether a change would change anything of a row. */
export function concerns(row: ConversationRow, { patch }: Change): boolean {
  const has = (tag: string) => row.tags.some((one) => one.id === tag);
  return (
    (patch.status !== undefined && (patch.status !== row.status || patch.status === "snoozed")) ||
    (patch.assignee_id !== undefined && patch.assignee_id !== (row.assignee?.id ?? null)) ||
    (patch.queue_id !== undefined && patch.queue_id !== row.queue.id) ||
    (patch.add_tag_ids ?? []).some((tag) => !has(tag)) ||
    (patch.remove_tag_ids ?? []).some(has)
  );
}

/** What brings a row that was changed back to what it was, as of `now`. */
export function backTo(before: ConversationRow, { patch }: Change, now: Date): Change {
  const has = (tag: string) => before.tags.some((one) => one.id === tag);
  const back: UpdateConversation = {};
  if (patch.status !== undefined) {
    // What would have come back by now is open.
    const until = before.snoozed_until && new Date(before.snoozed_until) > now ? before.snoozed_until : undefined;
    back.status = before.status === "snoozed" && !until ? "open" : before.status;
    if (until) back.snoozed_until = until;
  }
  if (patch.assignee_id !== undefined) back.assignee_id = before.assignee?.id ?? null;
  if (patch.queue_id !== undefined) back.queue_id = before.queue.id;
  const added = (patch.add_tag_ids ?? []).filter((tag) => !has(tag));
  const removed = (patch.remove_tag_ids ?? []).filter(has);
  if (added.length > 0) back.remove_tag_ids = added;
  if (removed.length > 0) back.add_tag_ids = removed;
  return {
    patch: back,
    shown: (row) => {
      const { snoozed_until, woken_at, assignee, ...rest } = row;
      const of = back.status === undefined ? { snoozed_until, woken_at } : { snoozed_until: back.snoozed_until };
      const who = back.assignee_id === undefined ? assignee : before.assignee;
      const kept = Object.fromEntries(Object.entries({ ...of, assignee: who }).filter(([, value]) => value));
      return {
        ...rest,
        ...kept,
        status: back.status ?? row.status,
        queue: back.queue_id === undefined ? row.queue : before.queue,
        tags: added.length + removed.length > 0 ? before.tags : row.tags,
      };
    },
  };
}
