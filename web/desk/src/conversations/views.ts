// SPDX-License-Identifier: EUPL-1.2
//! The lists that have an address: the fixed ones, those that somebody keeps, and one for each tag and each queue.

import type { ConversationCounts, ConversationQuery, Queue, SavedView, Tag, Uuid } from "@belofte/api-client";
import type { Key } from "../i18n";

/** Those that stand above the list at all times. */
export const TABS = ["mine", "unassigned", "open", "waiting"] as const;
/** Those that the menu beside them holds. */
export const OTHERS = ["snoozed", "resolved"] as const;
export const VIEWS = [...TABS, ...OTHERS] as const;
export type View = (typeof VIEWS)[number];

export const isView = (value: string): value is View => (VIEWS as readonly string[]).includes(value);

const ID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const SAVED = new RegExp(`^${ID}$`);
const OF_TAG = new RegExp(`^tag\\.(${ID})$`);
const OF_QUEUE = new RegExp(`^queue\\.(${ID})$`);

/** The address of the list of those in which one has begun to write. */
export const DRAFTS = "drafts";

/** Whether an address names a list, there or not. */
export const isAddress = (value: string): boolean => value === DRAFTS || isView(value) || SAVED.test(value) || OF_TAG.test(value) || OF_QUEUE.test(value);

/** The address of the list of all that have a tag. */
export const tagView = (tag: Uuid): string => `tag.${tag}`;

/** The tag whose list an address names. */
export const tagIn = (value: string): Uuid | null => OF_TAG.exec(value)?.[1] ?? null;

/** The address of the list of all that waits in a queue. */
export const queueView = (queue: Uuid): string => `queue.${queue}`;

/** The queue whose list an address names. */
export const queueIn = (value: string): Uuid | null => OF_QUEUE.exec(value)?.[1] ?? null;

export const FILTERS: Record<View, ConversationQuery> = {
  mine: { status: "open", assignee: "me" },
  unassigned: { status: "open", assignee: "none" },
  open: { status: "open", assignee: "any" },
  waiting: { status: "waiting", assignee: "any" },
  snoozed: { status: "snoozed", assignee: "any" },
  resolved: { status: "resolved", assignee: "any" },
};

/** The filter of a view that somebody keeps, as the list is asked for. */
export function filterOf({ filter }: Pick<SavedView, "filter">): ConversationQuery {
  const { status, assignee, queue, tag } = filter;
  return { status: status ?? "all", assignee: assignee ?? "any", ...(queue ? { queue } : {}), ...(tag ? { tag } : {}) };
}

/** What an address shows; null while that is not known, or when there is no such list. */
export function shownBy(value: string, saved: SavedView[] | undefined): ConversationQuery | null {
  if (isView(value)) return FILTERS[value];
  const tag = tagIn(value);
  if (tag) return { status: "all", assignee: "any", tag };
  const queue = queueIn(value);
  // What is to be done there; what was done is found by a view of one's own.
  if (queue) return { status: "open", assignee: "any", queue };
  const view = saved?.find((one) => one.id === value);
  return view ? filterOf(view) : null;
}

export const countOf = (counts: ConversationCounts, view: View): number => counts[view];

export const VIEW_NAMES: Record<View, Key> = {
  mine: "view.mine",
  unassigned: "view.unassigned",
  open: "view.open",
  waiting: "view.waiting",
  snoozed: "view.snoozed",
  resolved: "view.resolved",
};

/** The name of an address in words; empty while it is not known. */
export function nameOf(value: string, t: (key: Key) => string, saved: SavedView[] | undefined, tags: Tag[] | undefined, queues: Queue[] | undefined): string {
  if (value === DRAFTS) return t("view.drafts");
  if (isView(value)) return t(VIEW_NAMES[value]);
  const tag = tagIn(value);
  if (tag) return tags?.find((one) => one.id === tag)?.name ?? "";
  const queue = queueIn(value);
  if (queue) return queues?.find((one) => one.id === queue)?.name ?? "";
  return saved?.find((one) => one.id === value)?.name ?? "";
}

export const VIEW_SHORT: Record<View, Key> = {
  mine: "view.mine_short",
  unassigned: "view.unassigned_short",
  open: "view.open_short",
  waiting: "view.waiting_short",
  snoozed: "view.snoozed_short",
  resolved: "view.resolved_short",
};

export const EMPTY_TITLES: Record<View, Key> = {
  mine: "view.mine_empty",
  unassigned: "view.unassigned_empty",
  open: "view.open_empty",
  waiting: "view.waiting_empty",
  snoozed: "view.snoozed_empty",
  resolved: "view.resolved_empty",
};

export const EMPTY_TEXTS: Record<View, Key> = {
  mine: "view.mine_empty_text",
  unassigned: "view.unassigned_empty_text",
  open: "view.open_empty_text",
  waiting: "view.waiting_empty_text",
  snoozed: "view.snoozed_empty_text",
  resolved: "view.resolved_empty_text",
};
