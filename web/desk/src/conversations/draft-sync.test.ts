// SPDX-License-Identifier: EUPL-1.2
// @vitest-environment happy-dom

import { ApiError } from "@belofte/api-client";
import { beforeEach, describe, expect, it, vi } from "vitest";

const save = vi.hoisted(() => vi.fn());
const of = vi.hoisted(() => vi.fn());
vi.mock("../app/api", () => ({
  api: { drafts: { list: async () => ({ items: [] }), of, save, saveMail: vi.fn() } },
}));

const { EMPTY, forgetWritten, keepVersions, writeDraft } = await import("./draft");
const { contentOf } = await import("./draft-content");
const { forgetDrafts, hold, release } = await import("./draft-sync");

const ID = "01890000-0000-7000-8000-000000000001";

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  forgetWritten();
  forgetDrafts();
  save.mockReset();
  of.mockReset().mockResolvedValue({ items: [] });
});

describe("sending what is kept at the server", () => {
  it("names the draft that a page before this one saved while it went", async () => {
    // As a page that is loaded anew finds it: words, and the version that they stood on before the last save.
    writeDraft(ID, { ...EMPTY, text: "Beste Jan" });
    keepVersions(ID, { reply: 0 });
    save.mockResolvedValue({ version: 7, saved_at: "2026-03-04T14:02:10Z" });
    expect(await hold(ID, "reply")).toBe(7);
    expect(save).toHaveBeenCalledWith(ID, expect.objectContaining({ kind: "reply", version: 0 }), false);
    release(ID, "reply", true);
  });

  it.each([
    ["the same words, saved by a page before this one that was slower", "Beste Jan", 9],
    ["other words, of another window", "Beste Piet", undefined],
  ])("was overtaken by %s", async (_, text, version) => {
    writeDraft(ID, { ...EMPTY, text: "Beste Jan" });
    keepVersions(ID, { reply: 0 });
    save.mockRejectedValue(new ApiError({ code: "draft_changed", status: 409 } as never));
    const content = contentOf("reply", { ...EMPTY, text });
    of.mockResolvedValue({ items: [{ kind: "reply", version: 9, content, attachments: [], copied_attachments: [], saved_at: "2026-03-04T14:02:10Z" }] });
    expect(await hold(ID, "reply")).toBe(version);
    release(ID, "reply", true);
  });

  it("asks nobody when nothing was ever kept", async () => {
    expect(await hold(ID, "reply")).toBeUndefined();
    expect(save).not.toHaveBeenCalled();
    release(ID, "reply", true);
  });
});
