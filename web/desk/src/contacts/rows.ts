// SPDX-License-Identifier: EUPL-1.2
//! The pages of a list of people put together, and laid over what was loaded.

import type { Contact, ContactPage, ContactRow } from "@belofte/api-client";
import type { InfiniteData } from "@tanstack/react-query";

export type Pages = InfiniteData<ContactPage, string>;

/** So many people are asked for at once. */
export const PAGE = 50;
/** So many pages that end early are followed by the next without being asked. */
export const MOST_BY_ITSELF = 4;

/** Everybody once: who moved between two pages is on both. */
export function rowsOf(pages: readonly ContactPage[]): ContactRow[] {
  const rows = new Map<string, ContactRow>();
  for (const page of pages) for (const row of page.items) if (!rows.has(row.id)) rows.set(row.id, row);
  return [...rows.values()];
}

export interface Progress {
  /** How many there are in all, where that is known. */
  total: number | null;
  /** How many people were looked at for it; null where that says nothing. */
  lookedAt: number | null;
  /** Whether the last page ended before it was full, although there may be more. */
  cut: boolean;
}

export function progressOf(pages: readonly ContactPage[], limit = PAGE): Progress {
  const last = pages.at(-1);
  const cut = last !== undefined && last.next_cursor != null && last.items.length < limit;
  const ever = pages.some((page) => page.next_cursor != null && page.items.length < limit);
  return {
    total: pages[0]?.total ?? null,
    lookedAt: ever ? pages.reduce((sum, page) => sum + page.looked_at, 0) : null,
    cut,
  };
}

/** Whether the next page is fetched without being asked: `wanted` rows were asked for when `from` pages were there. */
export function goesOn(pages: readonly ContactPage[], wanted: number, from: number, limit = PAGE): boolean {
  return progressOf(pages, limit).cut && rowsOf(pages).length < wanted && pages.length - from < MOST_BY_ITSELF;
}

/**
 * Lays a fresh first page over a list of who came last. Who is new comes first, and everybody else stays where they are:
 * what is read does not move among itself.
 */
export function mergeHead(old: Pages, head: ContactPage): Pages {
  const known = new Set(old.pages.flatMap((page) => page.items.map((row) => row.id)));
  const added = head.items.filter((row) => !known.has(row.id));
  // The two do not meet, or all there is is on it.
  if (old.pages.length <= 1 || added.length === head.items.length) return { pages: [head], pageParams: [""] };
  const fresh = new Map(head.items.map((row) => [row.id, row]));
  return {
    ...old,
    pages: old.pages.map((page, at) => ({
      ...page,
      ...(at === 0 && head.total != null ? { total: head.total } : {}),
      items: [...(at === 0 ? added : []), ...page.items.map((row) => fresh.get(row.id) ?? row)],
    })),
  };
}

/** The new name of somebody in a list that is loaded. */
export function withName(old: Pages, { id, name }: Pick<Contact, "id" | "name">): Pages {
  if (!old.pages.some((page) => page.items.some((row) => row.id === id))) return old;
  return {
    ...old,
    pages: old.pages.map((page) => ({
      ...page,
      items: page.items.map((row) => (row.id === id ? { ...row, name } : row)),
    })),
  };
}

/** How many rows came before the first one that was there. */
export function addedBefore(old: readonly { id: string }[], next: readonly { id: string }[]): number {
  const known = new Set(old.map((row) => row.id));
  const at = next.findIndex((row) => known.has(row.id));
  return at < 0 ? 0 : at;
}
