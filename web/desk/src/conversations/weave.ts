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

export const keyOf = (entry: Entry | undefined): string =>
  entry === undefined ? "" : entry.kind === "message" ? entry.message.id : entry.activity.id;

const LINE = 20;
const CHARACTERS = 75;

/** How high an entry will about be, in pixels, before anybody has measured it. */
export function estimate(entry: Entry | undefined): number {
  if (entry?.kind !== "message") return 30;
  const { message } = entry;
  const own = message.quoted_from ? message.text.slice(0, message.quoted_from) : message.text;
  const lines = own.split("\n").reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / CHARACTERS)), 0);
  const body = message.html ? 240 : Math.min(560, lines * LINE);
  return 64 + body + (message.attachments.length > 0 ? 44 : 0) + (message.deliveries.length > 0 ? 28 : 0);
}
