// SPDX-License-Identifier: EUPL-1.2
import type { Activity, Message } from "@belofte/api-client";
import { describe, expect, it } from "vitest";
import { weave } from "./weave";

const message = (id: string, at: string) => ({ id, created_at: at }) as Message;
const line = (id: string, at: string, kind: Activity["kind"] = "assigned"): Activity => ({
  id,
  kind,
  at,
  actor: { kind: "user", name: "A" },
});

describe("weave", () => {
  it("puts what happened between the messages, without the looks", () => {
    const entries = weave([message("m1", "1"), message("m2", "3")], [line("a", "2"), line("v", "2", "viewed")], true);
    expect(entries.map((entry) => (entry.kind === "message" ? entry.message.id : entry.activity.id))).toEqual(["m1", "a", "m2"]);
  });
  it("leaves lines out that belong to messages not yet fetched", () => {
    expect(weave([message("m2", "3")], [line("a", "2")], false)).toHaveLength(1);
  });
});
