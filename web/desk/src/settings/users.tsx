// SPDX-License-Identifier: EUPL-1.2

import type { ListedUser, Role, UpdateUser } from "@belofte/api-client";
import { Button, Checkbox, Menu, NativeSelect } from "@mantine/core";
import { ActionIcon } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../app/api";
import { keys, queryClient, usersQuery } from "../app/queries";
import { mayAdministrate, useSession } from "../app/session";
import { Failure, FailureLine, Skeleton } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { MoreIcon, PlusIcon } from "../ui/icons";
import { Monogram } from "../ui/monogram";
import { SecondFactorRule } from "./second-factor-rule";
import { Block, Confirm, Once, Page, State, Table } from "./page";
import css from "./page.module.css";

const ROLES: Role[] = ["agent", "supervisor", "admin"];
const ROLE_NAMES = { agent: "role.agent", supervisor: "role.supervisor", admin: "role.admin" } as const;

export function Users() {
  const words = useWords();
  const { t } = words;
  const session = useSession();
  const users = useQuery({ ...usersQuery, enabled: mayAdministrate(session) });
  const change = useMutation({
    mutationFn: ({ id, patch }: { id: string; patch: UpdateUser; said: string }) => api.users.change(id, patch),
    onSuccess: (_user, { said }) => {
      toast(said);
      return queryClient.invalidateQueries({ queryKey: keys.users });
    },
  });
  // Whose second factor is about to be taken away.
  const [lost, setLost] = useState<ListedUser | null>(null);
  const reset = useMutation({
    mutationFn: (user: ListedUser) => api.secondFactor.reset(user.id),
    onSuccess: (_done, user) => {
      toast(t("did.second_factor_reset", { name: user.name }));
      setLost(null);
      return queryClient.invalidateQueries({ queryKey: keys.users });
    },
  });
  return (
    <Page title={t("settings.users")} lead={t("users.lead")} may={mayAdministrate}>
      <Invite />
      {users.isPending && <Skeleton rows={4} />}
      {users.isError && <Failure error={users.error} retry={() => void users.refetch()} />}
      {change.isError && <FailureLine error={change.error} />}
      {reset.isError && <FailureLine error={reset.error} />}
      {lost && (
        <Block title={t("users.reset_factor")} text={t("users.reset_factor_sure", { name: lost.name })}>
          <div className={css.row}>
            <Confirm label={t("users.reset_factor")} sure={t("users.reset_factor_yes")} loading={reset.isPending} onConfirm={() => reset.mutate(lost)} />
            <Button variant="subtle" onClick={() => setLost(null)}>
              {t("action.cancel")}
            </Button>
          </div>
        </Block>
      )}
      {users.data && (
        <Table name={t("settings.users")} head={[t("users.name"), t("users.role"), t("users.state"), t("users.seen"), ""]}>
          {users.data.items.map((user) => (
            <tr key={user.id}>
              <td>
                <span className={css.person}>
                  <Monogram name={user.name} size={28} />
                  <span>
                    <span className={css.main}>{user.name}</span>
                    {user.email && <span className={css.sub}>{user.email}</span>}
                  </span>
                </span>
              </td>
              <td>
                {t(ROLE_NAMES[user.role])}
                {user.privacy_officer && <span className={css.sub}>{t("role.privacy_officer")}</span>}
              </td>
              <td>
                <State tone={user.state === "active" ? "good" : "plain"}>
                  {user.state === "active" ? t("users.active") : t("users.blocked")}
                </State>
                {user.second_factor && <span className={css.sub}>{t("users.with_factor")}</span>}
              </td>
              <td>{user.last_seen_at ? words.shortTime(user.last_seen_at, new Date()) : "–"}</td>
              <td>
                <UserMenu
                  user={user}
                  self={user.id === session.user.id}
                  appoints={session.user.privacy_officer}
                  onChange={(patch, said) => change.mutate({ id: user.id, patch, said })}
                  onLost={() => setLost(user)}
                />
              </td>
            </tr>
          ))}
        </Table>
      )}
      <OpenInvitations />
      <SecondFactorRule />
    </Page>
  );
}

function UserMenu({ user, self, appoints, onChange, onLost }: { user: ListedUser; self: boolean; appoints: boolean; onChange: (patch: UpdateUser, said: string) => void; onLost: () => void }) {
  const { t } = useWords();
  const officer = user.privacy_officer;
  return (
    <Menu width={260}>
      <Menu.Target>
        <ActionIcon aria-label={t("users.change", { name: user.name })}>
          <MoreIcon />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("users.role")}</Menu.Label>
        {ROLES.map((role) => (
          <Menu.Item
            key={role}
            disabled={self || role === user.role}
            onClick={() => onChange({ role }, t("did.role_changed", { name: user.name }))}
          >
            {t(ROLE_NAMES[role])}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item disabled={!appoints} onClick={() => onChange({ privacy_officer: !officer }, t("did.saved"))}>
          {officer ? t("users.officer_off") : t("users.officer_on")}
        </Menu.Item>
        {!appoints && <Menu.Label>{t("users.officer_only")}</Menu.Label>}
        <Menu.Item
          disabled={self}
          onClick={() =>
            user.state === "active"
              ? onChange({ state: "blocked" }, t("did.blocked", { name: user.name }))
              : onChange({ state: "active" }, t("did.unblocked", { name: user.name }))
          }
        >
          {user.state === "active" ? t("users.block") : t("users.unblock")}
        </Menu.Item>
        {user.second_factor && !self && <Menu.Item onClick={onLost}>{t("users.reset_factor")}</Menu.Item>}
        {self && <Menu.Label>{t("users.self")}</Menu.Label>}
      </Menu.Dropdown>
    </Menu>
  );
}

function Invite() {
  const words = useWords();
  const { t } = words;
  const session = useSession();
  const [role, setRole] = useState<Role>("agent");
  const [officer, setOfficer] = useState(false);
  const invite = useMutation({
    mutationFn: () => api.invitations.create({ role, ...(officer ? { privacy_officer: true } : {}) }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: keys.invitations }),
  });
  if (invite.data) {
    return (
      <Once
        label={t("invite.ready")}
        text={t("invite.ready_text", { until: words.fullTime(invite.data.expires_at) })}
        value={invite.data.link}
        onDone={() => invite.reset()}
      />
    );
  }
  return (
    <div className={css.row}>
      <NativeSelect
        aria-label={t("users.role")}
        value={role}
        onChange={(event) => setRole(event.currentTarget.value as Role)}
        data={ROLES.map((one) => ({ value: one, label: t(ROLE_NAMES[one]) }))}
      />
      {session.user.privacy_officer && (
        <Checkbox label={t("role.privacy_officer")} checked={officer} onChange={(event) => setOfficer(event.currentTarget.checked)} />
      )}
      <Button leftSection={<PlusIcon size={16} />} loading={invite.isPending} onClick={() => invite.mutate()}>
        {t("invite.action")}
      </Button>
      {invite.isError && <FailureLine error={invite.error} />}
    </div>
  );
}

function OpenInvitations() {
  const words = useWords();
  const { t } = words;
  const list = useQuery({ queryKey: keys.invitations, queryFn: () => api.invitations.list() });
  const withdraw = useMutation({
    mutationFn: (id: string) => api.invitations.withdraw(id),
    onSuccess: () => {
      toast(t("did.withdrawn"));
      return queryClient.invalidateQueries({ queryKey: keys.invitations });
    },
  });
  if (list.isError) return <FailureLine error={list.error} retry={() => void list.refetch()} />;
  if (!list.data || list.data.items.length === 0) return null;
  return (
    <Block title={t("invite.open")}>
      {withdraw.isError && <FailureLine error={withdraw.error} />}
      <ul className={css.cards}>
        {list.data.items.map((one) => (
          <li key={one.id} className={css.card}>
            <div>
              <span className={css.main}>{t(ROLE_NAMES[one.role])}</span>
              <span className={css.sub}>{t("invite.until", { until: words.fullTime(one.expires_at) })}</span>
            </div>
            <Button variant="default" loading={withdraw.isPending && withdraw.variables === one.id} onClick={() => withdraw.mutate(one.id)}>
              {t("invite.withdraw")}
            </Button>
          </li>
        ))}
      </ul>
    </Block>
  );
}
