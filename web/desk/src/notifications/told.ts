// SPDX-License-Identifier: EUPL-1.2
//! What one is told of: kept true by live events, read when its conversation is looked at.

import type { Notification as Line, NotificationList, Uuid } from "@belofte/api-client";
import { queryOptions } from "@tanstack/react-query";
import { api } from "../app/api";
import { keys, queryClient } from "../app/queries";
import { explainShort } from "../app/states";
import { toast } from "../app/toasts";
import type { Words } from "../i18n";

export const notificationsQuery = queryOptions({
  queryKey: keys.notifications,
  queryFn: ({ signal }) => api.notifications.list(signal),
});

export const waysQuery = queryOptions({ queryKey: keys.notificationWays, queryFn: () => api.notifications.ways() });

/** Shows at once what the server is about to say. */
async function put(which: (line: Line) => boolean, read: boolean) {
  await queryClient.cancelQueries({ queryKey: keys.notifications });
  queryClient.setQueryData<NotificationList>(keys.notifications, (old) => {
    if (!old) return old;
    const items = old.items.map((line) => (which(line) ? { ...line, read } : line));
    return { ...old, items, unread: items.filter((line) => !line.read).length };
  });
}

/** What is true after all, when the server would not. */
const again = () => void queryClient.invalidateQueries({ queryKey: keys.notifications });

/** Marks lines one by one, or takes that back. */
export async function markLines(ids: readonly Uuid[], read: boolean, words: Words): Promise<void> {
  await put((line) => ids.includes(line.id), read);
  try {
    await api.notifications.mark({ ids: [...ids], read });
  } catch (error) {
    again();
    toast(explainShort(error, words), { bad: true });
  }
}

/** Marks everything that is shown as read: what comes in meanwhile stays unread. */
export async function markAll(list: NotificationList, words: Words): Promise<void> {
  const until = list.items.reduce((latest, line) => (line.at > latest ? line.at : latest), "");
  if (!until) return;
  await put(() => true, true);
  try {
    const { ids } = await api.notifications.mark({ until, read: true });
    if (ids.length === 0) return;
    toast(words.t("did.notifications_read", { count: ids.length }), { undo: () => void markLines(ids, false, words) });
  } catch (error) {
    again();
    toast(explainShort(error, words), { bad: true });
  }
}

/** Who looks at a conversation has read what they were told of it. */
export async function readConversation(id: Uuid): Promise<void> {
  await put((line) => line.conversation.id === id, true);
  queryClient.setQueryData<NotificationList>(keys.notifications, (old) => old && { ...old, on_devices: old.on_devices.filter((one) => one !== id) });
  // It stays bold and is marked at the next look: nothing to tell anybody.
  await api.notifications.mark({ conversation_id: id, read: true }).catch(again);
}
