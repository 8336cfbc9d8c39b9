// SPDX-License-Identifier: EUPL-1.2

import type { Activity, Message } from "@belofte/api-client";

export type Entry =
  | { kind: "message"; at: string; message: Message }
  | { kind: "activity"; at: string; activity: Activity };

/** Messages and what happened, in order. Looking is not shown here: it would drown the rest. */
export function weave(messages: readonly Message[], activity: readonly Activity[], whole: boolean): Entry[] {
  const from = messages[0]?.created_at ?? "";
  const entries: Entry[] = messages.map((message) => ({ kind: "message", at: message.created_at, message }));
  for (const one of activity) {
    if (one.kind === "viewed" || one.kind === "created") continue;
    // Older lines come with the older messages they stand between.
    if (!whole && one.at < from) continue;
    entries.push({ kind: "activity", at: one.at, activity: one });
  }
  return entries.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}
