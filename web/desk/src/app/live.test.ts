// SPDX-License-Identifier: EUPL-1.2
import type { LiveFrame, LiveKind } from "@belofte/api-client";
import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

vi.mock("./api", () => ({ api: {} }));
vi.mock("./session", () => ({ currentSession: async () => null }));
vi.mock("../i18n", () => ({ useWords: () => ({}) }));
const { affected, gather } = await import("./live");

const frame = (kind: LiveKind, conversation?: string): LiveFrame => ({
  seq: 1,
  kind,
  at: "2026-01-01T00:00:00.000Z",
  ...(conversation ? { conversation_id: conversation } : {}),
});

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("live events", () => {
  it("touch the conversation they name and no other", () => {
    const hit = affected(frame("message_created", "c1"));
    expect(hit.keys).toContainEqual(["messages", "c1"]);
    expect(hit.keys).toContainEqual(["conversation", "c1"]);
    expect(hit.lists).toBe(true);
    expect(affected(frame("delivery_changed", "c1")).keys).not.toContainEqual(["counts"]);
    expect(affected(frame("quarantine_changed")).lists).toBe(false);
    expect(affected(frame("tags_changed")).keys).toContainEqual(["conversations"]);
    expect(affected(frame("saved_views_changed")).keys).toEqual([["saved-views"]]);
    expect(affected(frame("notifications_changed"))).toEqual({ keys: [["notifications"], ["notification-ways"]], lists: false, all: false });
    expect(affected(frame("macros_changed")).keys).toEqual([["macros"]]);
    expect(affected(frame("queues_changed")).keys).toContainEqual(["queues"]);
    expect(affected(frame("queues_changed")).keys).toContainEqual(["conversations"]);
    expect(affected(frame("teams_changed")).keys).toEqual([["teams"], ["team"]]);
    expect(affected(frame("hello"))).toEqual({ keys: [], lists: false, all: false });
  });

  it("make one round of requests of a burst", () => {
    const client = new QueryClient();
    const invalidate = vi.spyOn(client, "invalidateQueries").mockResolvedValue();
    const refresh = vi.fn().mockResolvedValue(undefined);
    const messages = vi.fn().mockResolvedValue(undefined);
    const push = gather(client, refresh, messages);
    for (let i = 0; i < 50; i++) push(frame("message_created", "c1"));
    push(frame("conversation_changed", "c2"));
    expect(refresh).not.toHaveBeenCalled();
    vi.advanceTimersByTime(200);
    expect(refresh).toHaveBeenCalledTimes(1);
    expect([...(refresh.mock.calls[0]?.[0] ?? [])].sort()).toEqual(["c1", "c2"]);
    expect(messages).toHaveBeenCalledTimes(1);
    const named = invalidate.mock.calls.map(([filter]) => JSON.stringify(filter?.queryKey));
    expect(named.filter((key) => key === '["counts"]')).toHaveLength(1);
  });

  it("leave it to the lists of people what a changed person means to them", () => {
    const client = new QueryClient();
    const invalidate = vi.spyOn(client, "invalidateQueries").mockResolvedValue();
    const contacts = vi.fn().mockResolvedValue(undefined);
    const push = gather(client, async () => undefined, async () => undefined, contacts);
    push(frame("contact_changed"));
    push(frame("conversation_created", "c1"));
    vi.advanceTimersByTime(200);
    expect(contacts).toHaveBeenCalledTimes(1);
    const named = invalidate.mock.calls.map(([filter]) => filter?.queryKey);
    expect(named).toContainEqual(["contact"]);
    expect(named).not.toContainEqual(["contacts"]);
  });

  it("reload everything after a resync", () => {
    const client = new QueryClient();
    const invalidate = vi.spyOn(client, "invalidateQueries").mockResolvedValue();
    const push = gather(client, async () => undefined);
    push(frame("resync"));
    vi.advanceTimersByTime(200);
    expect(invalidate).toHaveBeenCalledWith();
  });
});
