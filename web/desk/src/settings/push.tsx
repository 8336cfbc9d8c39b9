// SPDX-License-Identifier: EUPL-1.2
//! Notifications of the browser: on this device, on one's others, and whether the organisation allows them.

import type { Push, PushDevice } from "@belofte/api-client";
import { Button } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api } from "../app/api";
import { keys, queryClient } from "../app/queries";
import { mayAdministrate, useSession } from "../app/session";
import { Failure, FailureLine, Skeleton } from "../app/states";
import { toast } from "../app/toasts";
import { type Key, useWords } from "../i18n";
import { Blocked, expectTest, leave, NoService, subscription, supported, turnOn } from "../push/device";
import { isTold } from "../push/key";
import { DeviceIcon } from "../ui/icons";
import { Block, Confirm, Page, State } from "./page";
import css from "./page.module.css";
import { deviceName } from "./sessions";

/** What the browser lets a page do, kept up to date while its user changes it elsewhere. */
function usePermission(): NotificationPermission {
  const [permission, set] = useState<NotificationPermission>(supported() ? Notification.permission : "default");
  useEffect(() => {
    if (!supported()) return;
    const look = () => set(Notification.permission);
    let status: PermissionStatus | undefined;
    navigator.permissions
      ?.query({ name: "notifications" })
      .then((found) => {
        status = found;
        found.addEventListener("change", look);
      })
      .catch(() => undefined);
    window.addEventListener("focus", look);
    return () => {
      status?.removeEventListener("change", look);
      window.removeEventListener("focus", look);
    };
  }, []);
  return permission;
}

const refresh = () => Promise.all([queryClient.invalidateQueries({ queryKey: keys.push }), queryClient.invalidateQueries({ queryKey: keys.pushHere })]);

export function PushSettings() {
  const { t } = useWords();
  const session = useSession();
  const push = useQuery({ queryKey: keys.push, queryFn: () => api.push.get(), staleTime: 0 });
  return (
    <Page title={t("settings.push")} lead={t("push.lead")}>
      {push.isPending && <Skeleton rows={2} />}
      {push.isError && <Failure error={push.error} retry={() => void push.refetch()} />}
      {push.data && (
        <>
          <Here push={push.data} />
          {push.data.devices.length > 0 && <Devices devices={push.data.devices} />}
          {mayAdministrate(session) && <Organisation push={push.data} />}
        </>
      )}
    </Page>
  );
}

/** Why this browser cannot be had told, in words; null when it can. */
function obstacle(push: Push, permission: NotificationPermission, admin: boolean): { name: Key; text: Key } | null {
  if (!push.offered) return { name: "push.not_offered", text: "push.not_offered_text" };
  if (!push.allowed) return { name: "push.not_allowed", text: admin ? "push.not_allowed_admin" : "push.not_allowed_text" };
  if (!supported()) return { name: "push.unsupported", text: "push.unsupported_text" };
  if (permission === "denied") return { name: "push.blocked", text: "push.blocked_text" };
  return null;
}

function Here({ push }: { push: Push }) {
  const { t } = useWords();
  const session = useSession();
  const permission = usePermission();
  const own = useQuery({ queryKey: keys.pushHere, queryFn: subscription, staleTime: 0 });
  const told = isTold(push, own.data ?? null);
  const current = push.devices.find((device) => device.current);
  const on = useMutation({
    mutationFn: (key: string) => turnOn(session.user, key),
    onSuccess: () => toast(t("did.push_on")),
    onSettled: refresh,
  });
  const off = useMutation({
    mutationFn: async (id: string) => {
      await leave();
      await api.push.remove(id);
    },
    onSuccess: () => toast(t("did.push_off")),
    onSettled: refresh,
  });
  const test = useMutation({
    mutationFn: async (id: string) => {
      await expectTest();
      return api.push.test(id);
    },
    onSettled: refresh,
  });
  const why = obstacle(push, permission, mayAdministrate(session));
  const busy = on.isPending || off.isPending;
  return (
    <Block title={t("push.here")}>
      {why ? (
        <>
          <div className={css.row}>
            <State tone={permission === "denied" && push.offered && push.allowed ? "soon" : "plain"}>{t(why.name)}</State>
          </div>
          <p className={css.notice}>{t(why.text)}</p>
        </>
      ) : told && current ? (
        <>
          <div className={css.row}>
            <State tone="good">{t("push.on")}</State>
          </div>
          <div className={css.row}>
            <Button variant="default" loading={test.isPending} disabled={busy} onClick={() => test.mutate(current.id)}>
              {t("push.test")}
            </Button>
            <Button variant="default" loading={off.isPending} onClick={() => off.mutate(current.id)}>
              {t("push.turn_off")}
            </Button>
          </div>
        </>
      ) : (
        <>
          <p className={css.notice}>{t("push.off_text")}</p>
          <div className={css.row}>
            <Button loading={on.isPending} disabled={own.isPending} onClick={() => push.public_key && on.mutate(push.public_key)}>
              {t("push.turn_on")}
            </Button>
          </div>
        </>
      )}
      {/* Not allowed by the browser is what stands above; anything else is said here. */}
      {on.error instanceof NoService && (
        <p role="alert" className={css.notice}>
          {t("push.no_service")}
        </p>
      )}
      {on.error instanceof Blocked && permission !== "denied" && (
        <p role="alert" className={css.notice}>
          {t("push.dismissed")}
        </p>
      )}
      {on.isError && !(on.error instanceof Blocked) && !(on.error instanceof NoService) && <FailureLine error={on.error} />}
      {off.isError && <FailureLine error={off.error} />}
      {test.isError && <FailureLine error={test.error} />}
      {test.data && (
        <p role="status" className={css.notice}>
          {t(RESULTS[test.data.result])}
        </p>
      )}
    </Block>
  );
}

const RESULTS = {
  told: "push.test_told",
  gone: "push.test_gone",
  refused: "push.test_refused",
  busy: "push.test_busy",
  unreachable: "push.test_unreachable",
  not_listed: "push.test_not_listed",
} as const;

const PROBLEMS = { unreachable: "push.problem_unreachable", refused: "push.problem_refused", not_listed: "push.problem_not_listed" } as const;

function Devices({ devices }: { devices: readonly PushDevice[] }) {
  const words = useWords();
  const { t } = words;
  const remove = useMutation({
    mutationFn: async (device: PushDevice) => {
      if (device.current) await leave();
      await api.push.remove(device.id);
    },
    onSuccess: () => toast(t("did.push_removed")),
    onSettled: refresh,
  });
  const name = (device: PushDevice) => deviceName(device.user_agent) || t("sessions.unknown");
  return (
    <Block title={t("push.devices")} text={t("push.devices_text")}>
      {remove.isError && <FailureLine error={remove.error} />}
      <ul className={css.cards}>
        {devices.map((one) => (
          <li key={one.id} className={css.card}>
            <div className={css.person}>
              <DeviceIcon size={20} />
              <div>
                <span className={css.main}>{name(one)}</span>
                <span className={css.sub}>
                  {t("push.device_times", {
                    since: words.day(one.created_at),
                    told: one.told_at ? words.shortTime(one.told_at, new Date()) : t("push.never"),
                  })}
                </span>
                {one.problem && <span className={css.sub}>{t(PROBLEMS[one.problem])}</span>}
              </div>
            </div>
            <div className={css.row}>
              {one.current && <State tone="good">{t("sessions.current")}</State>}
              <Button variant="default" aria-label={t("push.remove_named", { name: name(one) })} loading={remove.isPending && remove.variables?.id === one.id} onClick={() => remove.mutate(one)}>
                {t("push.remove")}
              </Button>
            </div>
          </li>
        ))}
      </ul>
    </Block>
  );
}

function Organisation({ push }: { push: Push }) {
  const { t } = useWords();
  const allow = useMutation({
    mutationFn: (allowed: boolean) => api.push.allow(allowed),
    onSuccess: (now) => {
      queryClient.setQueryData(keys.push, now);
      toast(t(now.allowed ? "did.push_allowed" : "did.push_forbidden"));
    },
  });
  return (
    <Block title={t("push.organisation")} text={t("push.organisation_text")}>
      {push.services.length > 0 && (
        <p className={css.notice}>
          {t("push.services")} {push.services.join(", ")}
        </p>
      )}
      {allow.isError && <FailureLine error={allow.error} />}
      <div className={css.row}>
        {push.allowed ? (
          <>
            <State tone="good">{t("push.allowed")}</State>
            <Confirm label={t("push.forbid")} sure={t("push.forbid_sure")} loading={allow.isPending} onConfirm={() => allow.mutate(false)} />
          </>
        ) : (
          <>
            <State tone="plain">{t("push.forbidden")}</State>
            {push.offered && (
              <Button variant="default" loading={allow.isPending} onClick={() => allow.mutate(true)}>
                {t("push.allow")}
              </Button>
            )}
          </>
        )}
      </div>
    </Block>
  );
}
