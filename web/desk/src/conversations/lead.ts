// SPDX-License-Identifier: EUPL-1.2
//! A conversation that became part of another one leads there, with what was being written in it.

import type { Conversation, Uuid } from "@belofte/api-client";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { keys, queryClient } from "../app/queries";
import { EMPTY, readDraft, writeDraft } from "./draft";
import { joined } from "./undo";

/** So long a change of the number of messages may be ahead of the messages themselves, in milliseconds. */
const BEHIND_MS = 400;

export function useLead(id: Uuid, whole: Conversation | undefined) {
  const navigate = useNavigate();
  const { view } = useParams({ strict: false });
  const to = whole && whole.id !== id ? whole.id : null;
  useEffect(() => {
    if (!to) return;
    const draft = readDraft(id);
    if (draft !== EMPTY) {
      writeDraft(to, joined(draft, readDraft(to)));
      writeDraft(id, EMPTY);
    }
    void navigate({
      to: "/inbox/$view/$conversation",
      params: { view: view ?? "open", conversation: to },
      replace: true,
    }).then(() => {
      for (const queryKey of [
        keys.conversation(id),
        keys.messages(id),
        keys.activity(id),
        keys.related(id),
      ]) {
        queryClient.removeQueries({ queryKey, exact: true });
      }
    });
  }, [id, to, navigate, view]);
}

/** Messages that went to another conversation or came from one are told by their number alone. */
export function useMoved(id: Uuid, count: number | undefined, loaded: number) {
  const known = useRef<{ count: number; loaded: number } | null>(null);
  useEffect(() => {
    if (count === undefined || loaded === 0) return;
    const before = known.current;
    if (!before || before.count === count) {
      known.current = { count, loaded };
      return;
    }
    const timer = setTimeout(() => {
      known.current = { count, loaded };
      // A new message has come by itself.
      if (count - before.count !== loaded - before.loaded)
        void queryClient.invalidateQueries({ queryKey: keys.messages(id) });
    }, BEHIND_MS);
    return () => clearTimeout(timer);
  }, [id, count, loaded]);
}
