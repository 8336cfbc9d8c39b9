// SPDX-License-Identifier: EUPL-1.2
//! One queue: what it is called, when it is open, and where its conversations go when it is archived.

import type { QueueDetails } from "@belofte/api-client";
import { Button, NativeSelect, Switch, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api } from "../app/api";
import { keys, queryClient, queueQuery, queuesQuery } from "../app/queries";
import { maySupervise, useSession } from "../app/session";
import { Failure, FailureLine, Skeleton } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { BusinessHours } from "./business-hours";
import { Block, Page, State } from "./page";
import css from "./page.module.css";
import { Now } from "./queues";

/** Takes what the server says a queue is now. */
export function settle(queue: QueueDetails) {
  queryClient.setQueryData(queueQuery(queue.id).queryKey, queue);
  return queryClient.invalidateQueries({ queryKey: keys.queues });
}

export function Queue() {
  const { t } = useWords();
  const session = useSession();
  const { queue: id = "" } = useParams({ strict: false });
  const found = useQuery({ ...queueQuery(id), enabled: maySupervise(session) });
  const queue = found.data;
  const may = session.permissions.includes("manage_queues");
  if (found.isPending && maySupervise(session)) return <Skeleton rows={4} />;
  if (found.isError && !queue) return <Failure error={found.error} retry={() => void found.refetch()} />;
  return (
    <Page
      title={queue?.name ?? t("settings.queues")}
      lead={queue?.description ?? ""}
      may={maySupervise}
      action={queue && (queue.archived ? <State tone="plain">{t("queues.archived")}</State> : <Now queue={queue} />)}
    >
      {queue && (
        <>
          <Moving queue={queue} />
          {/* Each part begins anew when what it shows was changed, and not when another part was saved. */}
          {may && <About key={JSON.stringify([queue.id, queue.name, queue.description, queue.is_default])} queue={queue} />}
          {!queue.archived && <BusinessHours key={JSON.stringify([queue.id, queue.hours])} queue={queue} may={may} />}
          {may && <Archive queue={queue} />}
        </>
      )}
    </Page>
  );
}

/** What is on its way out of it or back. */
function Moving({ queue }: { queue: QueueDetails }) {
  const { t } = useWords();
  const { moving, archived } = queue;
  if (!moving) return null;
  if (moving.failed) {
    return (
      <p className={css.notice} role="status">
        {t("queues.moving_failed")} <Link to="/settings/dead-letters">{t("settings.dead_letters")}</Link>
      </p>
    );
  }
  return (
    <p className={css.notice} role="status">
      {archived ? t("queues.moving_out", { moved: moving.moved, left: moving.left }) : t("queues.moving_back", { left: moving.left })}
    </p>
  );
}

function About({ queue }: { queue: QueueDetails }) {
  const { t } = useWords();
  const [name, setName] = useState(queue.name);
  const [description, setDescription] = useState(queue.description);
  const [first, setFirst] = useState(queue.is_default);
  const save = useMutation({
    mutationFn: () =>
      api.queues.change(queue.id, { version: queue.version, name: name.trim(), description: description.trim(), make_default: first && !queue.is_default }),
    onSuccess: (saved) => {
      toast(t("did.queue_saved", { queue: saved.name }));
      return settle(saved);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form className={css.form} onSubmit={submit}>
      <TextInput label={t("queues.name")} required withAsterisk={false} maxLength={80} value={name} onChange={(event) => setName(event.currentTarget.value)} autoComplete="off" />
      <Textarea label={t("queues.description")} maxLength={500} autosize minRows={2} value={description} onChange={(event) => setDescription(event.currentTarget.value)} />
      {!queue.archived && (
        <Switch
          label={t("queues.default")}
          description={queue.is_default ? t("queues.default_stays") : t("queues.default_text")}
          checked={first}
          disabled={queue.is_default}
          onChange={(event) => setFirst(event.currentTarget.checked)}
        />
      )}
      {save.isError && <FailureLine error={save.error} />}
      <div className={css.row}>
        <Button type="submit" loading={save.isPending} disabled={name.trim() === ""}>
          {t("action.save")}
        </Button>
      </div>
    </form>
  );
}

function Archive({ queue }: { queue: QueueDetails }) {
  const { t } = useWords();
  const queues = useQuery(queuesQuery);
  const [into, setInto] = useState("");
  const others = (queues.data?.items ?? []).filter((one) => one.id !== queue.id);
  const archive = useMutation({
    mutationFn: () => api.queues.archive(queue.id, into || null),
    onSuccess: (now) => {
      toast(t("did.queue_archived", { queue: now.name }), { undo: () => restore.mutate() });
      return settle(now);
    },
  });
  const restore = useMutation({
    mutationFn: () => api.queues.restore(queue.id),
    onSuccess: (now) => {
      toast(t("did.queue_restored", { queue: now.name }));
      return settle(now);
    },
  });
  if (queue.archived) {
    return (
      <Block title={t("queues.restore")} text={t("queues.restore_text")}>
        {restore.isError && <FailureLine error={restore.error} />}
        <div className={css.row}>
          <Button loading={restore.isPending} onClick={() => restore.mutate()}>
            {t("queues.restore")}
          </Button>
        </div>
      </Block>
    );
  }
  if (queue.is_default) return <Block title={t("queues.archive")} text={t("queues.archive_default")} />;
  return (
    <Block title={t("queues.archive")} text={t("queues.archive_text")}>
      <div className={css.form}>
        <NativeSelect
          label={t("queues.archive_into")}
          value={into}
          onChange={(event) => setInto(event.currentTarget.value)}
          data={[{ value: "", label: t("queues.archive_nowhere") }, ...others.map((one) => ({ value: one.id, label: one.name }))]}
        />
        {archive.isError && <FailureLine error={archive.error} />}
        <div className={css.row}>
          <Button variant="default" loading={archive.isPending} onClick={() => archive.mutate()}>
            {t("queues.archive")}
          </Button>
        </div>
      </div>
    </Block>
  );
}
