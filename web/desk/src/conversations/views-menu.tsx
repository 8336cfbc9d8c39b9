// SPDX-License-Identifier: EUPL-1.2
//! The lists that have no tab: what is put off, what is resolved, and what people keep.

import type { SavedView } from "@belofte/api-client";
import { Menu } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { api } from "../app/api";
import { countsQuery, draftsQuery, keys, queryClient, queuesQuery, savedViewsQuery } from "../app/queries";
import { useSession } from "../app/session";
import { explainShort } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { CheckIcon, PencilIcon, PlusIcon, QueueIcon, TrashIcon, UsersIcon } from "../ui/icons";
import css from "./views-menu.module.css";
import { countOf, DRAFTS, isView, OTHERS, queueView, TABS, VIEW_NAMES } from "./views";

const ViewEditor = lazy(() => import("./view-editor"));

interface Props {
  view: string;
  /** Of the view that is shown. */
  name: string;
  className: string | undefined;
  icon: ReactNode;
  more: ReactNode;
}

export default function ViewsMenu({ view, name, className, icon, more }: Props) {
  const words = useWords();
  const { t, number } = words;
  const session = useSession();
  const navigate = useNavigate();
  const counts = useQuery(countsQuery);
  const saved = useQuery(savedViewsQuery);
  const drafts = useQuery(draftsQuery);
  const queues = useQuery(queuesQuery).data?.items ?? [];
  const [editing, setEditing] = useState<SavedView | "new" | null>(null);
  const tab = (TABS as readonly string[]).includes(view);
  const all = saved.data?.items ?? [];
  const current = all.find((one) => one.id === view);
  const mayShare = session.permissions.includes("share_views");
  const mine = current && (current.shared ? mayShare : current.own);

  const remove = (gone: SavedView) => {
    queryClient.setQueryData(savedViewsQuery.queryKey, (old) => (old ? { ...old, items: old.items.filter((one) => one.id !== gone.id) } : old));
    void navigate({ to: "/inbox/$view", params: { view: "mine" } });
    const failed = (error: unknown) => {
      void queryClient.invalidateQueries({ queryKey: keys.savedViews });
      toast(explainShort(error, words), { bad: true });
    };
    api.savedViews
      .remove(gone.id)
      .then(() =>
        toast(t("did.view_removed", { name: gone.name }), {
          undo: () => {
            const { name, shared, filter } = gone;
            api.savedViews
              .create({ name, shared, filter })
              .then((made) =>
                queryClient
                  .invalidateQueries({ queryKey: keys.savedViews })
                  .then(() => navigate({ to: "/inbox/$view", params: { view: made.id } })),
              )
              .catch(failed);
          },
        }),
      )
      .catch(failed);
  };

  const link = (id: string, text: string, count?: number, mark?: ReactNode) => (
    <Menu.Item
      key={id}
      renderRoot={(props) => <Link {...props} to="/inbox/$view" params={{ view: id }} />}
      aria-current={id === view ? "page" : undefined}
      leftSection={mark}
      rightSection={count === undefined ? id === view ? <CheckIcon size={14} /> : null : <span className={css.count}>{number(count)}</span>}
    >
      {text}
    </Menu.Item>
  );
  const shared = all.filter((one) => one.shared);
  const own = all.filter((one) => !one.shared);
  return (
    <>
      <Menu width={260} position="bottom-end">
        <Menu.Target>
          <button
            type="button"
            className={`${className} ${css.button}`}
            data-active={!tab || undefined}
            aria-label={tab ? t("view.more") : t("view.more_named", { name })}
            title={tab ? t("view.more") : name}
          >
            <b>{tab || !isView(view) || !counts.data ? icon : number(countOf(counts.data, view))}</b>
            <span>
              {tab ? t("view.more_short") : name}
              {more}
            </span>
          </button>
        </Menu.Target>
        <Menu.Dropdown className={css.menu}>
          {OTHERS.map((one) => link(one, t(VIEW_NAMES[one]), counts.data ? countOf(counts.data, one) : undefined))}
          {link(DRAFTS, t("view.drafts"), drafts.data?.items.length, undefined)}
          {queues.length > 1 && <Menu.Label>{t("settings.queues")}</Menu.Label>}
          {queues.length > 1 && queues.map((one) => link(queueView(one.id), one.open_now ? one.name : t("queue.closed_named", { queue: one.name }), undefined, <QueueIcon size={14} />))}
          {shared.length > 0 && <Menu.Label>{t("view.shared")}</Menu.Label>}
          {shared.map((one) => link(one.id, one.name, undefined, <UsersIcon size={14} />))}
          {own.length > 0 && <Menu.Label>{t("view.own")}</Menu.Label>}
          {own.map((one) => link(one.id, one.name))}
          <Menu.Divider />
          <Menu.Item leftSection={<PlusIcon size={14} />} onClick={() => setEditing("new")}>
            {t("view.new")}
          </Menu.Item>
          {current && mine && (
            <>
              <Menu.Item leftSection={<PencilIcon size={14} />} onClick={() => setEditing(current)}>
                {t("view.change", { name: current.name })}
              </Menu.Item>
              <Menu.Item leftSection={<TrashIcon size={14} />} onClick={() => remove(current)}>
                {t("view.remove", { name: current.name })}
              </Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      <Suspense fallback={null}>
        {editing && <ViewEditor view={editing === "new" ? null : editing} from={view} close={() => setEditing(null)} />}
      </Suspense>
    </>
  );
}
