// SPDX-License-Identifier: EUPL-1.2
import type { Message } from "@belofte/api-client";
import { describe, expect, it, vi } from "vitest";

vi.mock("../app/api", () => ({ api: {} }));
const { mergeNewest } = await import("./message-cache");

const some = (ids: string, text = "old") => [...ids].map((id) => ({ id, text }) as Message);
const old = {
  pages: [
    { items: some("efg"), next_cursor: "2" },
    { items: some("bcd"), next_cursor: "1" },
  ],
  pageParams: ["", "2"],
};
const shown = (pages: { pages: { items: Message[] }[] } | null) =>
  pages && [...pages.pages].reverse().flatMap((page) => page.items.map((one) => one.id)).join("");

describe("mergeNewest", () => {
  it("adds what is new at the end and keeps what was loaded further back", () => {
    const merged = mergeNewest(old, { items: some("fgh", "new"), next_cursor: "3" });
    expect(shown(merged)).toBe("bcdefgh");
    expect(merged?.pages[0]?.items.map((one) => one.text)).toEqual(["old", "new", "new", "new"]);
    expect(merged?.pages.at(-1)?.next_cursor).toBe("1");
  });
  it("does not guess what stands between two parts that do not meet", () => {
    expect(mergeNewest(old, { items: some("xyz"), next_cursor: "9" })).toBeNull();
  });
  it("takes the newest page alone when no other was loaded", () => {
    const one = { pages: old.pages.slice(0, 1), pageParams: [""] };
    expect(shown(mergeNewest(one, { items: some("xyz"), next_cursor: null }))).toBe("xyz");
  });
});
