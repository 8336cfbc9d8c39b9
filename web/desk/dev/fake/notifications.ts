// SPDX-License-Identifier: EUPL-1.2
//! What one is told of, in the made-up API.

import type * as T from "@belofte/api-client";
import * as d from "./data";

const colleague = d.users[1] as T.User;
let lines: T.Notification[] | null = null;

function made(): T.Notification[] {
  if (lines) return lines;
  const rows = [...d.cases.values()].map((one) => one.row);
  const by = d.ref(colleague);
  const line = (at: number, kind: T.NotificationKind, minutes: number, more: Partial<T.Notification> = {}): T.Notification[] => {
    const conversation = rows[at];
    return conversation ? [{ id: d.uuid(), kind, conversation, count: 1, at: d.iso(Date.now() - minutes * d.minute), read: false, ...more }] : [];
  };
  lines = [
    ...line(0, "mentioned", 4, { by }),
    ...line(1, "customer_message", 12, { count: 3 }),
    ...line(2, "assigned", 55, { by }),
    ...line(3, "delivery_failed", 60 * 26, { read: true }),
    ...line(4, "mentioned", 60 * 50, { by, read: true }),
    ...line(5, "customer_message", 60 * 75, { read: true }),
  ];
  return lines;
}

export const list = (): T.NotificationList => ({ items: made(), unread: made().filter((line) => !line.read).length, on_devices: [] });

export function mark(body: Record<string, unknown>): T.MarkedNotifications {
  const { ids, conversation_id, until, read } = body as { ids?: string[]; conversation_id?: string; until?: string; read: boolean };
  const meant = made().filter(
    (line) => line.read !== read && (ids?.includes(line.id) || line.conversation.id === conversation_id || (until !== undefined && line.at <= until)),
  );
  for (const line of meant) line.read = read;
  return { ids: meant.map((line) => line.id) };
}

const ways: T.NotificationPreference[] = (["mentioned", "assigned", "customer_message", "delivery_failed"] as const).map((kind) => ({ kind, desk: true, push: kind !== "delivery_failed" }));

export function choose(items: T.NotificationPreference[]): T.NotificationPreferences {
  for (const item of items) Object.assign(ways.find((one) => one.kind === item.kind) ?? {}, item);
  return preferences();
}

export const preferences = (): T.NotificationPreferences => ({ items: ways });

export const mentionable = (): T.Mentionable => ({ items: d.users.filter((user) => user.id !== d.me.id && user.state === "active").map(d.ref) });
