// SPDX-License-Identifier: EUPL-1.2
//! Which conversations of a list are selected. No React here.

import type { Uuid } from "@belofte/api-client";

export interface Selection {
  ids: ReadonlySet<Uuid>;
  /** From where a range is counted: what was selected or left last. */
  anchor: Uuid | null;
}

export const NOTHING: Selection = { ids: new Set(), anchor: null };

/** Selects or leaves one. */
export function toggle({ ids }: Selection, id: Uuid): Selection {
  const next = new Set(ids);
  if (!next.delete(id)) next.add(id);
  return { ids: next, anchor: id };
}

/** Selects all from the anchor to `id` as well; `rows` is the list in its order. */
export function rangeTo(selection: Selection, rows: readonly Uuid[], id: Uuid): Selection {
  const to = rows.indexOf(id);
  const from = selection.anchor === null ? -1 : rows.indexOf(selection.anchor);
  if (to < 0) return selection;
  if (from < 0) return { ids: new Set([...selection.ids, id]), anchor: id };
  const range = rows.slice(Math.min(from, to), Math.max(from, to) + 1);
  return { ids: new Set([...selection.ids, ...range]), anchor: id };
}

/** All of a list, or the first `most` of it. */
export function all(rows: readonly Uuid[], most: number): Selection {
  return { ids: new Set(rows.slice(0, most)), anchor: rows[0] ?? null };
}

/** What is left when only `rows` are in the list. */
export function within(selection: Selection, rows: readonly Uuid[]): ReadonlySet<Uuid> {
  if (selection.ids.size === 0) return selection.ids;
  return new Set(rows.filter((id) => selection.ids.has(id)));
}
