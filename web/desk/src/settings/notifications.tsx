// SPDX-License-Identifier: EUPL-1.2
//! By which ways one is told of what.

import type { Notification as Line, NotificationPreference, NotificationPreferences } from "@belofte/api-client";
import { Checkbox } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { api } from "../app/api";
import { keys, queryClient } from "../app/queries";
import { Failure, FailureLine, Skeleton } from "../app/states";
import { type Key, useWords } from "../i18n";
import { waysQuery } from "../notifications/told";
import { Block, Page } from "./page";
import css from "./page.module.css";

const NAMES: Record<Line["kind"], [Key, Key]> = {
  mentioned: ["notifications.kind_mentioned", "notifications.kind_mentioned_text"],
  assigned: ["notifications.kind_assigned", "notifications.kind_assigned_text"],
  customer_message: ["notifications.kind_customer_message", "notifications.kind_customer_message_text"],
  delivery_failed: ["notifications.kind_delivery_failed", "notifications.kind_delivery_failed_text"],
};

export function Notifications() {
  const { t } = useWords();
  const ways = useQuery(waysQuery);
  const put = (items: NotificationPreference[]) => queryClient.setQueryData<NotificationPreferences>(keys.notificationWays, { items });
  const choose = useMutation({
    mutationFn: (item: NotificationPreference) => api.notifications.choose([item]),
    // Seen at once, and not undone by what is on its way; a refusal puts it back.
    onMutate: (item) => {
      void queryClient.cancelQueries({ queryKey: keys.notificationWays });
      put((ways.data?.items ?? []).map((one) => (one.kind === item.kind ? item : one)));
    },
    onError: () => void queryClient.invalidateQueries({ queryKey: keys.notificationWays }),
    onSuccess: ({ items }) => put(items),
  });
  const title = t("settings.notifications");
  return (
    <Page title={title} lead={t("notifications.ways_lead")}>
      {ways.isPending ? (
        <Skeleton rows={4} />
      ) : !ways.data ? (
        <Failure error={ways.error} retry={() => void ways.refetch()} />
      ) : (
        ways.data.items.map((item) => {
          const [name, text] = NAMES[item.kind];
          return (
            <Block key={item.kind} title={t(name)} text={t(text)}>
              <div className={css.row} style={{ gap: 24 }}>
                {(["desk", "push"] as const).map((way) => (
                  <Checkbox
                    key={way}
                    checked={item[way]}
                    label={t(way === "desk" ? "notifications.in_desk" : "notifications.on_devices")}
                    aria-label={t(way === "desk" ? "notifications.desk_of" : "notifications.devices_of", { what: t(name) })}
                    onChange={(event) => choose.mutate({ ...item, [way]: event.currentTarget.checked })}
                  />
                ))}
              </div>
            </Block>
          );
        })
      )}
      {choose.isError && <FailureLine error={choose.error} />}
    </Page>
  );
}
