// SPDX-License-Identifier: EUPL-1.2

import type { ConversationRow } from "@belofte/api-client";
import { Button } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { NEW, useHere } from "../app/here";
import { countsQuery, listQuery } from "../app/queries";
import { useSession } from "../app/session";
import { useShortcuts } from "../app/shortcuts";
import { Blank, Failure, Skeleton } from "../app/states";
import { useTitle } from "../app/title";
import { useWords } from "../i18n";
import { CheckIcon, PencilIcon } from "../ui/icons";
import { useActions } from "./actions";
import css from "./inbox.module.css";
import { ConversationList } from "./list";
import { countOf, EMPTY_TEXTS, EMPTY_TITLES, FILTERS, isView, VIEW_NAMES, VIEW_SHORT, VIEWS, type View } from "./views";
import { Workspace } from "./workspace";

export function Inbox() {
  const { t, number } = useWords();
  const params = useParams({ strict: false });
  const view: View = params.view && isView(params.view) ? params.view : "mine";
  const open = params.conversation;
  const navigate = useNavigate();
  const session = useSession();
  const here = useHere();
  const counts = useQuery(countsQuery);
  const list = useInfiniteQuery(listQuery(FILTERS[view]));
  const { setStatus } = useActions();
  useTitle(t(VIEW_NAMES[view]));

  const rows = useMemo(() => {
    const seen = new Set<string>();
    const all: ConversationRow[] = [];
    for (const page of list.data?.pages ?? []) {
      for (const row of page.items) {
        if (seen.has(row.id)) continue;
        seen.add(row.id);
        all.push(row);
      }
    }
    return all;
  }, [list.data]);

  const go = useCallback(
    (id: string | undefined, replace = false) =>
      id
        ? navigate({ to: "/inbox/$view/$conversation", params: { view, conversation: id }, replace })
        : navigate({ to: "/inbox/$view", params: { view }, replace }),
    [navigate, view],
  );

  const beside = (step: 1 | -1): string | undefined => {
    const at = rows.findIndex((row) => row.id === here());
    if (at < 0) return rows[0]?.id;
    return rows[at + step]?.id;
  };

  const next = () => {
    const id = beside(1) ?? beside(-1);
    void go(id === here() ? undefined : id, true);
  };

  useShortcuts(
    {
      j: () => void go(beside(1) ?? here()),
      k: () => void go(beside(-1) ?? here()),
      c: () => void go(NEW),
      e: () => {
        const id = here();
        if (!id) return;
        next();
        void setStatus(id, "resolved");
      },
    },
    session.user.single_key_shortcuts,
  );

  return (
    <Workspace
      listName={t("list.name", { view: t(VIEW_NAMES[view]) })}
      conversation={open}
      nothing={!list.isPending && rows.length === 0}
      onBack={() => void go(undefined)}
      onNext={next}
      list={
        <>
          <h1 className="sr-only">{t(VIEW_NAMES[view])}</h1>
          <nav className={css.views} aria-label={t("list.views")}>
            {VIEWS.map((one) => (
              <Link
                key={one}
                to="/inbox/$view"
                params={{ view: one }}
                className={css.view}
                data-active={one === view || undefined}
                aria-current={one === view ? "page" : undefined}
                title={t(VIEW_NAMES[one])}
              >
                <b>{counts.data ? number(countOf(counts.data, one)) : "\u2013"}</b>
                <span>{t(VIEW_SHORT[one])}</span>
              </Link>
            ))}
            <Link
              to="/inbox/$view/$conversation"
              params={{ view, conversation: NEW }}
              className={css.write}
              aria-label={t("new_mail.title")}
              title={t("new_mail.title")}
              preload={false}
            >
              <PencilIcon />
            </Link>
          </nav>
          {list.isPending ? (
            <Skeleton rows={9} />
          ) : list.isError && !list.data ? (
            <Failure error={list.error} retry={() => void list.refetch()} />
          ) : rows.length === 0 ? (
            <Blank icon={CheckIcon} title={t(EMPTY_TITLES[view])} text={t(EMPTY_TEXTS[view])}>
              {view === "mine" && (counts.data?.unassigned ?? 0) > 0 && (
                <Button component={Link} to="/inbox/unassigned" variant="default">
                  {t("view.take_one", { count: counts.data?.unassigned ?? 0 })}
                </Button>
              )}
            </Blank>
          ) : (
            <ConversationList
              key={view}
              name={t(VIEW_NAMES[view])}
              place={view}
              rows={rows}
              open={open}
              showAssignee={view !== "mine" && view !== "unassigned"}
              more={list.hasNextPage}
              loadingMore={list.isFetchingNextPage}
              moreError={list.isFetchNextPageError ? list.error : null}
              loadMore={() => void list.fetchNextPage()}
              hrefOf={(id) => `/inbox/${view}/${id}`}
            />
          )}
        </>
      }
    />
  );
}
