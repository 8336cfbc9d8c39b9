// SPDX-License-Identifier: EUPL-1.2
//! Conditions on people: what can be asked of what, what stands in their inputs, and what of it goes over the wire.

import type { Condition, FieldKind, FieldValue, RecordField, Test } from "@belofte/api-client";
import { type Entry, entryOf, given, isAmbiguous } from "../fields/value";

/** A field of people that this user reads. */
export type ContactField = Pick<RecordField, "field_id" | "kind" | "label" | "options">;

/** What every person has. */
export const OWN = ["name", "address", "created_at"] as const;
export type Own = (typeof OWN)[number];

/** What a condition is about: one of `OWN`, or the id of a field. */
export type About = Own | (string & {});

/** A condition as somebody is making it. */
export interface Draft {
  /** Tells it from the others while they are moved and taken away. */
  key: string;
  about: About;
  test: Test;
  entry: Entry;
}

export const MOST_CONDITIONS = 20;

const TEXT: Test[] = ["contains", "begins_with", "is", "is_not", "filled", "empty"];
const SIZE: Test[] = ["at_least", "at_most", "is", "is_not", "filled", "empty"];
const OPTIONS: Test[] = ["any_of", "is", "is_not", "filled", "empty"];

/** What can be asked of values of a kind; what is asked most comes first. */
export function testsOfKind(kind: FieldKind): Test[] {
  switch (kind) {
    case "text":
    case "long_text":
    case "phone":
    case "email":
    case "iban":
    case "url":
    case "postal_address":
      return TEXT;
    case "integer":
    case "decimal":
    case "money":
    case "date":
    case "date_time":
      return SIZE;
    case "choice":
    case "multiple_choice":
    case "tree_choice":
      return OPTIONS;
    case "boolean":
      return ["is", "is_not", "filled", "empty"];
  }
}

export const isOwn = (about: About): about is Own => (OWN as readonly string[]).includes(about);

/** What can be asked; nothing of a field that is not there any more. */
export function testsOf(about: About, fields: readonly ContactField[]): Test[] {
  if (about === "created_at") return ["at_least", "at_most"];
  if (isOwn(about)) return TEXT;
  const field = fields.find((one) => one.field_id === about);
  return field ? testsOfKind(field.kind) : [];
}

export const takesValue = (test: Test) => test !== "filled" && test !== "empty";

/** By what the value of a condition is typed. */
export type Input = "none" | "words" | "day" | "options" | ContactField;

export function inputOf({ about, test }: Pick<Draft, "about" | "test">, fields: readonly ContactField[]): Input {
  if (!takesValue(test)) return "none";
  if (about === "created_at") return "day";
  if (isOwn(about)) return "words";
  const field = fields.find((one) => one.field_id === about);
  if (!field) return "none";
  if (test === "any_of") return "options";
  if (test === "contains" || test === "begins_with") return "words";
  // Of several options one is asked for.
  return field.kind === "multiple_choice" ? { ...field, kind: "choice" } : field;
}

const EMPTY = entryOf({ kind: "text" }, null);

let made = 0;

/** A new condition, about the name until something else is chosen. */
export function newDraft(about: About = "name", fields: readonly ContactField[] = []): Draft {
  made += 1;
  return { key: `${Date.now()}-${made}`, about, test: testsOf(about, fields)[0] ?? "filled", entry: EMPTY };
}

/** Another thing is asked about; what was typed stays only where it is typed in the same way. */
export function changeAbout(draft: Draft, about: About, fields: readonly ContactField[]): Draft {
  const tests = testsOf(about, fields);
  const test = tests.includes(draft.test) ? draft.test : (tests[0] ?? "filled");
  const [was, now] = [inputOf(draft, fields), inputOf({ about, test }, fields)];
  return { ...draft, about, test, entry: was === "words" && now === "words" ? draft.entry : EMPTY };
}

/** Text that is typed stays text, whether it is looked for in the beginning or anywhere. */
const isText = (input: Input) =>
  input === "words" || (typeof input === "object" && testsOfKind(input.kind) === TEXT && input.kind !== "postal_address");

export function changeTest(draft: Draft, test: Test, fields: readonly ContactField[]): Draft {
  const [was, now] = [inputOf(draft, fields), inputOf({ about: draft.about, test }, fields)];
  const stays = was === now || now === "none" || was === "none" || (isText(was) && isText(now)) || (typeof was === "object" && typeof now === "object");
  return { ...draft, test, entry: stays ? draft.entry : EMPTY };
}

const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;

/** Where a day begins in the zone of this device; null where `day` is none. */
export function startOfDay(day: string): string | null {
  const [, year, month, date] = DAY.exec(day) ?? [];
  if (!year || !month || !date) return null;
  const at = new Date(Number(year), Number(month) - 1, Number(date));
  // Years below a hundred would be of another century, and the 31st of April is the first of May.
  return at.getFullYear() === Number(year) && at.getDate() === Number(date) ? at.toISOString() : null;
}

/** Its last microsecond: the clock of the server is that fine. */
export function endOfDay(day: string): string | null {
  const start = startOfDay(day);
  if (start === null) return null;
  const at = new Date(start);
  at.setDate(at.getDate() + 1);
  return new Date(at.getTime() - 1).toISOString().replace(/Z$/, "999Z");
}

function typed(draft: Draft, input: Input): FieldValue | null {
  const { entry, test } = draft;
  switch (input) {
    case "none":
      return null;
    case "words":
      return entry.text.trim() || null;
    case "day":
      return test === "at_most" ? endOfDay(entry.text) : startOfDay(entry.text);
    case "options":
      return entry.chosen.length === 0 ? null : entry.chosen.map(Number);
    default:
      return isAmbiguous(input, entry) ? null : given(input, entry);
  }
}

/** Whether what was typed can be read in two ways; only its writer knows which. */
export function isUnclear(draft: Draft, fields: readonly ContactField[]): boolean {
  const input = inputOf(draft, fields);
  return typeof input === "object" && isAmbiguous(input, draft.entry);
}

/** What goes over the wire; null while it is incomplete. */
export function wireOf(draft: Draft, fields: readonly ContactField[]): Condition | null {
  if (!testsOf(draft.about, fields).includes(draft.test)) return null;
  const subject = isOwn(draft.about) ? { subject: draft.about } : { subject: "field" as const, field_id: draft.about };
  if (!takesValue(draft.test)) return { ...subject, test: draft.test };
  const value = typed(draft, inputOf(draft, fields));
  return value === null ? null : { ...subject, test: draft.test, value };
}

export interface Sent {
  conditions: Condition[];
  /** The keys of those that are sent, in their order: the server names a condition by its place. */
  keys: string[];
}

export function sentOf(drafts: readonly Draft[], fields: readonly ContactField[]): Sent {
  const sent: Sent = { conditions: [], keys: [] };
  for (const draft of drafts) {
    const condition = wireOf(draft, fields);
    if (!condition) continue;
    sent.conditions.push(condition);
    sent.keys.push(draft.key);
  }
  return sent;
}

/** The word for a test: days have a beginning and an end, numbers a size, and several options hold one. */
export function wordOf(test: Test, about: About, fields: readonly ContactField[]) {
  const kind = fields.find((one) => one.field_id === about)?.kind;
  const ofDays = about === "created_at" || kind === "date" || kind === "date_time";
  if (ofDays && test === "at_least") return "from";
  if (ofDays && test === "at_most") return "until";
  if (kind === "multiple_choice" && test === "is") return "has";
  if (kind === "multiple_choice" && test === "is_not") return "has_not";
  return test;
}
