// SPDX-License-Identifier: EUPL-1.2
// @vitest-environment happy-dom

import type { Message } from "@belofte/api-client";
import { beforeEach, describe, expect, it } from "vitest";
import { EMPTY } from "./draft";
import { draftOf, joined, keepUndoSeconds, undoSeconds, waits } from "./undo";

beforeEach(() => localStorage.clear());

describe("taking back", () => {
  it("waits ten seconds unless somebody chose otherwise", () => {
    expect(undoSeconds()).toBe(10);
    keepUndoSeconds(0);
    expect(undoSeconds()).toBe(0);
    localStorage.setItem("belofte.undo", "3600");
    expect(undoSeconds()).toBe(10);
  });

  it("lays what came back above what was begun since, and loses neither", () => {
    const back = { ...EMPTY, text: "First.", bcc: [{ name: "", address: "a@b.example" }] };
    expect(joined(back, { ...EMPTY, note: "kept" })).toMatchObject({ text: "First.", note: "kept", html: null, bcc: back.bcc });
    expect(joined(back, { ...EMPTY, text: "Second." }).text).toBe("First.\n\nSecond.");
    expect(joined(back, { ...EMPTY, text: "Second.", html: "<p><b>Second.</b></p>" }).html).toBe("<p>First.</p><p><b>Second.</b></p>");
  });

  it("brings a note back where notes are written, with whom it names", () => {
    const mentions = [{ user: { id: "u", name: "Daan Bos", role: "agent", state: "active" }, starts_at: 0, ends_at: 5 }];
    const back = draftOf({ kind: "note", text: "@Daan kijk", mentions, attachments: [], deliveries: [] } as unknown as Message);
    expect(back).toMatchObject({ noting: true, note: "@Daan kijk", text: "", named: [{ id: "u", name: "Daan" }] });
    const now = joined(back, { ...EMPTY, text: "An answer.", note: "More." });
    expect(now).toMatchObject({ noting: true, note: "@Daan kijk\n\nMore.", text: "An answer." });
  });

  it("makes a draft of a message that nobody has the draft of any more", () => {
    const message = {
      text: "Hello\n\nKind regards",
      to: [{ name: "", address: "jan@klant.example" }],
      cc: [],
      attachments: [],
      deliveries: [
        { role: "to", state: "queued", attempts: 0, next_try_at: "2026-03-04T14:02:10Z", recipient: { name: "", address: "jan@klant.example" } },
        { role: "bcc", state: "queued", attempts: 0, next_try_at: "2026-03-04T14:02:10Z", recipient: { name: "", address: "kees@klant.example" } },
      ],
    } as unknown as Message;
    expect(draftOf(message)).toMatchObject({ bcc: [{ address: "kees@klant.example" }], signed: false, text: message.text });
    expect(waits(message)).toBe(true);
    const [first] = message.deliveries;
    expect(waits({ ...message, deliveries: [{ ...first, attempts: 1 } as never] })).toBe(false);
    expect(waits({ ...message, deliveries: [] })).toBe(false);
  });
});
