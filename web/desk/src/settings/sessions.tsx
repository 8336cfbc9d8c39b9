// SPDX-License-Identifier: EUPL-1.2

import { Button } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { api } from "../app/api";
import { keys, queryClient } from "../app/queries";
import { Failure, FailureLine, Skeleton } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { DeviceIcon } from "../ui/icons";
import { Page, State } from "./page";
import css from "./page.module.css";

/** "Chrome · Linux" out of what a browser says of itself; empty when it says nothing known. */
export function deviceName(agent: string): string {
  const browser = [["Edg/", "Edge"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]].find(([mark]) => agent.includes(mark ?? ""))?.[1];
  const system = [["iPhone", "iPhone"], ["iPad", "iPad"], ["Android", "Android"], ["Windows", "Windows"], ["Mac OS", "macOS"], ["Linux", "Linux"]].find(([mark]) => agent.includes(mark ?? ""))?.[1];
  return [browser, system].filter(Boolean).join(" · ");
}

export function Sessions() {
  const words = useWords();
  const { t } = words;
  const list = useQuery({ queryKey: keys.sessions, queryFn: () => api.sessions.list() });
  const end = useMutation({
    mutationFn: (id: string) => api.sessions.end(id),
    onSuccess: () => {
      toast(t("did.session_ended"));
      return queryClient.invalidateQueries({ queryKey: keys.sessions });
    },
  });
  return (
    <Page title={t("settings.sessions")} lead={t("sessions.lead")}>
      {list.isPending && <Skeleton rows={3} />}
      {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
      {end.isError && <FailureLine error={end.error} />}
      {list.data && (
        <ul className={css.cards}>
          {list.data.items.map((one) => (
            <li key={one.id} className={css.card}>
              <div className={css.person}>
                <DeviceIcon size={20} />
                <div>
                  <span className={css.main}>{deviceName(one.user_agent) || t("sessions.unknown")}</span>
                  <span className={css.sub}>
                    {t("sessions.times", {
                      since: words.day(one.created_at),
                      seen: words.shortTime(one.last_seen_at, new Date()),
                    })}
                  </span>
                </div>
              </div>
              {one.current ? (
                <State tone="good">{t("sessions.current")}</State>
              ) : (
                <Button variant="default" loading={end.isPending && end.variables === one.id} onClick={() => end.mutate(one.id)}>
                  {t("sessions.end")}
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
    </Page>
  );
}
