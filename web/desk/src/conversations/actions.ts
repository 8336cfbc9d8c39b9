// SPDX-License-Identifier: EUPL-1.2
//! What is done with conversations, one or many: shown at once, undone with one key, put right when the
//! server disagrees.

import type {
  Conversation,
  ConversationRow,
  ConversationStatus,
  Queue,
  TagRef,
  UpdatedOne,
  UserRef,
  Uuid,
} from "@belofte/api-client";
import { useMemo } from "react";
import { api } from "../app/api";
import { type ListData, patchLists, rowOf } from "../app/lists";
import { keys, queryClient } from "../app/queries";
import { useSession } from "../app/session";
import { explainShort } from "../app/states";
import { toast } from "../app/toasts";
import { useWords, type Words } from "../i18n";
import {
  backTo,
  type Change,
  concerns,
  toAssignee,
  toQueue,
  toSnooze,
  toStatus,
  toTag,
} from "./changes";
import { inTurn } from "./turns";

/** So many conversations are changed at once, and no more. */
export const MOST_AT_ONCE = 200;

export function findRow(id: Uuid): ConversationRow | null {
  const whole = queryClient.getQueryData<Conversation>(keys.conversation(id));
  if (whole) return rowOf(whole);
  for (const [, data] of queryClient.getQueriesData<ListData>({ queryKey: keys.lists })) {
    for (const page of data?.pages ?? []) {
      const row = page.items.find((one) => one.id === id);
      if (row) return row;
    }
  }
  return null;
}

/** What a row may lack: what it had before is gone with it. */
const ABSENT = {
  assignee: undefined,
  snoozed_until: undefined,
  woken_at: undefined,
  waiting_since: undefined,
};

export function show(row: ConversationRow, me: Uuid) {
  queryClient.setQueryData<Conversation>(keys.conversation(row.id), (old) =>
    old ? ({ ...old, ...ABSENT, ...row, contact: old.contact } as Conversation) : old,
  );
  patchLists(row, me);
}

function settle(ids: Uuid[]) {
  void queryClient.invalidateQueries({ queryKey: keys.counts });
  for (const id of ids) void queryClient.invalidateQueries({ queryKey: keys.activity(id) });
}

const nameOf = (row: ConversationRow) => row.contact.name || row.contact.address;

/** What one change of one conversation came to. */
interface One {
  before: ConversationRow;
  change: Change;
}

/** The answer as it is: what was done has the version to undo it on. */
interface Result {
  done: { before: ConversationRow; version: number }[];
  /** Somebody else was first, or it is gone. */
  not: ConversationRow[];
}

async function applyOne({ before, change }: One, me: Uuid, words: Words): Promise<Result | null> {
  const lists = queryClient.getQueriesData<ListData>({ queryKey: keys.lists });
  show(change.shown(before), me);
  try {
    const after = await inTurn(before.id, before.version, (version) => {
      // The answer to the one before it has shown what that one made.
      if (version !== before.version) show(change.shown({ ...before, version }), me);
      return api.conversations.change(before.id, { ...change.patch, version });
    });
    show(after, me);
    settle([before.id]);
    return { done: [{ before, version: after.version }], not: [] };
  } catch (error) {
    for (const [key, data] of lists) queryClient.setQueryData(key, data);
    show(before, me);
    void queryClient.invalidateQueries({ queryKey: keys.conversation(before.id) });
    void queryClient.invalidateQueries({ queryKey: keys.lists });
    // The conversation may have left the screen already, so the notice names it.
    toast(words.t("did.not_changed", { who: nameOf(before), reason: explainShort(error, words) }), {
      bad: true,
    });
    return null;
  }
}

async function applyMany(all: One[], me: Uuid, words: Words): Promise<Result | null> {
  const lists = queryClient.getQueriesData<ListData>({ queryKey: keys.lists });
  for (const { before, change } of all) show(change.shown(before), me);
  let answers: UpdatedOne[];
  try {
    answers = (
      await api.conversations.bulk(
        all.map(({ before, change }) => ({
          id: before.id,
          change: { ...change.patch, version: before.version },
        })),
      )
    ).items;
  } catch (error) {
    for (const [key, data] of lists) queryClient.setQueryData(key, data);
    for (const { before } of all) show(before, me);
    void queryClient.invalidateQueries({ queryKey: keys.lists });
    toast(words.t("bulk.failed", { count: all.length, reason: explainShort(error, words) }), {
      bad: true,
    });
    return null;
  }
  const result: Result = { done: [], not: [] };
  all.forEach(({ before, change }, at) => {
    const version = answers[at]?.version;
    if (version === undefined || version === null) {
      result.not.push(before);
      void queryClient.invalidateQueries({ queryKey: keys.conversation(before.id) });
      return;
    }
    show({ ...change.shown(before), version }, me);
    result.done.push({ before, version });
  });
  // What others have changed is fetched, and not guessed.
  if (result.not.length > 0) void queryClient.invalidateQueries({ queryKey: keys.lists });
  settle(all.map(({ before }) => before.id));
  return result;
}

export interface Actions {
  setStatus: (ids: Uuid[] | Uuid, status: Exclude<ConversationStatus, "snoozed">) => Promise<void>;
  snooze: (ids: Uuid[] | Uuid, until: Date) => Promise<void>;
  assign: (ids: Uuid[] | Uuid, user: UserRef | null) => Promise<void>;
  move: (ids: Uuid[] | Uuid, queue: Queue) => Promise<void>;
  tag: (ids: Uuid[] | Uuid, tag: TagRef, on: boolean) => Promise<void>;
  /** What a macro does. */
  use: (ids: Uuid[], change: Change, name: string) => Promise<void>;
}

export function useActions(): Actions {
  const words = useWords();
  const session = useSession();
  return useMemo(() => {
    const { t } = words;
    const me = session.user.id;
    /** `said` is what the notice says of one conversation, or of many. */
    async function run(
      ids: Uuid[] | Uuid,
      change: Change,
      said: { one: (row: ConversationRow) => string; many: (count: number) => string },
    ) {
      const rows = (typeof ids === "string" ? [ids] : ids).flatMap((id) => findRow(id) ?? []);
      const wanted = rows.filter((row) => concerns(row, change)).slice(0, MOST_AT_ONCE);
      const [first] = wanted;
      if (!first) return;
      const single = wanted.length === 1;
      const all = wanted.map((before) => ({ before, change }));
      const result = single
        ? await applyOne({ before: first, change }, me, words)
        : await applyMany(all, me, words);
      if (!result) return;
      if (result.not.length > 0)
        toast(t("bulk.not_changed", { count: result.not.length }), { bad: true });
      if (result.done.length === 0) return;
      toast(single ? said.one(first) : said.many(result.done.length), {
        undo: () => {
          const now = new Date();
          // Of many, on the version that the change made: what somebody has changed since then stays theirs,
          // and nobody looks through fourteen for it. Of one it is in sight, as it is now.
          const backs = result.done.map(({ before, version }) => {
            const row = findRow(before.id) ?? change.shown(before);
            return {
              before: single ? row : { ...row, version },
              change: backTo(before, change, now),
            };
          });
          const [only] = backs;
          if (!only) return;
          const undone =
            backs.length === 1 ? applyOne(only, me, words) : applyMany(backs, me, words);
          void undone.then((back) => {
            if (!back) return;
            if (back.not.length > 0)
              toast(t("bulk.not_undone", { count: back.not.length }), { bad: true });
            // What had left a list is put back by fetching, not by guessing its place.
            void queryClient.invalidateQueries({ queryKey: keys.lists });
          });
        },
      });
    }
    const STATUS = {
      open: ["did.reopened", "bulk.reopened"],
      waiting: ["did.waiting", "bulk.waiting"],
      resolved: ["did.resolved", "bulk.resolved"],
    } as const;
    return {
      setStatus: (ids, status) => {
        const [one, many] = STATUS[status];
        return run(ids, toStatus(status), {
          one: (row) => t(one, { who: nameOf(row) }),
          many: (count) => t(many, { count }),
        });
      },
      snooze: (ids, until) => {
        const time = words.moment(until.toISOString(), new Date());
        return run(ids, toSnooze(until), {
          one: (row) => t("did.snoozed", { who: nameOf(row), time }),
          many: (count) => t("bulk.snoozed", { count, time }),
        });
      },
      assign: (ids, user) =>
        run(ids, toAssignee(user), {
          one: () => (user ? t("did.assigned", { name: user.name }) : t("did.unassigned")),
          many: (count) =>
            user ? t("bulk.assigned", { count, name: user.name }) : t("bulk.unassigned", { count }),
        }),
      move: (ids, queue) =>
        run(ids, toQueue(queue), {
          one: (row) => t("did.moved", { who: nameOf(row), queue: queue.name }),
          many: (count) => t("bulk.moved", { count, queue: queue.name }),
        }),
      use: (ids, change, name) =>
        run(ids, change, {
          one: () => t("did.macro", { name }),
          many: (count) => t("bulk.macro", { count, name }),
        }),
      tag: (ids, tag, on) =>
        run(ids, toTag(tag, on), {
          one: () =>
            on ? t("did.tagged", { tag: tag.name }) : t("did.untagged", { tag: tag.name }),
          many: (count) =>
            on
              ? t("bulk.tagged", { count, tag: tag.name })
              : t("bulk.untagged", { count, tag: tag.name }),
        }),
    };
  }, [words, session.user.id]);
}
