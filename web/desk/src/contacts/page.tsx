// SPDX-License-Identifier: EUPL-1.2
//! Everybody who ever wrote: found by words and by what is kept of them, in an order, with the columns one wants to see.
//! The words and values stand in this tab's private store and in the body of the request, never in an address.

import { ApiError, type Contact, type Order, type Uuid } from "@belofte/api-client";
import { Button, CloseButton, TextInput } from "@mantine/core";
import { useDebouncedValue, useMediaQuery } from "@mantine/hooks";
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useRouter } from "@tanstack/react-router";
import { type ComponentProps, lazy, Suspense, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "react";
import { keys, queryClient } from "../app/queries";
import { useSession } from "../app/session";
import { isTyping, useShortcuts } from "../app/shortcuts";
import { Blank, explainShort, Failure, Skeleton } from "../app/states";
import { useTitle } from "../app/title";
import { isFocusLost } from "../fields/focus";
import { useWords } from "../i18n";
import { ContactsIcon, DownloadIcon, FilterIcon, PlusIcon, SearchIcon } from "../ui/icons";
import { addContact, closeAdding, useAdding } from "./adding";
import { ColumnsMenu, OrderMenu } from "./choices";
import { type Draft, isOwn, newDraft, sentOf } from "./conditions";
import { ContactView } from "./contact";
import { Filter } from "./filter";
import { keepLook, keepQuestion, keptLook, keptQuestion, type Look } from "./kept";
import { NewContact } from "./new-contact";
import css from "./page.module.css";
import { type Ask, contactFieldsQuery, contactsChanged, contactsQuery, isPlain, useChangedSince } from "./queries";
import { goesOn, PAGE, type Pages, progressOf, rowsOf } from "./rows";
import { ContactTable } from "./table";

type Exported = Pick<ComponentProps<typeof ExportDialog>, "ask" | "count" | "columns">;

const ExportDialog = lazy(() => import("./export-dialog"));

/** So long after somebody was added what is told of it may still come, in milliseconds. */
const OWN_MS = 5_000;

const contactIn = (path: string) => /^\/contacts\/([^/]+)\/?$/.exec(path)?.[1];

export function ContactsPage() {
  const words = useWords();
  const { t } = words;
  const { contact: open } = useParams({ strict: false });
  const navigate = useNavigate();
  const router = useRouter();
  const session = useSession();
  const compact = useMediaQuery("(max-width: 639.98px)", undefined, { getInitialValueInEffect: false });
  const narrow = useMediaQuery("(max-width: 1023.98px)", undefined, { getInitialValueInEffect: false });
  const filterId = useId();
  const field = useRef<HTMLInputElement>(null);
  const filterButton = useRef<HTMLButtonElement>(null);
  const adder = useRef<HTMLButtonElement>(null);
  const [question, setQuestion] = useState(keptQuestion);
  const [look, setLook] = useState(keptLook);
  const [filtering, setFiltering] = useState(() => question.drafts.length > 0);
  const byHand = useRef(false);
  useTitle(t("rail.contacts"));

  useEffect(() => keepQuestion(question), [question]);
  const change = (part: Partial<typeof question>) => setQuestion((was) => ({ ...was, ...part }));
  const relook = (part: Partial<Look>) => {
    const next = { ...look, ...part };
    setLook(next);
    keepLook(next);
  };

  const known = useQuery(contactFieldsQuery);
  const fields = useMemo(() => known.data ?? [], [known.data]);
  const columns = useMemo(
    () => look.columns.flatMap((id) => fields.find((one) => one.field_id === id) ?? []),
    [look.columns, fields],
  );
  const order = look.order?.by === "field" && !fields.some((one) => one.field_id === look.order?.field_id) ? null : look.order;

  const [asked] = useDebouncedValue(question, 250);
  const sent = useMemo(() => sentOf(asked.drafts, fields), [asked.drafts, fields]);
  const ask = useMemo((): Ask => {
    const q = asked.q.trim();
    const { conditions } = sent;
    return {
      ...(q ? { q } : {}),
      ...(conditions.length > 0 ? { conditions } : {}),
      ...(conditions.length > 1 && asked.any ? { any: true } : {}),
      ...(order ? { order } : {}),
      ...(columns.length > 0 ? { field_ids: columns.map((one) => one.field_id) } : {}),
    };
  }, [asked.q, asked.any, sent, order, columns]);
  // What is asked by a field waits until it is known which there are.
  const needs = look.columns.length > 0 || look.order?.by === "field" || asked.drafts.some((one) => !isOwn(one.about));
  const list = useInfiniteQuery({
    ...contactsQuery(ask),
    enabled: !needs || !known.isPending,
    placeholderData: keepPreviousData,
  });

  const pages = useMemo(() => list.data?.pages ?? [], [list.data]);
  const rows = useMemo(() => rowsOf(pages), [pages]);
  const progress = progressOf(pages);
  const print = useMemo(() => JSON.stringify(ask), [ask]);
  const [wish, setWish] = useState({ print, rows: PAGE, from: 0 });
  const wanted = wish.print === print ? wish : { rows: PAGE, from: 0 };
  const goOn = !list.isPlaceholderData && goesOn(pages, wanted.rows, wanted.from);
  const { fetchNextPage, hasNextPage, isFetchingNextPage, isFetchNextPageError } = list;
  useEffect(() => {
    if (goOn && hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  }, [goOn, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);
  const more = () => {
    setWish({ print, rows: rows.length + PAGE, from: pages.length });
    void fetchNextPage();
  };
  const refresh = () => {
    // Only the first page: each of the others looks through everybody once more.
    queryClient.setQueryData<Pages>(contactsQuery(ask).queryKey, (old) =>
      old ? { pages: old.pages.slice(0, 1), pageParams: old.pageParams.slice(0, 1) } : old,
    );
    void list.refetch();
  };
  const retry = () => {
    // A field that was named may be gone.
    void queryClient.invalidateQueries({ queryKey: keys.fields });
    void list.refetch();
  };
  const changed = useChangedSince(list.isFetching ? 0 : list.dataUpdatedAt) && (!isPlain(ask) || pages.length > 1);

  const wrong = useMemo(() => {
    const found = new Map<string, string>();
    if (!(list.error instanceof ApiError) || list.error.code !== "invalid") return found;
    for (const one of list.error.fields) {
      const at = /^conditions\[(\d+)\]\./.exec(one.field)?.[1];
      const key = at === undefined ? undefined : sent.keys[Number(at)];
      if (key) found.set(key, words.tOr(`field_error.${one.code}`, "field_error.invalid"));
    }
    return found;
  }, [list.error, sent, words]);

  const here = () => contactIn(router.history.location.pathname);
  // Keys walk through the list; who opens somebody goes on in what is known of them.
  const walking = useRef(false);
  const go = (id: Uuid | undefined) =>
    void (id ? navigate({ to: "/contacts/$contact", params: { contact: id } }) : navigate({ to: "/contacts" }));
  const walk = (step: 1 | -1) => {
    const at = rows.findIndex((row) => row.id === here());
    const next = at < 0 ? rows[0]?.id : (rows[at + step]?.id ?? here());
    if (!next) return;
    walking.current = true;
    go(next);
  };
  useShortcuts({ j: () => walk(1), k: () => walk(-1) }, session.user.single_key_shortcuts);
  const takesFocus = () => {
    // What the keyboard was on has gone with the person who was open before.
    const takes = !walking.current || isFocusLost();
    walking.current = false;
    return takes;
  };

  const before = useRef(open);
  useLayoutEffect(() => {
    const was = before.current;
    before.current = open;
    if (open || !was) return;
    const row = document.querySelector<HTMLElement>(`[data-row="${CSS.escape(was)}"]`);
    (row ?? field.current)?.focus();
  }, [open]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: as long as somebody is open
  useEffect(() => {
    if (!open) return;
    const listener = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented || isTyping(event.target)) return;
      // What floats over the page closes first.
      if (document.querySelector('[aria-modal="true"],[aria-haspopup][aria-expanded="true"]')) return;
      go(undefined);
    };
    document.addEventListener("keydown", listener);
    return () => document.removeEventListener("keydown", listener);
  }, [open]);

  const mayExport = session.permissions.includes("export_contacts");
  // As the list was when it was asked for: a field that goes meanwhile makes it no wider.
  const [exporting, setExporting] = useState<Exported | null>(null);
  const exporter = useRef<HTMLButtonElement>(null);
  const endExporting = () => {
    setExporting(null);
    exporter.current?.focus();
  };
  const mayAdd = session.permissions.includes("answer");
  const adding = useAdding() && mayAdd;
  useEffect(() => closeAdding, []);
  const endAdding = () => {
    closeAdding();
    adder.current?.focus();
    // Where somebody is open and takes the place of the list.
    if (isFocusLost()) document.getElementById("view")?.focus();
  };
  const addedAt = useRef(0);
  const showAdded = ({ id }: Contact) => {
    addedAt.current = Date.now();
    closeAdding();
    if (isPlain(ask)) void contactsChanged();
    else refresh();
    go(id);
  };
  const lookFor = (address: string) => {
    closeAdding();
    change({ q: address, drafts: [] });
    setFiltering(false);
    if (open) go(undefined);
    field.current?.focus();
  };
  // Whoever added somebody looks for them in the list; what they did is no news to them.
  const news = changed && !isPlain(ask);
  // biome-ignore lint/correctness/useExhaustiveDependencies: when there is news, and only then
  useEffect(() => {
    if (news && Date.now() - addedAt.current < OWN_MS) refresh();
  }, [news]);

  const setDrafts = (drafts: Draft[]) => change({ drafts });
  const openFilter = () => {
    if (!filtering && question.drafts.length === 0) setDrafts([newDraft("name", fields)]);
    byHand.current = true;
    setFiltering(!filtering);
  };
  const closeFilter = () => {
    setFiltering(false);
    filterButton.current?.focus();
  };
  const asking = question.q.trim() !== "" || sent.conditions.length > 0;
  const clear = () => {
    change({ q: "", drafts: [] });
    setFiltering(false);
    field.current?.focus();
  };
  const fresh = list.data !== undefined && !list.isPlaceholderData;
  const openExport = () => setExporting({ ask, count: progress.total, columns: columns.map((one) => one.field_id) });

  return (
    <div className={css.space} data-open={open ? true : undefined} data-reading={open && compact ? true : undefined}>
      <main className={css.list} hidden={Boolean(open && narrow)}>
        <h1 className="sr-only">{t("rail.contacts")}</h1>
        <div className={css.bar}>
          <search className={css.search}>
            <TextInput
              id="search-field"
              ref={field}
              value={question.q}
              maxLength={200}
              onChange={(event) => change({ q: event.currentTarget.value })}
              onKeyDown={(event) => {
                if (event.key !== "Escape") return;
                if (question.q) change({ q: "" });
                else field.current?.blur();
              }}
              placeholder={t("contacts.hint")}
              aria-label={t("contacts.field")}
              leftSection={<SearchIcon size={16} />}
              rightSection={
                question.q ? <CloseButton size="sm" aria-label={t("search.clear")} onClick={() => change({ q: "" })} /> : null
              }
              autoComplete="off"
              spellCheck={false}
            />
          </search>
          {mayAdd && (
            <Button ref={adder} className={css.add ?? ""} aria-label={t("contacts.new")} title={t("contacts.new")} onClick={addContact}>
              <PlusIcon size={16} />
              <span className={css.word}>{t("contacts.new")}</span>
            </Button>
          )}
          <div className={css.choices}>
            <Button
              ref={filterButton}
              variant="default"
              className={css.choice ?? ""}
              data-active={sent.conditions.length > 0 || undefined}
              aria-expanded={filtering}
              aria-controls={filterId}
              leftSection={<FilterIcon size={15} />}
              onClick={openFilter}
            >
              {sent.conditions.length > 0 ? t("contacts.filter_count", { count: sent.conditions.length }) : t("contacts.filter")}
            </Button>
            <OrderMenu className={css.choice ?? ""} order={order} fields={fields} setOrder={(next) => relook({ order: next })} />
            {fields.length > 0 && (
              <ColumnsMenu className={css.choice ?? ""} chosen={columns.map((one) => one.field_id)} fields={fields} choose={(ids) => relook({ columns: ids })} />
            )}
          </div>
        </div>
        {filtering && (
          <Filter
            id={filterId}
            drafts={question.drafts}
            any={question.any}
            fields={fields}
            change={setDrafts}
            setAny={(any) => change({ any })}
            wrong={wrong}
            opened={byHand.current}
            close={closeFilter}
          />
        )}
        {list.isPending ? (
          <Skeleton rows={9} height={compact ? 64 : 44} />
        ) : wrong.size > 0 ? (
          <Blank icon={FilterIcon} title={t("contacts.wrong")} text={t("contacts.wrong_text")} />
        ) : list.isError && !list.data ? (
          <Failure error={list.error} retry={retry} />
        ) : rows.length === 0 && !hasNextPage ? (
          asking ? (
            <Blank icon={SearchIcon} title={t("contacts.nobody")} text={t("contacts.nobody_text")}>
              <Button variant="default" onClick={clear}>
                {sent.conditions.length > 0 ? t("contacts.clear_filter") : t("search.clear")}
              </Button>
            </Blank>
          ) : (
            <Blank icon={ContactsIcon} title={t("contacts.none")} text={t("contacts.none_text")}>
              {mayAdd && (
                <Button variant="default" onClick={addContact}>
                  {t("contacts.new")}
                </Button>
              )}
            </Blank>
          )
        ) : (
          <>
            <div className={css.count}>
              <p role="status">
                {progress.total !== null && !hasNextPage
                  ? t("contacts.count", { count: progress.total })
                  : progress.total !== null
                    ? t("contacts.count_of", { shown: rows.length, count: progress.total })
                    : hasNextPage
                      ? t("contacts.count_more", { count: rows.length })
                      : t("contacts.count", { count: rows.length })}
                {progress.lookedAt !== null && (
                  <span>
                    {" · "}
                    {t(goOn && hasNextPage ? "contacts.looking" : "contacts.looked_at", { count: progress.lookedAt })}
                  </span>
                )}
              </p>
              {changed && fresh && (
                <p className={css.changed}>
                  <span role="status">{t("contacts.changed")}</span>
                  <button type="button" onClick={refresh}>
                    {t("contacts.refresh")}
                  </button>
                </p>
              )}
              {mayExport && (
                <button ref={exporter} type="button" className={css.export} disabled={!fresh} onClick={openExport}>
                  <DownloadIcon size={14} />
                  {t("contacts.export_open")}
                </button>
              )}
            </div>
            <ContactTable
              rows={rows}
              columns={columns}
              order={order}
              setOrder={(next: Order) => relook({ order: next })}
              open={open}
              compact={compact ?? false}
              old={list.isPlaceholderData}
              end={
                isFetchNextPageError ? (
                  <div className={css.end}>
                    <span role="alert">{explainShort(list.error, words)}</span>
                    <Button variant="default" onClick={refresh}>
                      {t("contacts.refresh")}
                    </Button>
                    <Button variant="default" onClick={more}>
                      {t("action.try_again")}
                    </Button>
                  </div>
                ) : hasNextPage ? (
                  <div className={css.end}>
                    <Button variant="default" loading={isFetchingNextPage} onClick={more}>
                      {t(progress.cut ? "contacts.look_further" : "contacts.more")}
                    </Button>
                  </div>
                ) : null
              }
            />
          </>
        )}
      </main>
      {exporting !== null && (
        <Suspense>
          <ExportDialog
            {...exporting}
            hasFields={fields.length > 0}
            close={endExporting}
          />
        </Suspense>
      )}
      {adding && (
        <NewContact
          full={compact ?? false}
          close={endAdding}
          added={showAdded}
          find={lookFor}
        />
      )}
      {open && (
        <aside className={css.side} aria-label={t("contacts.contact")}>
          <ContactView key={open} id={open} alone={narrow ?? false} close={() => go(undefined)} takesFocus={takesFocus} />
        </aside>
      )}
    </div>
  );
}
