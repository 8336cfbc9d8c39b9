// SPDX-License-Identifier: EUPL-1.2

import type { Uuid } from "@belofte/api-client";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { notificationsQuery, readConversation } from "./told";

/** Marks what one is told of a conversation as read while it is looked at. */
export function useReadNotifications(id: Uuid) {
  const told = useQuery({ ...notificationsQuery, enabled: false }).data;
  const unread = told !== undefined && (told.on_devices.includes(id) || told.items.some((line) => !line.read && line.conversation.id === id));
  useEffect(() => {
    if (!unread) return;
    const mark = () => {
      if (document.visibilityState !== "visible") return;
      document.removeEventListener("visibilitychange", mark);
      void readConversation(id);
    };
    mark();
    document.addEventListener("visibilitychange", mark);
    return () => document.removeEventListener("visibilitychange", mark);
  }, [id, unread]);
}
