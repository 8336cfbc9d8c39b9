// SPDX-License-Identifier: EUPL-1.2

import type { ConversationRow, Uuid } from "@belofte/api-client";
import { Button } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from "react";
import { NEW, useHere } from "../app/here";
import { expect } from "../app/hold";
import { allQueuesQuery, countsQuery, draftsQuery, listQuery, savedViewsQuery, tagsQuery } from "../app/queries";
import { useSession } from "../app/session";
import { isTyping, useShortcuts } from "../app/shortcuts";
import { Blank, Failure, Skeleton } from "../app/states";
import { useTitle } from "../app/title";
import { useWords } from "../i18n";
import { askForMacros } from "../macros/offer";
import { CheckIcon, DownIcon, PencilIcon, ViewsIcon } from "../ui/icons";
import { MOST_AT_ONCE, useActions } from "./actions";
import css from "./inbox.module.css";
import { ConversationList } from "./list";
import { all, NOTHING, rangeTo, type Selection, toggle, within } from "./selection";
import type { Tool } from "./tool";
import {
  countOf,
  DRAFTS,
  EMPTY_TEXTS,
  EMPTY_TITLES,
  FILTERS,
  isView,
  nameOf,
  shownBy,
  TABS,
  queueIn,
  tagIn,
  VIEW_NAMES,
  VIEW_SHORT,
} from "./views";
import { Workspace } from "./workspace";

const BulkBar = lazy(() => import("./bulk-bar"));
const ViewsMenu = lazy(() => import("./views-menu"));

/** The conversation whose row has the focus. */
const focusedRow = (): Uuid | undefined => document.activeElement?.getAttribute("data-row") ?? undefined;

export function Inbox() {
  const { t, number } = useWords();
  const params = useParams({ strict: false });
  const view = params.view ?? "mine";
  const fixed = isView(view) ? view : null;
  const open = params.conversation;
  const navigate = useNavigate();
  const session = useSession();
  const here = useHere();
  const counts = useQuery(countsQuery);
  const saved = useQuery(savedViewsQuery);
  const tags = useQuery({ ...tagsQuery, enabled: tagIn(view) !== null });
  const queues = useQuery({ ...allQueuesQuery, enabled: queueIn(view) !== null });
  const filter = shownBy(view, saved.data?.items);
  const list = useInfiniteQuery({ ...listQuery(filter ?? FILTERS.mine), enabled: filter !== null });
  const drafting = view === DRAFTS;
  const drafts = useQuery({ ...draftsQuery, enabled: drafting });
  const gone = filter === null && !drafting && saved.data !== undefined;
  const name = nameOf(view, t, saved.data?.items, tags.data?.items, queues.data?.items);
  const actions = useActions();
  useTitle(name);

  const rows = useMemo(() => {
    const seen = new Set<string>();
    const all: ConversationRow[] = [];
    const begun = drafts.data?.items.flatMap((one) => one.conversation ?? []) ?? [];
    for (const page of drafting ? [{ items: begun }] : (list.data?.pages ?? [])) {
      for (const row of page.items) {
        if (seen.has(row.id)) continue;
        seen.add(row.id);
        all.push(row);
      }
    }
    return all;
  }, [list.data, drafting, drafts.data]);
  const mail = drafting ? drafts.data?.items.find((one) => one.kind === "mail") : undefined;
  const shown = drafting ? drafts : list;

  const [selection, setSelection] = useState<Selection>(NOTHING);
  const [tool, setTool] = useState<Tool | null>(null);
  const [walkTo, setWalkTo] = useState<{ id: Uuid } | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another list begins with nothing selected
  useEffect(() => setSelection(NOTHING), [view]);
  const order = useMemo(() => rows.map((row) => row.id), [rows]);
  // What has left the list is not selected any more: nobody changes what they do not see.
  const selected = useMemo(() => within(selection, order), [selection, order]);
  const chosen = useMemo(() => rows.filter((row) => selected.has(row.id)), [rows, selected]);
  const clear = useCallback(() => {
    setSelection(NOTHING);
    setTool(null);
  }, []);
  const select = useCallback(
    (id: Uuid, range: boolean) => setSelection((now) => (range ? rangeTo(now, order, id) : toggle(now, id))),
    [order],
  );

  const go = useCallback(
    (id: string | undefined, replace = false) =>
      id
        ? navigate({ to: "/inbox/$view/$conversation", params: { view, conversation: id }, replace })
        : navigate({ to: "/inbox/$view", params: { view }, replace }),
    [navigate, view],
  );

  const besideOf = (id: string | undefined, step: 1 | -1): string | undefined => {
    const at = id === undefined ? -1 : order.indexOf(id);
    return at < 0 ? order[0] : order[at + step];
  };
  const beside = (step: 1 | -1) => besideOf(here(), step);
  /** The row that keys mean: the one with the focus, or the open conversation. */
  const current = () => focusedRow() ?? here();

  const next = () => {
    const id = beside(1) ?? beside(-1);
    void go(id === here() ? undefined : id, true);
  };

  const resolveSelected = () => {
    const ids = chosen.map((row) => row.id);
    const shut = here();
    // The next one that stays takes the place of what was open.
    if (shut && selected.has(shut)) void go(order.slice(order.indexOf(shut)).find((id) => !selected.has(id)), true);
    clear();
    void actions.setStatus(ids, "resolved");
  };

  /** Selects as far as the next row, and goes there. */
  const extend = (step: 1 | -1) => {
    const from = current();
    const to = besideOf(from, step);
    if (!to) return;
    setSelection((now) => {
      const begun = from && order.includes(from) && !now.ids.has(from) ? toggle(now, from) : { ...now, anchor: from ?? now.anchor };
      return rangeTo(begun, order, to);
    });
    setWalkTo({ id: to });
  };

  useShortcuts(
    {
      j: () => void go(beside(1) ?? here()),
      k: () => void go(beside(-1) ?? here()),
      c: () => {
        expect("new mail");
        void go(NEW);
      },
      J: () => extend(1),
      K: () => extend(-1),
      x: () => {
        const id = current() ?? order[0];
        if (!id || !order.includes(id)) return;
        select(id, false);
        setWalkTo({ id });
      },
      e: () => {
        if (selected.size > 0) return resolveSelected();
        const id = current();
        if (!id) return;
        if (id === here()) next();
        else {
          const after = besideOf(id, 1) ?? besideOf(id, -1);
          if (after) setWalkTo({ id: after });
        }
        void actions.setStatus(id, "resolved");
      },
    },
    session.user.single_key_shortcuts,
  );

  const selecting = selected.size > 0;
  useEffect(() => {
    if (!selecting) return;
    const listener = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented || isTyping(event.target)) return;
      // What floats over the list closes first.
      if (document.querySelector('[aria-modal="true"],[aria-haspopup][aria-expanded="true"]')) return;
      clear();
    };
    document.addEventListener("keydown", listener);
    return () => document.removeEventListener("keydown", listener);
  }, [selecting, clear]);

  const tabs = (
    <nav className={css.views} aria-label={t("list.views")}>
      {TABS.map((one) => (
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
      <Suspense fallback={<span className={css.view} />}>
        <ViewsMenu view={view} name={name} className={css.view} icon={<ViewsIcon size={16} />} more={<DownIcon size={10} />} />
      </Suspense>
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
  );

  return (
    <Workspace
      listName={t("list.name", { view: name })}
      conversation={open}
      nothing={!shown.isPending && rows.length === 0}
      onBack={() => void go(undefined)}
      onNext={next}
      onTool={(wanted) => {
        if (!selecting) return false;
        setTool(wanted);
        return true;
      }}
      onMacros={() => {
        if (!selecting) return false;
        askForMacros([...selected], true);
        return true;
      }}
      list={
        <>
          <h1 className="sr-only">{name}</h1>
          {selecting ? (
            <Suspense fallback={tabs}>
              <BulkBar
                rows={chosen}
                loaded={order.length}
                tool={tool}
                setTool={setTool}
                selectAll={() => setSelection(all(order, MOST_AT_ONCE))}
                clear={clear}
                resolve={resolveSelected}
              />
            </Suspense>
          ) : (
            tabs
          )}
          {mail && (
            <Link to="/inbox/$view/$conversation" params={{ view, conversation: NEW }} className={css.mail} preload={false}>
              <PencilIcon size={15} />
              <span>{t("view.drafts_mail")}</span>
              <b>{mail.subject || mail.preview}</b>
            </Link>
          )}
          {gone ? (
            <Blank icon={ViewsIcon} title={t("view.gone")} text={t("view.gone_text")}>
              <Button component={Link} to="/inbox/mine" variant="default">
                {t("action.to_inbox")}
              </Button>
            </Blank>
          ) : saved.isError && filter === null ? (
            <Failure error={saved.error} retry={() => void saved.refetch()} />
          ) : shown.isPending ? (
            <Skeleton rows={9} />
          ) : shown.isError && !shown.data ? (
            <Failure error={shown.error} retry={() => void shown.refetch()} />
          ) : rows.length === 0 && !mail ? (
            <Blank
              icon={CheckIcon}
              title={t(drafting ? "view.drafts_empty" : fixed ? EMPTY_TITLES[fixed] : "view.saved_empty")}
              text={t(drafting ? "view.drafts_empty_text" : fixed ? EMPTY_TEXTS[fixed] : "view.saved_empty_text")}
            >
              {view === "mine" && (counts.data?.unassigned ?? 0) > 0 && (
                <Button component={Link} to="/inbox/unassigned" variant="default">
                  {t("view.take_one", { count: counts.data?.unassigned ?? 0 })}
                </Button>
              )}
            </Blank>
          ) : (
            <ConversationList
              key={view}
              name={name}
              place={view}
              rows={rows}
              open={open}
              showAssignee={view !== "mine" && view !== "unassigned"}
              more={!drafting && list.hasNextPage}
              loadingMore={list.isFetchingNextPage}
              moreError={list.isFetchNextPageError ? list.error : null}
              loadMore={() => void list.fetchNextPage()}
              hrefOf={(id) => `/inbox/${view}/${id}`}
              selected={selected}
              onSelect={select}
              walkTo={walkTo}
            />
          )}
        </>
      }
    />
  );
}
