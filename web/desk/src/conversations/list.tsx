// SPDX-License-Identifier: EUPL-1.2
//! The virtual list. Rows are 64 px, so keeping what is read in its place is arithmetic.

import type { ConversationRow, Uuid } from "@belofte/api-client";
import { Button } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { explainShort } from "../app/states";
import { useWords } from "../i18n";
import { UpIcon } from "../ui/icons";
import { anchorShift, ROW } from "./anchor";
import css from "./list.module.css";
import { Row } from "./row";

/** Further down than this a reload begins at the top: nobody waits for so many rows. */
const MOST_ROWS = 1_000;

// How far each list was scrolled; a number of pixels says nothing about anybody.
const PLACE = "belofte.place.";
const placeOf = (list: string): number => Number(sessionStorage.getItem(PLACE + list) ?? 0);
const keepPlace = (list: string, top: number) => sessionStorage.setItem(PLACE + list, String(Math.round(top)));

interface Props {
  name: string;
  /** Under which the scroll position is kept while the desk is open. */
  place: string;
  rows: ConversationRow[];
  open: string | undefined;
  showAssignee: boolean;
  more: boolean;
  loadingMore: boolean;
  moreError: unknown;
  loadMore: () => void;
  /** The address of a conversation in this list. */
  hrefOf: (id: string) => string;
  selected: ReadonlySet<Uuid>;
  onSelect: (id: Uuid, range: boolean) => void;
  /** The row that the focus goes to; another object each time that it goes there. */
  walkTo: { id: Uuid } | null;
}

export function ConversationList(props: Props) {
  const { rows, open, more, loadingMore, loadMore } = props;
  const words = useWords();
  const { t } = words;
  const scroller = useRef<HTMLDivElement>(null);
  const pointerInside = useRef(false);
  const before = useRef<ConversationRow[]>(rows);
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  // After a reload only the first rows are there: further ones are fetched until the old place is among them.
  const wanted = useRef(placeOf(props.place));
  const [now, setNow] = useState(() => new Date());

  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 5,
    getItemKey: (index) => rows[index]?.id ?? index,
    initialOffset: () => placeOf(props.place),
  });

  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), 30_000);
    return () => clearInterval(timer);
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when the rows change, and only then
  useLayoutEffect(() => {
    const element = scroller.current;
    const old = before.current;
    before.current = rows;
    if (!element || old === rows || old.length === 0) return;
    const known = new Set(old.map((row) => `${row.id} ${row.placed_at}`));
    const arrived: string[] = [];
    for (const row of rows) {
      if (known.has(`${row.id} ${row.placed_at}`)) break;
      if (row.id !== open) arrived.push(row.id);
    }
    // At the top with nothing under the pointer new rows slide in. A move of the
    // open conversation alone is the reader's own doing and is followed.
    const followed = element.scrollTop === 0 && arrived.length === 0;
    if (followed || (element.scrollTop === 0 && !pointerInside.current)) return;
    const shift = anchorShift(old, rows, element.scrollTop);
    if (shift !== 0) element.scrollTop += shift;
    // A list that is too short to move shows them: nothing waits above, and a pill would only cover the first.
    if (arrived.length > 0 && element.scrollTop > 0) setFresh((have) => new Set([...have, ...arrived]));
  }, [rows]);

  const items = virtual.getVirtualItems();
  const lastIndex = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !loadingMore && !props.moreError && lastIndex >= rows.length - 12) loadMore();
  }, [more, loadingMore, props.moreError, lastIndex, rows.length, loadMore]);

  useEffect(() => {
    const element = scroller.current;
    if (!element || wanted.current === 0) return;
    const within = rows.length * ROW - element.clientHeight >= wanted.current;
    if (!within && more && !props.moreError && rows.length < MOST_ROWS) {
      if (!loadingMore) loadMore();
      return;
    }
    element.scrollTop = wanted.current;
    wanted.current = 0;
  }, [rows.length, more, loadingMore, props.moreError, loadMore]);
  const giveUpPlace = () => {
    wanted.current = 0;
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: follows the open conversation, not the scrolling
  useEffect(() => {
    const index = rows.findIndex((row) => row.id === open);
    if (index >= 0) virtual.scrollToIndex(index, { align: "auto" });
  }, [open]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: goes where it is sent, once
  useEffect(() => {
    const index = rows.findIndex((row) => row.id === props.walkTo?.id);
    if (index < 0) return;
    virtual.scrollToIndex(index, { align: "auto" });
    // A row that comes into sight is painted with the next frame.
    const focus = () => scroller.current?.querySelector<HTMLElement>(`[data-row="${props.walkTo?.id}"]`)?.focus({ preventScroll: true });
    focus();
    const frame = requestAnimationFrame(focus);
    return () => cancelAnimationFrame(frame);
  }, [props.walkTo]);

  return (
    <div className={css.holder} data-selecting={props.selected.size > 0 || undefined}>
      {fresh.size > 0 && (
        <button
          type="button"
          className={css.pill}
          onClick={() => {
            setFresh(new Set());
            scroller.current?.scrollTo({ top: 0 });
          }}
        >
          <UpIcon size={14} /> {t("list.new", { count: fresh.size })}
        </button>
      )}
      <div
        ref={scroller}
        className={css.scroller}
        onWheel={giveUpPlace}
        onPointerDown={giveUpPlace}
        onPointerEnter={() => {
          pointerInside.current = true;
        }}
        onPointerLeave={() => {
          pointerInside.current = false;
        }}
        onScroll={(event) => {
          const top = event.currentTarget.scrollTop;
          if (wanted.current === 0) keepPlace(props.place, top);
          if (top === 0 && fresh.size > 0) setFresh(new Set());
        }}
      >
        <ul className={css.rows} aria-label={props.name} style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = rows[item.index];
            if (!row) return null;
            return (
              <li
                key={item.key}
                className={css.item}
                aria-setsize={more ? -1 : rows.length}
                aria-posinset={item.index + 1}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <Row
                  row={row}
                  open={row.id === open}
                  now={now}
                  showAssignee={props.showAssignee}
                  href={props.hrefOf(row.id)}
                  selected={props.selected.has(row.id)}
                  onSelect={props.onSelect}
                />
              </li>
            );
          })}
        </ul>
        <div className={css.end}>
          {props.moreError ? (
            <>
              <span role="alert">{explainShort(props.moreError, words)}</span>
              <Button size="compact-sm" variant="default" onClick={loadMore}>
                {t("action.try_again")}
              </Button>
            </>
          ) : more ? (
            <span>{t("list.loading_more")}</span>
          ) : (
            <span>{t("list.end", { count: rows.length })}</span>
          )}
        </div>
      </div>
    </div>
  );
}
