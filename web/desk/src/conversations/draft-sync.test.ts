// SPDX-License-Identifier: EUPL-1.2
// @vitest-environment happy-dom

import { beforeEach, describe, expect, it, vi } from "vitest";

const save = vi.hoisted(() => vi.fn());
vi.mock("../app/api", () => ({
  api: { drafts: { list: async () => ({ items: [] }), of: async () => ({ items: [] }), save, saveMail: vi.fn() } },
}));

const { EMPTY, forgetWritten, keepVersions, writeDraft } = await import("./draft");
const { forgetDrafts, hold, release } = await import("./draft-sync");

const ID = "01890000-0000-7000-8000-000000000001";

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  forgetWritten();
  forgetDrafts();
  save.mockReset();
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

  it("asks nobody when nothing was ever kept", async () => {
    expect(await hold(ID, "reply")).toBeUndefined();
    expect(save).not.toHaveBeenCalled();
    release(ID, "reply", true);
  });
});
