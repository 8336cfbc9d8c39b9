// SPDX-License-Identifier: EUPL-1.2
//! The form of what a record has in its fields: what is saved of it, and what becomes of it when a colleague was first.

import type { ChangeValue, RecordField } from "@belofte/api-client";
import { type Entry, entryOf, given, isAmbiguous } from "./value";

/** What a colleague did to a field meanwhile. */
export interface News {
  /** Gave it another value … */
  value?: true;
  /** … or set it up differently. */
  setup?: true;
  /** What was typed for the field as it was set up before. */
  lost?: { field: RecordField; entry: Entry };
}

export interface Form {
  /** The fields as they were read: what is saved is a change of these, and of no later ones. */
  base: RecordField[];
  entries: Record<string, Entry>;
  news: Record<string, News>;
  /** Those that a colleague took off the form. */
  gone: RecordField[];
}

/** The queue on whose forms the fields stand; none where a person is looked at apart from any conversation. */
export type OfQueue = string | undefined;

const isPlaced = (one: RecordField, queue: OfQueue) =>
  one.queue_ids.length === 0 || (queue !== undefined && one.queue_ids.includes(queue));

/** What stands in a field is shown in every queue; an empty one only on its own forms. Without a queue all are there. */
export const onForm = (fields: RecordField[], queue: OfQueue) =>
  fields.filter(
    (one) => queue === undefined || isPlaced(one, queue) || one.value != null || one.was != null,
  );

export const writable = (fields: RecordField[]) => fields.filter((one) => one.writable);

/** What the inputs of a field begin with. */
const first = (one: RecordField) =>
  entryOf(one, one.value ?? (one.version === 0 ? one.default : null));

export const entryIn = (form: Form, one: RecordField) => form.entries[one.field_id] ?? first(one);

/** By what stands in the inputs: a value of more than they show, such as seconds, is not written anew unseen. */
const isTyped = (form: Form, one: RecordField) =>
  JSON.stringify(entryIn(form, one)) !== JSON.stringify(first(one));

export const begin = (fields: RecordField[]): Form => ({
  base: fields,
  entries: {},
  news: {},
  gone: [],
});

export function changesOf(form: Form): ChangeValue[] {
  const changes = form.base.map((one) => ({ one, value: given(one, entryIn(form, one)) }));
  return changes
    .filter(({ one, value }) => (one.version === 0 ? value !== null : isTyped(form, one)))
    .map(({ one, value }) => ({
      field_id: one.field_id,
      field_version: one.field_version,
      version: one.version,
      value,
    }));
}

export type Fault = "required" | "ambiguous";

/** What keeps the form from being saved; what else is wrong, the server says. */
export function faultOf(form: Form, one: RecordField, queue: OfQueue): Fault | undefined {
  const entry = entryIn(form, one);
  if (isAmbiguous(one, entry)) return "ambiguous";
  // A field of other queues that is empty is none of this form's business.
  const missing = one.required && isPlaced(one, queue) && given(one, entry) === null;
  return missing ? "required" : undefined;
}

/** The form on the fields as they are now. What was typed stays, so that the next save writes over theirs knowingly. */
export function takenOver(form: Form, fields: RecordField[]): Form {
  const next: Form = {
    ...begin(fields),
    gone: [...form.gone, ...form.base].filter(
      (was) => !fields.some((one) => one.field_id === was.field_id),
    ),
  };
  for (const one of fields) {
    const id = one.field_id;
    const was = form.base.find((other) => other.field_id === id);
    if (!was) continue;
    const typed = isTyped(form, was) ? entryIn(form, was) : undefined;
    const news: News = { ...form.news[id] };
    if (was.field_version !== one.field_version || was.kind !== one.kind) {
      news.setup = true;
      if (typed) news.lost = { field: was, entry: typed };
    } else {
      if (typed) next.entries[id] = typed;
      if (was.version !== one.version) news.value = true;
    }
    next.news[id] = news;
  }
  return next;
}
