// SPDX-License-Identifier: EUPL-1.2
// @vitest-environment happy-dom

import type { RecordField } from "@belofte/api-client";
import { beforeEach, describe, expect, it } from "vitest";
import { begin, type Form } from "../fields/form";
import { entryOf } from "../fields/value";
import { addressInput, attemptOf, faultsOf, keepTyped, keptTyped, sentOf } from "./adding";

const field = (field_id: string, more: Partial<RecordField> = {}): RecordField => ({
  field_id,
  field_version: 1,
  kind: "text",
  label: { nl: field_id },
  help: {},
  options: [],
  rules: {},
  required: false,
  queue_ids: [],
  writable: true,
  version: 0,
  ...more,
});
const type = (form: Form, id: string, text: string): Form => ({
  ...form,
  entries: { ...form.entries, [id]: { ...entryOf({ kind: "text" }, null), text } },
});
const inputs = (...texts: string[]) => texts.map(addressInput);

describe("what is sent of somebody new", () => {
  it("is what was filled in, with what a field begins with, and nothing that is empty", () => {
    const form = begin([field("no"), field("empty"), field("kind", { kind: "choice", default: 2 })]);
    const { body } = sentOf(" Hilde ", inputs(" a@klant.example ", " ", "b@klant.example"), type(form, "no", "204877"));
    expect(body).toEqual({
      name: "Hilde",
      addresses: ["a@klant.example", "b@klant.example"],
      values: [
        { field_id: "no", value: "204877" },
        { field_id: "kind", value: 2 },
      ],
    });
  });

  it("has one key as long as it says the same", () => {
    let made = 0;
    const newKey = () => `key-${++made}`;
    const first = attemptOf(null, { name: "Hilde" }, newKey);
    expect(attemptOf(first, { name: "Hilde" }, newKey)).toBe(first);
    expect(attemptOf(first, { name: "Hilda" }, newKey).key).not.toBe(first.key);
  });
});

describe("what the server does not take", () => {
  const typed = inputs("", "a@klant.example", "a@klant.example");
  const sent = sentOf("", typed, type(type(begin([field("empty"), field("no"), field("size")]), "no", "1"), "size", "2"));
  const faults = (...problems: [string, "taken" | "invalid" | "required" | "not_found" | "too_long"][]) =>
    faultsOf(problems.map(([at, code]) => ({ field: at, code })), sent);

  it("stands at the input that it is about, also behind one that is empty", () => {
    const found = faults(["name", "required"], ["addresses[1]", "taken"], ["values[1].value", "invalid"]);
    expect(found).toMatchObject({ name: "required", taken: [], gone: false, other: false });
    expect([...found.addresses]).toEqual([[typed[2]?.key, "taken"]]);
    expect([...found.fields]).toEqual([["size", "invalid"]]);
  });

  it("is not said of one address when somebody has one of them", () => {
    const found = faults(["addresses", "taken"]);
    expect(found.taken).toEqual(["a@klant.example", "a@klant.example"]);
    expect(found.addresses.size).toBe(0);
  });

  it("tells of a field that is gone, and of what stands nowhere", () => {
    expect(faults(["values[0].field_id", "not_found"])).toMatchObject({ gone: true, other: false });
    expect(faults(["addresses", "too_long"])).toMatchObject({ taken: [], other: true });
    expect(faults(["values[7].value", "invalid"])).toMatchObject({ gone: false, other: true });
    expect(faults().other).toBe(true);
  });
});

describe("what was typed and not sent", () => {
  beforeEach(() => sessionStorage.clear());

  it("is there again with the key of its last try", () => {
    expect(keptTyped()).toBeNull();
    const { entries } = type(begin([field("no")]), "no", "204877");
    const typed = { name: "Hilde", addresses: ["a@klant.example", ""], entries, attempt: { print: "{}", key: "key" } };
    keepTyped(typed);
    expect(keptTyped()).toEqual(typed);
    keepTyped(null);
    expect(keptTyped()).toBeNull();
  });

  it("is nothing when nothing was typed, or when it is not what this desk keeps", () => {
    keepTyped({ name: "", addresses: ["", ""], entries: {}, attempt: { print: "{}", key: "key" } });
    expect(keptTyped()).toBeNull();
    sessionStorage.setItem("belofte.private.new-contact", '{"name":4,"addresses":"x","entries":{"no":{"text":1}},"attempt":{"key":1}}');
    expect(keptTyped()).toEqual({ name: "", addresses: [], entries: {}, attempt: null });
    sessionStorage.setItem("belofte.private.new-contact", "{");
    expect(keptTyped()).toBeNull();
  });
});
