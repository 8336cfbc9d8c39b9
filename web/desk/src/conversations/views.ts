// SPDX-License-Identifier: EUPL-1.2

import type { ConversationCounts, ConversationQuery } from "@belofte/api-client";
import type { Key } from "../i18n";

export const VIEWS = ["mine", "unassigned", "open", "waiting", "resolved"] as const;
export type View = (typeof VIEWS)[number];

export const isView = (value: string): value is View => (VIEWS as readonly string[]).includes(value);

export const FILTERS: Record<View, ConversationQuery> = {
  mine: { status: "open", assignee: "me" },
  unassigned: { status: "open", assignee: "none" },
  open: { status: "open", assignee: "any" },
  waiting: { status: "waiting", assignee: "any" },
  resolved: { status: "resolved", assignee: "any" },
};

export const countOf = (counts: ConversationCounts, view: View): number => counts[view];

export const VIEW_NAMES: Record<View, Key> = {
  mine: "view.mine",
  unassigned: "view.unassigned",
  open: "view.open",
  waiting: "view.waiting",
  resolved: "view.resolved",
};

export const VIEW_SHORT: Record<View, Key> = {
  mine: "view.mine_short",
  unassigned: "view.unassigned_short",
  open: "view.open_short",
  waiting: "view.waiting_short",
  resolved: "view.resolved_short",
};

export const EMPTY_TITLES: Record<View, Key> = {
  mine: "view.mine_empty",
  unassigned: "view.unassigned_empty",
  open: "view.open_empty",
  waiting: "view.waiting_empty",
  resolved: "view.resolved_empty",
};

export const EMPTY_TEXTS: Record<View, Key> = {
  mine: "view.mine_empty_text",
  unassigned: "view.unassigned_empty_text",
  open: "view.open_empty_text",
  waiting: "view.waiting_empty_text",
  resolved: "view.resolved_empty_text",
};
