// SPDX-License-Identifier: EUPL-1.2

import { Button } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { defaultRangeExtractor, type Range, useVirtualizer } from "@tanstack/react-virtual";
import { type ComponentProps, useCallback, useEffect, useEffectEvent, useLayoutEffect, useMemo, useRef, useState } from "react";
import { api } from "../app/api";
import { callOff } from "../app/hold";
import { patchLists, rowOf } from "../app/lists";
import { activityQuery, conversationQuery, messagesQuery, queryClient } from "../app/queries";
import { useSession } from "../app/session";
import { Failure, FailureLine, Skeleton } from "../app/states";
import { useWords } from "../i18n";
import { useReadNotifications } from "../notifications/use-read";
import { DownIcon } from "../ui/icons";
import { MessageView } from "../messages/message";
import { ActivityLine } from "./activity";
import { Composer, MESSAGES } from "./composer";
import { Header } from "./header";
import { jumped, useJump } from "./jump";
import { useLead, useMoved } from "./lead";
import css from "./thread.module.css";
import { keepThreadPlace, type Place, placeAfterReload } from "./thread-place";
import { estimate, keyOf, weave } from "./weave";

/** By then everything in sight has been measured, in milliseconds. */
const SETTLED_MS = 2_000;

/** So many pixels before the top the next page is fetched. */
const NEAR_TOP = 1200;

type Props = { id: string } & Omit<ComponentProps<typeof Header>, "conversation">;

export function Thread({ id, ...frame }: Props) {
  const { t } = useWords();
  const session = useSession();
  const conversation = useQuery(conversationQuery(id));
  const messages = useInfiniteQuery(messagesQuery(id));
  const activity = useQuery(activityQuery(id));
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const scrolled = useRef({ top: 0, height: 0 });
  const [below, setBelow] = useState(0);

  const all = useMemo(() => [...(messages.data?.pages ?? [])].reverse().flatMap((p) => p.items), [messages.data]);
  const entries = useMemo(
    () => weave(all, activity.data?.items ?? [], !messages.hasNextPage),
    [all, activity.data, messages.hasNextPage],
  );
  useLead(id, conversation.data);
  useMoved(id, conversation.data?.message_count, all.length);
  const [focused, setFocused] = useState<string | null>(null);
  const rangeExtractor = useCallback(
    (range: Range) => {
      const shown = defaultRangeExtractor(range);
      // What has the focus stays, however far one scrolls: else the focus would be nowhere.
      const held = focused === null ? -1 : entries.findIndex((entry) => keyOf(entry) === focused);
      if (held < 0 || shown.includes(held)) return shown;
      return [...shown, held].sort((a, b) => a - b);
    },
    [entries, focused],
  );
  const virtual = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => estimate(entries[index]),
    getItemKey: (index) => keyOf(entries[index]),
    rangeExtractor,
    overscan: 6,
    gap: 4,
    paddingStart: messages.hasNextPage ? 64 : 16,
    paddingEnd: 24,
  });
  const items = virtual.getVirtualItems();

  // Older messages come in above; what is being read stays where it is.
  const reading = useRef<{ key: string; start: number } | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when the entries change, and only then
  useLayoutEffect(() => {
    const element = scroller.current;
    const known = reading.current;
    if (!element || !known || atEnd.current) return;
    const index = entries.findIndex((entry) => keyOf(entry) === known.key);
    const start = virtual.measurementsCache[index]?.start;
    if (start !== undefined && start !== known.start) element.scrollTop += start - known.start;
  }, [entries]);
  useLayoutEffect(() => {
    const top = scroller.current?.scrollTop ?? 0;
    const item = items.find((one) => one.end > top);
    reading.current = item ? { key: String(item.key), start: item.start } : null;
  });

  // The place of before a reload. It is sought again while what stands above it is being measured,
  // until the reader moves or everything has its height.
  const place = useRef<Place | null>(null);
  const toPlace = useEffectEvent(() => {
    const { current } = place;
    const index = current ? entries.findIndex((entry) => keyOf(entry) === current.key) : -1;
    const start = virtual.measurementsCache[index]?.start;
    if (!current || start === undefined || !scroller.current) return false;
    scroller.current.scrollTop = start + current.below;
    return true;
  });
  const leavePlace = () => {
    place.current = null;
  };

  const lastId = all.at(-1)?.id;
  const lastMine = all.at(-1)?.author.id === session.user.id;
  const lastRef = useRef<string | undefined>(undefined);

  const toEnd = useCallback(() => {
    const element = scroller.current;
    if (element) element.scrollTop = element.scrollHeight;
    setBelow(0);
  }, []);

  // A new message comes into sight when the end was in sight; else a pill tells of it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when the last message is another one, and only then
  useLayoutEffect(() => {
    if (!lastId) return;
    const first = lastRef.current === undefined;
    if (lastRef.current === lastId) return;
    lastRef.current = lastId;
    if (first) place.current = placeAfterReload(id);
    if (first && toPlace()) {
      atEnd.current = false;
      return;
    }
    if (first || atEnd.current || lastMine) toEnd();
    else setBelow((count) => count + 1);
  }, [lastId, lastMine, toEnd]);

  // Mail in frames gets its height late; whoever reads the end stays there.
  useEffect(() => {
    const element = content.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      if (place.current) toPlace();
      else if (atEnd.current) toEnd();
    });
    observer.observe(element);
    const settled = setTimeout(() => {
      place.current = null;
    }, SETTLED_MS);
    return () => {
      clearTimeout(settled);
      observer.disconnect();
    };
  }, [toEnd]);

  const unread = conversation.data?.unread ?? false;
  useEffect(() => {
    if (!unread) return;
    const mark = () => {
      if (document.visibilityState !== "visible") return;
      document.removeEventListener("visibilitychange", mark);
      api.conversations
        .seen(id)
        .then(() => {
          const now = queryClient.getQueryData(conversationQuery(id).queryKey);
          if (!now) return;
          const seen = { ...now, unread: false };
          queryClient.setQueryData(conversationQuery(id).queryKey, seen);
          patchLists(rowOf(seen), session.user.id);
        })
        .catch(() => {
          // It stays bold and is marked at the next look: nothing to tell anybody.
        });
    };
    mark();
    document.addEventListener("visibilitychange", mark);
    return () => document.removeEventListener("visibilitychange", mark);
  }, [id, unread, session.user.id]);

  useReadNotifications(id);

  const older = () => {
    if (messages.hasNextPage && !messages.isFetchingNextPage) void messages.fetchNextPage();
  };

  // Somebody who is told of a message is led to it, however far back it stands.
  const jump = useJump(id);
  const [shown, setShown] = useState<string | null>(null);
  const toMessage = useEffectEvent((message: string) => {
    if (!messages.data || messages.isFetching) return;
    if (!entries.some((entry) => keyOf(entry) === message)) {
      if (messages.hasNextPage && !messages.isFetchNextPageError) older();
      else jumped(id);
      return;
    }
    atEnd.current = false;
    place.current = { key: message, below: -12 };
    toPlace();
    setBelow(0);
    setShown(message);
    scroller.current?.focus({ preventScroll: true });
    jumped(id);
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: looked for again when more is there
  useEffect(() => {
    if (jump) toMessage(jump);
  }, [jump, entries, messages.isFetching]);
  useEffect(() => {
    if (!shown) return;
    const timer = setTimeout(() => {
      setShown(null);
      place.current = null;
    }, SETTLED_MS);
    return () => clearTimeout(timer);
  }, [shown]);

  const failed = conversation.isError && !conversation.data;
  useEffect(() => {
    if (!failed) return;
    // No composer comes and no list of colleagues: the keys are the desk's again.
    callOff(`composer ${id}`);
    callOff("assign");
    callOff("tag");
    callOff("queue");
  }, [failed, id]);

  if (failed) {
    return (
      <>
        <Header conversation={null} {...frame} />
        <Failure error={conversation.error} retry={() => void conversation.refetch()} />
      </>
    );
  }

  return (
    <>
      <Header conversation={conversation.data ?? null} {...frame} />
      <div className={css.holder}>
        <div
          ref={scroller}
          id={MESSAGES}
          className={css.scroller}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
          tabIndex={0}
          role="log"
          aria-label={t("thread.messages")}
          aria-live="off"
          onWheel={leavePlace}
          onPointerDown={leavePlace}
          onKeyDown={leavePlace}
          onScroll={(event) => {
            const el = event.currentTarget;
            const { top, height } = scrolled.current;
            scrolled.current = { top: el.scrollTop, height: el.scrollHeight };
            if (place.current) return;
            // Messages that turn out higher than was thought move the end away; only a reader leaves it.
            if (el.scrollHeight - el.scrollTop - el.clientHeight < 48) atEnd.current = true;
            else if (el.scrollHeight === height || el.scrollTop < top) atEnd.current = false;
            if (atEnd.current && below > 0) setBelow(0);
            const first = atEnd.current ? undefined : virtual.getVirtualItemForOffset(el.scrollTop);
            keepThreadPlace(id, first ? { key: String(first.key), below: el.scrollTop - first.start } : null);
            // Fetched before the reader is there; a failure waits for the button.
            if (el.scrollTop < NEAR_TOP && !atEnd.current && !messages.isFetchNextPageError) older();
          }}
        >
          {messages.isPending && <Skeleton rows={4} height={120} />}
          {messages.isError && !messages.data && (
            <div className={css.failure}>
              <FailureLine error={messages.error} retry={() => void messages.refetch()} />
            </div>
          )}
          <div ref={content} className={css.content} style={{ height: entries.length > 0 ? virtual.getTotalSize() : 0 }}>
            {messages.hasNextPage && (
              <Button
                variant="default"
                className={css.older}
                loading={messages.isFetchingNextPage}
                onClick={older}
              >
                {t("thread.older")}
              </Button>
            )}
            {items.map((item) => {
              const entry = entries[item.index];
              if (!entry) return null;
              return (
                // biome-ignore lint/a11y/noStaticElementInteractions: notes where the focus is, and is nothing to act on
                <div
                  key={item.key}
                  ref={virtual.measureElement}
                  data-index={item.index}
                  data-shown={item.key === shown || undefined}
                  className={css.entry}
                  style={{ transform: `translateY(${item.start}px)` }}
                  onFocus={() => setFocused(String(item.key))}
                  onBlur={() => setFocused(null)}
                >
                  {entry.kind === "message" ? (
                    <MessageView message={entry.message} />
                  ) : (
                    <ActivityLine activity={entry.activity} />
                  )}
                </div>
              );
            })}
          </div>
        </div>
        {below > 0 && (
          <button type="button" className={css.pill} onClick={toEnd}>
            <DownIcon size={14} /> {t("thread.new", { count: below })}
          </button>
        )}
      </div>
      <Composer id={id} conversation={conversation.data ?? null} messages={all} onNext={frame.onNext} />
    </>
  );
}
