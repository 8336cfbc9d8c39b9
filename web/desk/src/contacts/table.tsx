// SPDX-License-Identifier: EUPL-1.2
//! People in rows: a table where there is room, two lines each on a phone.

import type { ContactRow, Order, Subject } from "@belofte/api-client";
import { useRouter } from "@tanstack/react-router";
import { type MouseEvent, memo, type ReactNode, useLayoutEffect, useRef } from "react";
import { said, shown } from "../fields/value";
import { useWords } from "../i18n";
import { DownIcon, UpIcon } from "../ui/icons";
import { Monogram } from "../ui/monogram";
import type { ContactField } from "./conditions";
import { addedBefore } from "./rows";
import css from "./table.module.css";

/** Heights in pixels: rows that come above what is read move it by whole ones. */
const TABLE_ROW = 44;
const COMPACT_ROW = 64;

interface Props {
  rows: ContactRow[];
  columns: ContactField[];
  order: Order | null;
  setOrder: (order: Order) => void;
  open: string | undefined;
  compact: boolean;
  /** What stands below the last row. */
  end: ReactNode;
  /** Whether the rows are those of the question before. */
  old: boolean;
}

const nameOf = (row: ContactRow) => row.name || row.addresses[0] || "";

/** Figures stand under each other. */
const isFigure = ({ kind }: ContactField) => kind === "integer" || kind === "decimal" || kind === "money";

export function ContactTable({ rows, columns, order, setOrder, open, compact, end, old }: Props) {
  const { t, language } = useWords();
  const scroller = useRef<HTMLDivElement>(null);
  const inside = useRef(false);
  const before = useRef(rows);
  useLayoutEffect(() => {
    const element = scroller.current;
    const was = before.current;
    before.current = rows;
    if (!element || was === rows) return;
    const added = addedBefore(was, rows);
    if (added > 0 && (element.scrollTop > 0 || inside.current)) element.scrollTop += added * (compact ? COMPACT_ROW : TABLE_ROW);
  }, [rows, compact]);
  useLayoutEffect(() => {
    if (open) scroller.current?.querySelector(`[data-row="${open}"]`)?.scrollIntoView({ block: "nearest" });
  }, [open]);

  // A share of a wide table would be more than there is room for.
  const many = columns.length > 3;
  const sortable = (by: Subject, label: string, field?: string, figure = false) => {
    const sorted = order !== null && order.by === by && (order.field_id ?? undefined) === field;
    const down = sorted && order.descending === true;
    return (
      <th key={field ?? by} scope="col" aria-sort={sorted ? (down ? "descending" : "ascending") : undefined} data-figure={figure || undefined}>
        <button
          type="button"
          className={css.sort}
          title={t("contacts.sort_by", { column: label })}
          onClick={() => setOrder({ by, ...(field ? { field_id: field } : {}), descending: sorted && !down })}
        >
          <span>{label}</span>
          {sorted && (down ? <DownIcon size={12} /> : <UpIcon size={12} />)}
        </button>
      </th>
    );
  };

  return (
    <div
      ref={scroller}
      className={css.scroller}
      data-old={old || undefined}
      // The names stand apart once something has gone under them.
      onScroll={(event) => event.currentTarget.toggleAttribute("data-sideways", event.currentTarget.scrollLeft > 0)}
      onPointerEnter={() => {
        inside.current = true;
      }}
      onPointerLeave={() => {
        inside.current = false;
      }}
    >
      {compact ? (
        <ul className={css.compact} aria-label={t("contacts.list")}>
          {rows.map((row) => (
            <CompactRow key={row.id} row={row} columns={columns} open={row.id === open} />
          ))}
        </ul>
      ) : (
        <table className={css.table} aria-label={t("contacts.list")} style={{ minWidth: (many ? 718 : 572) + columns.length * 128 }}>
          <colgroup>
            <col style={{ width: many ? 240 : columns.length > 0 ? "24%" : "36%" }} />
            <col style={many ? { width: 220 } : columns.length > 0 ? { width: "21%" } : {}} />
            {columns.map((one) => (
              <col key={one.field_id} />
            ))}
            <col style={{ width: 128 }} />
            <col style={{ width: 130 }} />
          </colgroup>
          <thead>
            <tr>
              {sortable("name", t("contacts.name"))}
              {sortable("address", t("contacts.address"))}
              {columns.map((one) => sortable("field", said(one.label, language), one.field_id, isFigure(one)))}
              <th scope="col" data-figure>
                {t("contacts.conversations")}
              </th>
              <th scope="col" data-figure>
                {t("contacts.last_message")}
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <WideRow key={row.id} row={row} columns={columns} open={row.id === open} />
            ))}
          </tbody>
        </table>
      )}
      {end}
    </div>
  );
}

interface RowProps {
  row: ContactRow;
  columns: ContactField[];
  open: boolean;
}

/** A plain link: a list of them is painted at once, and the router's own ones are dear. */
function useFollow() {
  const router = useRouter();
  return (event: MouseEvent<HTMLAnchorElement>) => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    event.preventDefault();
    const href = event.currentTarget.getAttribute("href") ?? "";
    if (router.history.location.pathname !== href) router.history.push(href);
  };
}

function useText() {
  const words = useWords();
  return (row: ContactRow, column: ContactField) => {
    const found = row.fields.find((one) => one.field_id === column.field_id);
    return found ? shown(column, found.value, words).replaceAll("\n", ", ") : "";
  };
}

function Last({ row }: { row: ContactRow }) {
  const words = useWords();
  if (!row.last_message_at) return null;
  const at = row.last_message_at;
  return (
    <time
      dateTime={at}
      onPointerEnter={(event) => {
        event.currentTarget.title = words.fullTime(at);
      }}
    >
      {words.shortTime(at, new Date())}
    </time>
  );
}

const WideRow = memo(function WideRow({ row, columns, open }: RowProps) {
  const { t, number } = useWords();
  const follow = useFollow();
  const text = useText();
  const [first, ...further] = row.addresses;
  return (
    <tr data-open={open || undefined}>
      <th scope="row">
        <a href={`/contacts/${row.id}`} onClick={follow} data-row={row.id} aria-current={open ? "true" : undefined} className={css.who}>
          <Monogram name={nameOf(row)} size={24} />
          <span data-unnamed={!row.name || undefined}>{nameOf(row) || t("panel.no_name")}</span>
        </a>
      </th>
      <td>
        {first && (
          <span className={css.address}>
            <span title={first}>{first}</span>
            {further.length > 0 && (
              <span className={css.further} title={further.join("\n")}>
                {t("contacts.further", { count: further.length })}
              </span>
            )}
          </span>
        )}
      </td>
      {columns.map((one) => {
        const says = text(row, one);
        return (
          <td key={one.field_id} data-figure={isFigure(one) || undefined} title={says}>
            {says}
          </td>
        );
      })}
      <td data-figure>{number(row.conversation_count)}</td>
      <td data-figure>
        <Last row={row} />
      </td>
    </tr>
  );
});

const CompactRow = memo(function CompactRow({ row, columns, open }: RowProps) {
  const { t } = useWords();
  const follow = useFollow();
  const text = useText();
  const says = columns.map((one) => text(row, one)).find((one) => one !== "");
  const second = [row.name ? row.addresses[0] : undefined, says].filter(Boolean);
  return (
    <li data-open={open || undefined}>
      <a href={`/contacts/${row.id}`} onClick={follow} data-row={row.id} aria-current={open ? "true" : undefined}>
        <Monogram name={nameOf(row)} size={36} />
        <span className={css.lines}>
          <span className={css.line}>
            <b>{nameOf(row) || t("panel.no_name")}</b>
            <Last row={row} />
          </span>
          <span className={css.line}>
            {second.map((one, at) => (
              <span key={one} data-second={at > 0 || undefined}>
                {one}
              </span>
            ))}
          </span>
        </span>
      </a>
    </li>
  );
});
