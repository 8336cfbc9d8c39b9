// SPDX-License-Identifier: EUPL-1.2

import type { ContactPage, ContactRow } from "@belofte/api-client";
import { describe, expect, it } from "vitest";
import { addedBefore, goesOn, mergeHead, type Pages, progressOf, rowsOf, withName } from "./rows";

const row = (id: string, name = id): ContactRow => ({
  id,
  name,
  addresses: [],
  created_at: "2026-01-01T00:00:00Z",
  conversation_count: 1,
  fields: [],
});
const page = (ids: string, more: Partial<ContactPage> = {}): ContactPage => ({
  items: [...ids].map((id) => row(id)),
  looked_at: ids.length,
  ...more,
});
const loaded = (...pages: ContactPage[]): Pages => ({ pages, pageParams: pages.map((_, at) => (at === 0 ? "" : String(at))) });
const ids = (pages: Pages) => rowsOf(pages.pages).map((one) => one.id).join("");

describe("pages of people", () => {
  it("hold everybody once", () => {
    expect(rowsOf([page("abc"), page("cde")]).map((one) => one.id)).toEqual(["a", "b", "c", "d", "e"]);
    expect(rowsOf([])).toEqual([]);
  });

  it("say how many were looked through when one ended before it was full", () => {
    expect(progressOf([page("abc", { total: 3 })], 3)).toEqual({ total: 3, lookedAt: null, cut: false });
    expect(progressOf([page("abc", { next_cursor: "c" })], 3)).toEqual({ total: null, lookedAt: null, cut: false });
    const short = [page("a", { next_cursor: "x", looked_at: 250_000 }), page("bcd", { next_cursor: "d", looked_at: 40 })];
    expect(progressOf(short.slice(0, 1), 3)).toEqual({ total: null, lookedAt: 250_000, cut: true });
    expect(progressOf(short, 3)).toEqual({ total: null, lookedAt: 250_040, cut: false });
  });

  it("go on by themselves until as many are there as were asked for, but not for ever", () => {
    const short = page("a", { next_cursor: "x" });
    expect(goesOn([short], 3, 0, 3)).toBe(true);
    expect(goesOn([page("", { next_cursor: "x" })], 3, 0, 3)).toBe(true);
    expect(goesOn([page("abc", { next_cursor: "c" })], 3, 0, 3)).toBe(false);
    expect(goesOn([page("a")], 3, 0, 3)).toBe(false);
    expect(goesOn([page("abc", { next_cursor: "c" }), page("d", { next_cursor: "x" })], 3, 0, 3)).toBe(false);
    expect(goesOn([page("abc", { next_cursor: "c" }), page("d", { next_cursor: "x" })], 6, 1, 3)).toBe(true);
    const empty = page("", { next_cursor: "x" });
    expect(goesOn([empty, empty, empty, empty], 3, 0, 3)).toBe(false);
    expect(goesOn([empty, empty, empty, empty], 3, 4, 3)).toBe(true);
  });

  it("get who is new at the top, and keep everybody else in their place", () => {
    const old = loaded(page("abc", { next_cursor: "c" }), page("def"));
    const head = page("xab", { next_cursor: "b", total: 7 });
    head.items[1] = row("a", "Anna");
    const next = mergeHead(old, head);
    expect(ids(next)).toBe("xabcdef");
    expect(next.pages[0]?.items[1]?.name).toBe("Anna");
    expect(next.pages[0]?.next_cursor).toBe("c");
    expect(next.pages[0]?.total).toBe(7);
    expect(ids(mergeHead(loaded(page("abc")), page("xb")))).toBe("xb");
    // With nobody in common there may be others between the two.
    expect(ids(mergeHead(old, page("xyz", { next_cursor: "z" })))).toBe("xyz");
  });

  it("carry a new name", () => {
    const old = loaded(page("ab"));
    expect(rowsOf(withName(old, { id: "b", name: "Bea" }).pages)[1]?.name).toBe("Bea");
    expect(withName(old, { id: "z", name: "Zus" })).toBe(old);
  });

  it("know how many came above what was read", () => {
    expect(addedBefore([row("a"), row("b")], [row("x"), row("y"), row("a")])).toBe(2);
    expect(addedBefore([row("a")], [row("a"), row("b")])).toBe(0);
    expect(addedBefore([row("a")], [row("q")])).toBe(0);
  });
});
