// SPDX-License-Identifier: EUPL-1.2
import type { ConversationRow } from "@belofte/api-client";
import { describe, expect, it, vi } from "vitest";

vi.mock("./api", () => ({ api: {} }));
const { belongs, mergeHead } = await import("./lists");

function row(id: string, at: number, more: Partial<ConversationRow> = {}): ConversationRow {
  return {
    id,
    no: 1,
    status: "open",
    contact: { id: "c", name: "", address: "a@b.example" },
    subject: "",
    preview: "",
    channel: "email",
    channel_account_id: "x",
    queue: { id: "q", name: "Q" },
    unread: false,
    message_count: 1,
    last_message_at: `2026-01-${String(at).padStart(2, "0")}T00:00:00.000Z`,
    last_message_kind: "incoming",
    created_at: "2026-01-01T00:00:00.000Z",
    version: 1,
    delivery_problem: false,
    placed_at: `2026-01-${String(at).padStart(2, "0")}T00:00:00.000Z`,
    tags: [],
    ...more,
  };
}
const ids = (data: { pages: { items: ConversationRow[] }[] }) => data.pages.flatMap((p) => p.items.map((r) => r.id)).join("");

describe("mergeHead", () => {
  const old = {
    pages: [
      { items: [row("a", 20), row("b", 18)], next_cursor: "1" },
      { items: [row("c", 16), row("d", 14)], next_cursor: "2" },
    ],
    pageParams: ["", "1"],
  };
  it("moves a row that got a message from further down to the top, once", () => {
    const merged = mergeHead(old, { items: [row("d", 25), row("a", 20)], next_cursor: "1" });
    expect(ids(merged)).toBe("dabc");
    expect(merged.pages.at(-1)?.next_cursor).toBe("2");
  });
  it("drops a row that left the first page's span", () => {
    expect(ids(mergeHead(old, { items: [row("a", 20), row("c", 16)], next_cursor: "1" }))).toBe("acd");
  });
  it("takes the first page alone when there is no more", () => {
    expect(ids(mergeHead(old, { items: [row("a", 20)], next_cursor: null }))).toBe("a");
  });
});

describe("belongs", () => {
  const me = "me";
  const mine = row("a", 1, { assignee: { id: me, name: "", role: "agent", state: "active" } });
  it("follows status and assignee", () => {
    expect(belongs(mine, { status: "open", assignee: "me" }, me)).toBe(true);
    expect(belongs(mine, { status: "open", assignee: "none" }, me)).toBe(false);
    expect(belongs(mine, { status: "resolved", assignee: "any" }, me)).toBe(false);
    expect(belongs(row("b", 1, { assignee: null }), { status: "open", assignee: "none" }, me)).toBe(true);
    expect(belongs(mine, { status: "all", queue: "other" }, me)).toBe(false);
  });
  it("follows the tag", () => {
    const tagged = row("a", 1, { tags: [{ id: "t", name: "Retour", colour: "teal" }] });
    expect(belongs(tagged, { status: "open", tag: "t" }, me)).toBe(true);
    expect(belongs(tagged, { status: "open", tag: "u" }, me)).toBe(false);
  });
});
