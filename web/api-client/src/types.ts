// SPDX-License-Identifier: EUPL-1.2
//! Names that the contract has no schema of its own for. What it has a schema for
//! is in `schema.ts`, which `cargo xtask codegen` writes.

import type { operations, Problem } from "./schema";

/** An id, as a UUID string. */
export type Uuid = string;

/** Which conversations to list, and from where. */
export type ConversationQuery = NonNullable<operations["list_conversations"]["parameters"]["query"]>;

/** What a failed answer said. A proxy in between leaves out all but the first four. */
export type Refusal = Pick<Problem, "type" | "title" | "status" | "code"> & Partial<Problem>;

/** The form that every page of a long list has. */
export interface Page<I> {
  items: I[];
  next_cursor?: string | null;
}
