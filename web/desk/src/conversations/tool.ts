// SPDX-License-Identifier: EUPL-1.2
//! What can be opened over conversations by a key; what each shows is fetched when it is wanted.

import type { Field } from "../app/hold";

export type Tool = "assign" | "tag" | "queue" | "snooze";

/** The key of each tool. */
export const TOOL_KEYS: Record<string, Tool> = { a: "assign", t: "tag", m: "queue", z: "snooze" };

/** The field that what is typed after the key belongs to. */
export const fieldOf = (tool: Tool): Field | null => (tool === "snooze" ? null : tool);

type Open = (tool: Tool) => void;

const openers = new Set<Open>();

/** The view that shows conversations says how a tool is opened; returns how to leave. */
export function offerTools(open: Open): () => void {
  openers.add(open);
  return () => openers.delete(open);
}

/** Opens a tool as its key does: over what is selected, or over the open conversation. */
export function openTool(tool: Tool) {
  for (const open of openers) open(tool);
}
