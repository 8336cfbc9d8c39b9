// SPDX-License-Identifier: EUPL-1.2
//! The queues: in which order they stand, which are open now, and those that are archived.

import type { ListedQueue } from "@belofte/api-client";
import { Button, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useLayoutEffect, useRef, useState } from "react";
import { api } from "../app/api";
import { allQueuesQuery, keys, queryClient } from "../app/queries";
import { maySupervise, useSession } from "../app/session";
import { explainShort, Failure, FailureLine, Skeleton } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { DownIcon, UpIcon } from "../ui/icons";
import { Block, Page, State, Table } from "./page";
import css from "./page.module.css";

const stale = () => queryClient.invalidateQueries({ queryKey: keys.queues });

/** A button that does nothing at the moment and keeps the focus, so that the keyboard goes on from there. */
const stuck = (yes: boolean) => (yes ? { "data-disabled": true, "aria-disabled": true } : {});

export function Queues() {
  const words = useWords();
  const { t } = words;
  const session = useSession();
  const may = session.permissions.includes("manage_queues");
  const list = useQuery({ ...allQueuesQuery, enabled: maySupervise(session) });
  const items = list.data?.items ?? [];
  const used = items.filter((one) => !one.archived);
  const archived = items.filter((one) => one.archived);
  // A row that moves in the page loses the focus; who pressed an arrow goes on with it.
  const pressed = useRef<HTMLButtonElement | null>(null);
  const order = useMutation({
    mutationKey: ["queue-order"],
    // One after the other, as they were pressed.
    scope: { id: "queue-order" },
    mutationFn: (ids: string[]) => api.queues.order(ids),
    onError: (error) => {
      pressed.current = null;
      toast(explainShort(error, words), { bad: true });
    },
    // The last one asks; before it the server has an order that is left already.
    onSettled: () => {
      if (queryClient.isMutating({ mutationKey: ["queue-order"] }) <= 1) void stale();
    },
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the rows lie anew when the list does
  useLayoutEffect(() => {
    // Somebody who is somewhere else by now stays there.
    if (document.activeElement === document.body) pressed.current?.focus();
    pressed.current = null;
  }, [list.data]);
  const swap = (moved: string, step: 1 | -1, button: HTMLButtonElement) => {
    // As the list is, which the rows may not show yet.
    const now = queryClient.getQueryData(allQueuesQuery.queryKey)?.items ?? items;
    const ids = now.filter((one) => !one.archived).map((one) => one.id);
    const at = ids.indexOf(moved);
    if (at < 0 || at + step < 0 || at + step >= ids.length) return;
    ids.splice(at, 1);
    ids.splice(at + step, 0, moved);
    pressed.current = button;
    // At once, so that the next press goes on from it.
    const place = ({ id }: ListedQueue) => (ids.includes(id) ? ids.indexOf(id) : ids.length);
    queryClient.setQueryData(allQueuesQuery.queryKey, (was) => was && { ...was, items: [...was.items].sort((a, b) => place(a) - place(b)) });
    order.mutate(ids);
  };
  return (
    <Page title={t("settings.queues")} lead={t("queues.lead")} may={maySupervise}>
      {list.isPending && <Skeleton rows={3} />}
      {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
      {used.length > 0 && (
        <Table name={t("settings.queues")} head={[t("queues.name"), t("queues.now"), ""]}>
          {used.map((one, at) => (
            <tr key={one.id}>
              <td>
                <QueueName queue={one} />
                {one.is_default && <span className={css.sub}>{t("queues.is_default")}</span>}
              </td>
              <td>
                <Now queue={one} />
              </td>
              <td>
                {may && used.length > 1 && (
                  <div className={css.row}>
                    <Button variant="default" {...stuck(at === 0)} onClick={(event) => swap(one.id, -1, event.currentTarget)} aria-label={t("queues.up_named", { queue: one.name })}>
                      <UpIcon size={16} />
                    </Button>
                    <Button variant="default" {...stuck(at === used.length - 1)} onClick={(event) => swap(one.id, 1, event.currentTarget)} aria-label={t("queues.down_named", { queue: one.name })}>
                      <DownIcon size={16} />
                    </Button>
                  </div>
                )}
              </td>
            </tr>
          ))}
        </Table>
      )}
      {may && <NewQueue />}
      {archived.length > 0 && (
        <Block title={t("queues.archived_title")} text={t("queues.archived_text")}>
          <Table name={t("queues.archived_title")} head={[t("queues.name"), t("tags.state"), ""]}>
            {archived.map((one) => (
              <tr key={one.id}>
                <td>
                  <QueueName queue={one} />
                </td>
                <td>
                  <State tone="plain">{t("queues.archived")}</State>
                </td>
                <td />
              </tr>
            ))}
          </Table>
        </Block>
      )}
    </Page>
  );
}

function QueueName({ queue }: { queue: ListedQueue }) {
  return (
    <Link to="/settings/queues/$queue" params={{ queue: queue.id }} className={css.main}>
      {queue.name}
    </Link>
  );
}

export function Now({ queue }: { queue: Pick<ListedQueue, "open_now" | "next_opening"> }) {
  const words = useWords();
  const { t } = words;
  if (queue.open_now) return <State tone="good">{t("queues.open")}</State>;
  return (
    <>
      <State tone="soon">{t("queues.closed")}</State>
      {queue.next_opening && <span className={css.sub}>{t("queues.opens", { time: words.moment(queue.next_opening, new Date()) })}</span>}
    </>
  );
}

function NewQueue() {
  const { t } = useWords();
  const [name, setName] = useState("");
  const create = useMutation({
    mutationFn: () => api.queues.create({ name: name.trim() }),
    onSuccess: () => {
      setName("");
      return stale();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <Block title={t("queues.new")}>
      <form className={css.form} onSubmit={submit}>
        <TextInput label={t("queues.name")} required withAsterisk={false} maxLength={80} value={name} onChange={(event) => setName(event.currentTarget.value)} autoComplete="off" />
        {create.isError && <FailureLine error={create.error} />}
        <div className={css.row}>
          <Button type="submit" loading={create.isPending} disabled={name.trim() === ""}>
            {t("queues.create")}
          </Button>
        </div>
      </form>
    </Block>
  );
}
