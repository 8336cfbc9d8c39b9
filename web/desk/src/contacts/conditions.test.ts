// SPDX-License-Identifier: EUPL-1.2

import type { FieldKind, FieldOption } from "@belofte/api-client";
import { describe, expect, it } from "vitest";
import { entryOf } from "../fields/value";
import {
  type About,
  changeAbout,
  changeTest,
  type ContactField,
  type Draft,
  endOfDay,
  inputOf,
  isUnclear,
  newDraft,
  sentOf,
  startOfDay,
  testsOf,
  testsOfKind,
  wireOf,
  wordOf,
} from "./conditions";

const option = (no: number): FieldOption => ({ no, label: { nl: `${no}`, en: "" }, archived: false });
const field = (field_id: string, kind: FieldKind): ContactField => ({
  field_id,
  kind,
  label: { nl: field_id, en: "" },
  options: [option(1), option(2)],
});
const FIELDS = [
  field("no", "text"),
  field("size", "decimal"),
  field("credit", "money"),
  field("likes", "multiple_choice"),
  field("part", "tree_choice"),
  field("since", "date"),
  field("home", "postal_address"),
  field("member", "boolean"),
];
const draft = (about: About, test: Draft["test"], entry: Partial<Draft["entry"]> = {}): Draft => ({
  key: `${about} ${test}`,
  about,
  test,
  entry: { ...entryOf({ kind: "text" }, null), ...entry },
});
const wire = (...parts: Parameters<typeof draft>) => wireOf(draft(...parts), FIELDS);

describe("what can be asked", () => {
  it("fits the kind", () => {
    const kinds: FieldKind[] = [
      "text", "long_text", "integer", "decimal", "money", "date", "date_time", "boolean",
      "choice", "multiple_choice", "tree_choice", "phone", "email", "iban", "url", "postal_address",
    ];
    const that = (test: Draft["test"]) => kinds.filter((kind) => testsOfKind(kind).includes(test));
    for (const test of ["filled", "empty", "is", "is_not"] as const) expect(that(test)).toEqual(kinds);
    const texts = ["text", "long_text", "phone", "email", "iban", "url", "postal_address"];
    expect(that("contains")).toEqual(texts);
    expect(that("begins_with")).toEqual(texts);
    expect(that("at_least")).toEqual(["integer", "decimal", "money", "date", "date_time"]);
    expect(that("at_most")).toEqual(that("at_least"));
    expect(that("any_of")).toEqual(["choice", "multiple_choice", "tree_choice"]);
    expect(testsOf("created_at", FIELDS)).toEqual(["at_least", "at_most"]);
    expect(testsOf("gone", FIELDS)).toEqual([]);
  });

  it("has words of its own for days and for several options", () => {
    expect(wordOf("at_least", "since", FIELDS)).toBe("from");
    expect(wordOf("at_most", "created_at", FIELDS)).toBe("until");
    expect(wordOf("at_most", "size", FIELDS)).toBe("at_most");
    expect(wordOf("is", "likes", FIELDS)).toBe("has");
    expect(wordOf("is", "part", FIELDS)).toBe("is");
  });
});

describe("a condition goes over the wire", () => {
  it("with a value of its kind", () => {
    expect(wire("name", "contains", { text: " De Vries " })).toEqual({ subject: "name", test: "contains", value: "De Vries" });
    expect(wire("address", "filled")).toEqual({ subject: "address", test: "filled" });
    expect(wire("no", "begins_with", { text: "20" })).toEqual({ subject: "field", field_id: "no", test: "begins_with", value: "20" });
    expect(wire("size", "at_least", { text: "1,5" })).toMatchObject({ value: "1.5" });
    expect(wire("credit", "at_most", { money: { amount: "100", currency: "eur" } })).toMatchObject({ value: { amount: "100", currency: "EUR" } });
    expect(wire("part", "any_of", { chosen: ["2", "1"] })).toMatchObject({ test: "any_of", value: [2, 1] });
    expect(wire("likes", "is", { text: "2" })).toMatchObject({ value: 2 });
    expect(wire("member", "is_not", { text: "no" })).toMatchObject({ value: false });
    expect(wire("home", "contains", { text: "Delft" })).toMatchObject({ value: "Delft" });
    expect(wire("home", "is", { address: { street: "", number: "", postal_code: "", city: "Delft", country: "nl" } })).toMatchObject({
      value: { city: "Delft", country: "NL" },
    });
  });

  it("not while it is incomplete, cannot be asked, or can be read in two ways", () => {
    expect(wire("name", "contains", { text: "  " })).toBeNull();
    expect(wire("part", "any_of")).toBeNull();
    expect(wire("since", "is")).toBeNull();
    expect(wire("created_at", "at_least", { text: "2026-02-31" })).toBeNull();
    expect(wire("gone", "filled")).toBeNull();
    expect(wire("member", "contains", { text: "a" })).toBeNull();
    expect(wire("size", "is", { text: "1.250" })).toBeNull();
    expect(isUnclear(draft("size", "is", { text: "1.250" }), FIELDS)).toBe(true);
    expect(isUnclear(draft("no", "is", { text: "1.250" }), FIELDS)).toBe(false);
  });

  it("in its place, so that the server's word about it finds it again", () => {
    const drafts = [draft("name", "contains"), draft("no", "filled"), draft("since", "at_most", { text: "2026-01-01" })];
    const sent = sentOf(drafts, FIELDS);
    expect(sent.conditions).toHaveLength(2);
    expect(sent.keys).toEqual(["no filled", "since at_most"]);
  });
});

describe("a day", () => {
  it("is from its beginning to its last microsecond in the zone of this device", () => {
    const start = startOfDay("2026-03-29") ?? "";
    const end = endOfDay("2026-03-29") ?? "";
    expect(new Date(start)).toEqual(new Date(2026, 2, 29));
    expect(end).toMatch(/\.999999Z$/);
    expect(new Date(Date.parse(end) + 1)).toEqual(new Date(2026, 2, 30));
    expect(startOfDay("")).toBeNull();
    expect(endOfDay("29-3-2026")).toBeNull();
  });

  it("goes over the wire as the instant that the test means", () => {
    expect(wire("created_at", "at_least", { text: "2026-05-04" })).toEqual({
      subject: "created_at",
      test: "at_least",
      value: new Date(2026, 4, 4).toISOString(),
    });
    expect(wire("created_at", "at_most", { text: "2026-05-04" })?.value).toBe(endOfDay("2026-05-04"));
  });
});

describe("what was typed", () => {
  it("stays where it is typed in the same way, and nowhere else", () => {
    const typed = draft("name", "contains", { text: "Anna" });
    expect(changeAbout(typed, "no", FIELDS)).toMatchObject({ about: "no", test: "contains", entry: { text: "Anna" } });
    expect(changeAbout(typed, "size", FIELDS)).toMatchObject({ test: "at_least", entry: { text: "" } });
    expect(changeTest(draft("no", "contains", { text: "20" }), "is", FIELDS).entry.text).toBe("20");
    expect(changeTest(draft("no", "contains", { text: "20" }), "empty", FIELDS).entry.text).toBe("20");
    expect(changeTest(draft("likes", "is", { text: "2" }), "any_of", FIELDS).entry).toMatchObject({ text: "", chosen: [] });
    expect(changeTest(draft("size", "at_least", { text: "5" }), "at_most", FIELDS).entry.text).toBe("5");
  });

  it("of several options is one when it is asked whether that is among them", () => {
    expect(inputOf(draft("likes", "is"), FIELDS)).toMatchObject({ kind: "choice" });
    expect(inputOf(draft("likes", "any_of"), FIELDS)).toBe("options");
    expect(newDraft("created_at").test).toBe("at_least");
    expect(newDraft().key).not.toBe(newDraft().key);
  });
});
