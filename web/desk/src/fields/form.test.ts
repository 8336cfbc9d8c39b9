// SPDX-License-Identifier: EUPL-1.2

import type { RecordField } from "@belofte/api-client";
import { describe, expect, it } from "vitest";
import { begin, changesOf, type Form, faultOf, onForm, takenOver } from "./form";
import { entryOf } from "./value";

const QUEUE = "queue";
const field = (id: string, more: Partial<RecordField> = {}): RecordField => ({
  field_id: id,
  field_version: 1,
  kind: "text",
  label: { nl: id, en: "" },
  help: { nl: "", en: "" },
  options: [],
  rules: {},
  required: false,
  queue_ids: [],
  writable: true,
  version: 0,
  ...more,
});
const type = (form: Form, one: RecordField, text: string): Form => ({
  ...form,
  entries: { ...form.entries, [one.field_id]: { ...entryOf(one, null), text } },
});
const told = (one: RecordField, value: string | null) => ({
  field_id: one.field_id,
  field_version: one.field_version,
  version: one.version,
  value,
});

describe("the form of fields", () => {
  it("saves what was typed, and what a new form begins with", () => {
    const fields = [
      field("a", { value: "1", version: 3 }),
      field("b", { default: "x" }),
      field("c", { value: "2", version: 4 }),
    ] as const;
    const form = type(begin([...fields]), fields[2], "");
    expect(changesOf(form)).toEqual([told(fields[1], "x"), told(fields[2], null)]);
  });

  it("keeps what was typed when a colleague was first, and is saved over theirs the next time", () => {
    const [typed, left] = [field("a", { value: "1", version: 3 }), field("b")];
    const form = type(begin([typed, left]), typed, "6666");
    const theirs = [
      field("a", { value: "5555", version: 9 }),
      field("b", { value: "theirs", version: 8 }),
    ] as const;
    const next = takenOver(form, [...theirs]);
    expect(next.news).toEqual({ a: { value: true }, b: { value: true } });
    // What nobody typed here is theirs, and not written back.
    expect(changesOf(next)).toEqual([told(theirs[0], "6666")]);
    // Another field that a colleague changes does not take the word away.
    const again = takenOver(next, [theirs[0], { ...theirs[1], version: 11 }]);
    expect(again.news.a).toEqual({ value: true });
    expect(changesOf(again)).toEqual([told(theirs[0], "6666")]);
  });

  it("begins a field anew that was set up differently, and lets go of one that is gone", () => {
    const [one, other] = [field("a"), field("b", { value: "1", version: 2 })];
    const form = type(begin([one, other]), one, "twaalf");
    const now = field("a", { kind: "integer", field_version: 2 });
    const next = takenOver(form, [now]);
    expect(next.news.a).toMatchObject({ setup: true, lost: { entry: { text: "twaalf" } } });
    expect(next.gone).toEqual([other]);
    expect(changesOf(next)).toEqual([]);
    expect(takenOver(next, [now, other]).gone).toEqual([]);
  });

  it("is not saved without what is required on it, nor with what can be read in two ways", () => {
    const must = field("a", { required: true, was: "voorjaar" });
    const form = begin([must]);
    expect(faultOf(form, must, QUEUE)).toBe("required");
    expect(faultOf(type(form, must, " "), must, QUEUE)).toBe("required");
    expect(faultOf(type(form, must, "x"), must, QUEUE)).toBeUndefined();
    const elsewhere = field("b", { required: true, queue_ids: ["other"], was: "voorjaar" });
    expect(faultOf(begin([elsewhere]), elsewhere, QUEUE)).toBeUndefined();
    expect(onForm([elsewhere, { ...elsewhere, was: null }], QUEUE)).toEqual([elsewhere]);
    // A person looked at apart from any conversation: all is there, and only what every form asks for is asked for.
    expect(onForm([elsewhere, { ...elsewhere, was: null }], undefined)).toHaveLength(2);
    expect(faultOf(begin([elsewhere]), elsewhere, undefined)).toBeUndefined();
    expect(faultOf(form, must, undefined)).toBe("required");
    const number = field("c", { kind: "decimal" });
    expect(faultOf(type(begin([number]), number, "1.250"), number, QUEUE)).toBe("ambiguous");
  });
});
