// SPDX-License-Identifier: EUPL-1.2
//! A view to keep: what it is called, what it shows, and who has it.

import type { SavedView, SaveView } from "@belofte/api-client";
import { Button, Modal, NativeSelect, Switch, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api } from "../app/api";
import { allQueuesQuery, keys, queryClient, tagsQuery, usersQuery } from "../app/queries";
import { useSession } from "../app/session";
import { FailureLine } from "../app/states";
import { useWords } from "../i18n";
import css from "./view-editor.module.css";
import { shownBy } from "./views";

const STATUSES = ["all", "open", "waiting", "snoozed", "resolved"] as const;
type Status = (typeof STATUSES)[number];
const STATUS_NAMES = {
  all: "view.any_status",
  open: "status.open",
  waiting: "status.waiting",
  snoozed: "status.snoozed",
  resolved: "status.resolved",
} as const;

interface Props {
  /** The view to change; null for a new one. */
  view: SavedView | null;
  /** The list that is shown: a new view begins as it is. */
  from: string;
  close: () => void;
}

export default function ViewEditor({ view, from, close }: Props) {
  const { t } = useWords();
  const session = useSession();
  const navigate = useNavigate();
  const users = useQuery(usersQuery);
  const queues = useQuery(allQueuesQuery);
  const tags = useQuery(tagsQuery);
  const start = view?.filter ?? shownBy(from, undefined) ?? {};
  const [name, setName] = useState(view?.name ?? "");
  const [status, setStatus] = useState<Status>(start.status ?? "all");
  const [assignee, setAssignee] = useState(start.assignee ?? "any");
  const [queue, setQueue] = useState(start.queue ?? "");
  const [tag, setTag] = useState(start.tag ?? "");
  const [shared, setShared] = useState(view?.shared ?? false);
  const save = useMutation({
    mutationFn: () => {
      const body: SaveView = {
        name: name.trim(),
        shared,
        filter: { status, assignee, ...(queue ? { queue } : {}), ...(tag ? { tag } : {}) },
      };
      return view ? api.savedViews.change(view.id, body) : api.savedViews.create(body);
    },
    onSuccess: async (saved) => {
      await queryClient.invalidateQueries({ queryKey: keys.savedViews });
      close();
      await navigate({ to: "/inbox/$view", params: { view: saved.id } });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Modal opened onClose={close} title={view ? t("view.edit_title") : t("view.new_title")} size={420} closeButtonProps={{ "aria-label": t("action.close") }}>
      <form className={css.form} onSubmit={submit}>
        <TextInput label={t("view.name")} required withAsterisk={false} maxLength={60} value={name} onChange={(event) => setName(event.currentTarget.value)} autoComplete="off" data-autofocus />
        <NativeSelect
          label={t("view.status")}
          value={status}
          onChange={(event) => setStatus(event.currentTarget.value as Status)}
          data={STATUSES.map((one) => ({ value: one, label: t(STATUS_NAMES[one]) }))}
        />
        <NativeSelect
          label={t("view.assignee")}
          value={assignee}
          onChange={(event) => setAssignee(event.currentTarget.value)}
          data={[
            { value: "any", label: t("view.anybody") },
            { value: "me", label: t("view.who_looks") },
            { value: "none", label: t("view.unassigned") },
            ...(users.data?.items ?? []).filter((user) => user.state === "active" || user.id === assignee).map((user) => ({ value: user.id, label: user.name })),
          ]}
        />
        <NativeSelect
          label={t("channel.queue")}
          value={queue}
          onChange={(event) => setQueue(event.currentTarget.value)}
          data={[{ value: "", label: t("view.any_queue") }, ...(queues.data?.items ?? []).filter((one) => !one.archived || one.id === queue).map((one) => ({ value: one.id, label: one.name }))]}
        />
        <NativeSelect
          label={t("tags.one")}
          value={tag}
          onChange={(event) => setTag(event.currentTarget.value)}
          data={[{ value: "", label: t("view.any_tag") }, ...(tags.data?.items ?? []).filter((one) => !one.archived || one.id === tag).map((one) => ({ value: one.id, label: one.name }))]}
        />
        {session.permissions.includes("share_views") && (
          <Switch label={t("view.for_all")} description={t("view.for_all_text")} checked={shared} onChange={(event) => setShared(event.currentTarget.checked)} />
        )}
        {save.isError && <FailureLine error={save.error} />}
        <div className={css.row}>
          <Button variant="default" onClick={close}>
            {t("action.cancel")}
          </Button>
          <Button type="submit" loading={save.isPending} disabled={name.trim() === ""}>
            {t("action.save")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
