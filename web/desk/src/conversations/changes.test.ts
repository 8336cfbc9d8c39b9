// SPDX-License-Identifier: EUPL-1.2
import type { ConversationRow, UserRef } from "@belofte/api-client";
import { describe, expect, it } from "vitest";
import { backTo, concerns, toAssignee, toQueue, toSnooze, toStatus, toTag } from "./changes";

const user: UserRef = { id: "u", name: "Aisha", role: "agent", state: "active" };
const now = new Date("2026-11-25T09:00:00Z");
const later = new Date("2026-11-26T08:00:00Z");
const tag = { id: "t", name: "Retour", colour: "teal" as const };

function row(more: Partial<ConversationRow> = {}): ConversationRow {
  return {
    id: "c",
    no: 1,
    status: "open",
    contact: { id: "p", name: "Jan", address: "jan@klant.example" },
    subject: "",
    preview: "",
    channel: "email",
    channel_account_id: "a",
    queue: { id: "q", name: "Balie" },
    unread: false,
    message_count: 1,
    last_message_at: "2026-11-25T08:00:00.000Z",
    last_message_kind: "incoming",
    created_at: "2026-11-25T08:00:00.000Z",
    version: 1,
    delivery_problem: false,
    placed_at: "2026-11-25T08:00:00.000Z",
    tags: [],
    ...more,
  };
}

describe("a change and its way back", () => {
  it("leave a row as it was, whatever it was", () => {
    const rows = [
      row(),
      row({ status: "waiting", assignee: user }),
      row({ status: "snoozed", snoozed_until: later.toISOString(), tags: [tag] }),
      row({ status: "resolved", tags: [tag, { id: "v", name: "Spoed", colour: "red" }] }),
    ];
    const changes = [toStatus("resolved"), toSnooze(later), toAssignee(user), toAssignee(null), toQueue({ id: "r", name: "Winkel" }), toTag(tag, true), toTag(tag, false)];
    for (const before of rows) {
      for (const change of changes) {
        const changed = change.shown(before);
        expect(backTo(before, change, now).shown(changed)).toEqual(before);
      }
    }
  });

  it("ask of the server what was different before, and nothing else", () => {
    expect(backTo(row({ assignee: user }), toStatus("resolved"), now).patch).toEqual({ status: "open" });
    expect(backTo(row({ tags: [tag] }), toTag(tag, true), now).patch).toEqual({});
    expect(backTo(row(), toTag(tag, true), now).patch).toEqual({ remove_tag_ids: ["t"] });
    expect(backTo(row({ status: "snoozed", snoozed_until: later.toISOString() }), toStatus("resolved"), now).patch).toEqual({
      status: "snoozed",
      snoozed_until: later.toISOString(),
    });
  });

  it("do not put off until what has passed meanwhile", () => {
    const before = row({ status: "snoozed", snoozed_until: now.toISOString() });
    expect(backTo(before, toStatus("resolved"), later).patch).toEqual({ status: "open" });
  });

  it("take the mark of what came back away", () => {
    const back = row({ woken_at: now.toISOString() });
    expect(toStatus("resolved").shown(back).woken_at).toBeUndefined();
    expect(toAssignee(user).shown(back).woken_at).toBe(now.toISOString());
  });
});

describe("concerns", () => {
  it("is what a change would change", () => {
    expect(concerns(row(), toStatus("open"))).toBe(false);
    expect(concerns(row(), toStatus("resolved"))).toBe(true);
    expect(concerns(row(), toAssignee(null))).toBe(false);
    expect(concerns(row({ tags: [tag] }), toTag(tag, true))).toBe(false);
    expect(concerns(row({ tags: [tag] }), toTag(tag, false))).toBe(true);
    expect(concerns(row({ status: "snoozed", snoozed_until: later.toISOString() }), toSnooze(now))).toBe(true);
  });
});
