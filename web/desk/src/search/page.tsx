// SPDX-License-Identifier: EUPL-1.2
//! Search as you type. The words stand in this tab's private store and in the
//! body of the request, never in an address: they are often somebody's name.

import type { SearchHit } from "@belofte/api-client";
import { Button, CloseButton, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import { api } from "../app/api";
import { useHere } from "../app/here";
import { arrive } from "../app/hold";
import { useSession } from "../app/session";
import { useShortcuts } from "../app/shortcuts";
import { Blank, Failure, Skeleton } from "../app/states";
import { useTitle } from "../app/title";
import { useActions } from "../conversations/actions";
import { Row } from "../conversations/row";
import { Workspace } from "../conversations/workspace";
import { useWords } from "../i18n";
import { SearchIcon } from "../ui/icons";
import css from "./page.module.css";
import { keepSearchWords, searchWords, whenSearchedFor } from "./words";

export function SearchPage() {
  const { t } = useWords();
  const { conversation: open } = useParams({ strict: false });
  const navigate = useNavigate();
  const session = useSession();
  const here = useHere();
  const [text, setText] = useState(searchWords);
  const [focused, setFocused] = useState(false);
  const [q] = useDebouncedValue(text.trimStart(), 120);
  const field = useRef<HTMLInputElement>(null);
  const now = new Date();
  const { setStatus } = useActions();
  useTitle(t("rail.search"));

  useEffect(() => keepSearchWords(text), [text]);
  useEffect(() => whenSearchedFor(setText), []);
  useLayoutEffect(() => {
    if (open) return;
    field.current?.focus();
    field.current?.select();
    const typed = arrive("search");
    if (typed) setText(typed.replace(/\n/g, ""));
  }, [open]);

  const found = useInfiniteQuery({
    queryKey: ["search", q],
    queryFn: ({ pageParam, signal }) => api.search.find(q, pageParam || undefined, signal),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor || undefined,
    enabled: q.trim().length >= 2,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
    gcTime: 60_000,
  });
  const lastWord = q.split(/\s+/).at(-1) ?? "";
  const suggestions = useQuery({
    queryKey: ["suggest", lastWord],
    queryFn: ({ signal }) => api.search.suggest(lastWord, signal),
    enabled: focused && lastWord.length >= 3,
    staleTime: 60_000,
    gcTime: 60_000,
  });
  const hits: SearchHit[] = found.data?.pages.flatMap((page) => page.items) ?? [];
  const unindexed = found.data?.pages.some((page) => page.unindexed) ?? false;
  const lag = unindexed ? 0 : (found.data?.pages[0]?.indexed_lag ?? 0);

  const go = (id: string | undefined) =>
    id ? navigate({ to: "/search/$conversation", params: { conversation: id } }) : navigate({ to: "/search" });
  const beside = (step: 1 | -1) => {
    const at = hits.findIndex((hit) => hit.conversation.id === here());
    return at < 0 ? hits[0]?.conversation.id : hits[at + step]?.conversation.id;
  };
  useShortcuts(
    {
      j: () => void go(beside(1) ?? here()),
      k: () => void go(beside(-1) ?? here()),
      e: () => {
        const id = here();
        if (!id) return;
        const next = beside(1);
        if (next) void go(next);
        void setStatus(id, "resolved");
      },
    },
    session.user.single_key_shortcuts,
  );

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      if (text) setText("");
      else field.current?.blur();
    }
    if (event.key === "Enter" && hits[0]) {
      event.preventDefault();
      field.current?.blur();
      void go(hits[0].conversation.id);
    }
  };

  const chips = focused
    ? [
        ...(suggestions.data?.contacts.map((one) => ({ key: one.id, label: one.name || one.address, value: one.name || one.address })) ?? []),
        ...(suggestions.data?.words
          .filter((word) => word !== lastWord)
          .map((word) => ({ key: word, label: word, value: [...q.split(/\s+/).slice(0, -1), word].join(" ") })) ?? []),
      ].slice(0, 6)
    : [];

  return (
    <Workspace
      listName={t("search.results")}
      conversation={open}
      onBack={() => void go(undefined)}
      onNext={() => void go(beside(1) ?? beside(-1))}
      list={
        <>
          <h1 className="sr-only">{t("rail.search")}</h1>
          <search className={css.bar}>
            <TextInput
              id="search-field"
              ref={field}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
              onKeyDown={onKeyDown}
              onFocus={() => setFocused(true)}
              onBlur={() => setTimeout(() => setFocused(false), 150)}
              placeholder={t("search.hint")}
              aria-label={t("search.field")}
              leftSection={<SearchIcon size={16} />}
              rightSection={
                text ? <CloseButton size="sm" aria-label={t("search.clear")} onClick={() => setText("")} /> : null
              }
              autoComplete="off"
              spellCheck={false}
            />
          </search>
          {chips.length > 0 && (
            <ul className={css.chips} aria-label={t("search.suggestions")}>
              {chips.map((chip) => (
                <li key={chip.key}>
                  <button
                    type="button"
                    onMouseDown={(event) => event.preventDefault()}
                    onClick={() => {
                      setText(chip.value);
                      field.current?.focus();
                    }}
                  >
                    {chip.label}
                  </button>
                </li>
              ))}
            </ul>
          )}
          {q.trim().length < 2 ? (
            <Blank icon={SearchIcon} title={t("search.start")} text={t("search.start_text")} />
          ) : found.isPending ? (
            <Skeleton rows={6} />
          ) : found.isError ? (
            <Failure error={found.error} retry={() => void found.refetch()} />
          ) : hits.length === 0 && !found.hasNextPage ? (
            <Blank icon={SearchIcon} title={t("search.nothing", { q })} text={t("search.nothing_text")} />
          ) : (
            <div className={css.hits} data-old={found.isPlaceholderData || undefined}>
              <p className={css.count} role="status">
                {found.hasNextPage ? t("search.count_more", { count: hits.length }) : t("search.count", { count: hits.length })}
                {lag > 0 && <span> {t("search.lag", { count: lag })}</span>}
                {unindexed && <span> {t("search.unindexed")}</span>}
              </p>
              <ul>
                {hits.map((hit) => (
                  <li key={`${hit.conversation.id} ${hit.message_id ?? hit.matched}`}>
                    <Row
                      row={{ ...hit.conversation, last_message_at: hit.at }}
                      open={hit.conversation.id === open}
                      now={now}
                      showAssignee={false}
                      href={`/search/${hit.conversation.id}`}
                      second={<Snippet hit={hit} />}
                    />
                  </li>
                ))}
              </ul>
              {found.hasNextPage && (
                <div className={css.more}>
                  <Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
                    {t("search.more")}
                  </Button>
                </div>
              )}
            </div>
          )}
        </>
      }
    />
  );
}

const BEFORE = 22;

/** Keeps the first match in sight: a row is narrow and what stands before it is the least of it. */
export function aroundMatch(snippet: SearchHit["snippet"]): SearchHit["snippet"] {
  const first = snippet[0];
  if (!first || first.match || first.text.length <= BEFORE || snippet.length === 1) return snippet;
  const tail = first.text.slice(-BEFORE);
  return [{ text: `…${tail.slice(tail.indexOf(" ") + 1)}`, match: false }, ...snippet.slice(1)];
}

export function Snippet({ hit }: { hit: SearchHit }) {
  return (
    <span className={css.snippet}>
      {aroundMatch(hit.snippet).map((part, index) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one hit never change
        part.match ? <mark key={index}>{part.text}</mark> : part.text,
      )}
    </span>
  );
}
