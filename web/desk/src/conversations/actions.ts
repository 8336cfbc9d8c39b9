// SPDX-License-Identifier: EUPL-1.2
//! Resolve, reopen, assign: shown at once, undone with one key, put right when the server disagrees.

import type { Conversation, UpdateConversation, ConversationRow, ConversationStatus, UserRef, Uuid } from "@belofte/api-client";
import { useMemo } from "react";
import { api } from "../app/api";
import { type ListData, patchLists, rowOf } from "../app/lists";
import { keys, queryClient } from "../app/queries";
import { useSession } from "../app/session";
import { explainShort } from "../app/states";
import { toast } from "../app/toasts";
import { useWords, type Words } from "../i18n";

interface Change {
  patch: UpdateConversation;
  shown: Partial<Pick<ConversationRow, "status" | "assignee">>;
}

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

export function show(row: ConversationRow, me: Uuid) {
  queryClient.setQueryData<Conversation>(keys.conversation(row.id), (old) =>
    old ? { ...old, ...row, contact: old.contact } : old,
  );
  patchLists(row, me);
}

function settle(id: Uuid) {
  void queryClient.invalidateQueries({ queryKey: keys.counts });
  void queryClient.invalidateQueries({ queryKey: keys.activity(id) });
}

async function apply(before: ConversationRow, change: Change, me: Uuid, words: Words): Promise<ConversationRow | null> {
  const lists = queryClient.getQueriesData<ListData>({ queryKey: keys.lists });
  show({ ...before, ...change.shown }, me);
  try {
    const after = await api.conversations.change(before.id, { ...change.patch, version: before.version });
    show(after, me);
    settle(before.id);
    return after;
  } catch (error) {
    for (const [key, data] of lists) queryClient.setQueryData(key, data);
    show(before, me);
    void queryClient.invalidateQueries({ queryKey: keys.conversation(before.id) });
    void queryClient.invalidateQueries({ queryKey: keys.lists });
    const who = before.contact.name || before.contact.address;
    // The conversation may have left the screen already, so the notice names it.
    toast(words.t("did.not_changed", { who, reason: explainShort(error, words) }), { bad: true });
    return null;
  }
}

export interface Actions {
  setStatus: (id: Uuid, status: ConversationStatus) => Promise<void>;
  assign: (id: Uuid, user: UserRef | null) => Promise<void>;
}

export function useActions(): Actions {
  const words = useWords();
  const session = useSession();
  return useMemo(() => {
    const me = session.user.id;
    async function run(id: Uuid, change: Change, back: (before: ConversationRow) => Change, said: string) {
      const before = findRow(id);
      if (!before) return;
      const after = await apply(before, change, me, words);
      if (!after) return;
      toast(said, {
        undo: () => {
          const now = findRow(id) ?? after;
          void apply(now, back(before), me, words).then((row) => {
            // What had left a list is put back by fetching, not by guessing its place.
            if (row) void queryClient.invalidateQueries({ queryKey: keys.lists });
          });
        },
      });
    }
    return {
      setStatus: (id, status) => {
        const contact = findRow(id)?.contact;
        const who = contact?.name || contact?.address || "";
        const key = ({ open: "did.reopened", waiting: "did.waiting", resolved: "did.resolved" } as const)[status];
        return run(
          id,
          { patch: { status }, shown: { status } },
          (before) => ({ patch: { status: before.status }, shown: { status: before.status } }),
          words.t(key, { who }),
        );
      },
      assign: (id, user) =>
        run(
          id,
          { patch: { assignee_id: user?.id ?? null }, shown: { assignee: user } },
          (before) => ({
            patch: { assignee_id: before.assignee?.id ?? null },
            shown: { assignee: before.assignee ?? null },
          }),
          user ? words.t("did.assigned", { name: user.name }) : words.t("did.unassigned"),
        ),
    };
  }, [words, session.user.id]);
}
