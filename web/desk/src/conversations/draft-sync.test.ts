// SPDX-License-Identifier: EUPL-1.2
// @vitest-environment happy-dom

import { ApiError } from "@belofte/api-client";
import { act, createElement } from "react";
import { createRoot } from "react-dom/client";
import { beforeEach, describe, expect, it, vi } from "vitest";

const save = vi.hoisted(() => vi.fn());
const of = vi.hoisted(() => vi.fn());
vi.mock("../app/api", () => ({
  api: { drafts: { list: async () => ({ items: [] }), of, save, saveMail: vi.fn() } },
}));

const { queryClient } = await import("../app/queries");
const { EMPTY, forgetWritten, keepFlight, keepVersions, kept, readDraft, writeDraft } = await import("./draft");
const { contentOf } = await import("./draft-content");
const { forgetDrafts, hold, release, stateOf } = await import("./draft-sync");

const { useDraft } = await import("./use-draft");

const ID = "01890000-0000-7000-8000-000000000001";

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  forgetWritten();
  forgetDrafts();
  save.mockReset();
  of.mockReset().mockResolvedValue({ items: [] });
  queryClient.clear();
});

describe("sending what is kept at the server", () => {
  it("names the draft that a page before this one saved while it went", async () => {
    // As a page that is loaded anew finds it: words, and the version that they stood on before the last save.
    writeDraft(ID, { ...EMPTY, text: "Beste Jan" });
    keepVersions(ID, { reply: 0 });
    save.mockResolvedValue({ version: 7, saved_at: "2026-03-04T14:02:10Z" });
    expect(await hold(ID, "reply")).toBe(7);
    expect(save).toHaveBeenCalledWith(ID, expect.objectContaining({ kind: "reply", version: 0 }), false);
    release(ID, "reply", { draft: 7 });
  });

  it.each([
    ["the same words, saved by a page before this one that was slower", "Beste Jan", 9],
    ["the first of these words, which were on their way when the page before this one went", "Beste", 9],
    ["other words, of another window", "Beste Piet", undefined],
  ])("was overtaken by %s", async (_, text, version) => {
    writeDraft(ID, { ...EMPTY, text: "Beste Jan" });
    keepVersions(ID, { reply: 0 });
    keepFlight(ID, "reply", JSON.stringify(contentOf("reply", { ...EMPTY, text: "Beste" })));
    save.mockRejectedValue(new ApiError({ code: "draft_changed", status: 409 } as never));
    const content = contentOf("reply", { ...EMPTY, text });
    of.mockResolvedValue({ items: [{ kind: "reply", version: 9, content, attachments: [], copied_attachments: [], saved_at: "2026-03-04T14:02:10Z" }] });
    expect(await hold(ID, "reply")).toBe(version);
    release(ID, "reply", { draft: version });
  });

  it("asks nobody when nothing was ever kept", async () => {
    expect(await hold(ID, "reply")).toBeUndefined();
    expect(save).not.toHaveBeenCalled();
    release(ID, "reply", { draft: undefined });
  });

  it("takes away what was saved after a try whose answer was lost", async () => {
    writeDraft(ID, { ...EMPTY, text: "Beste Jan" });
    // Faster than the first save: no draft goes along.
    expect(await hold(ID, "reply")).toBeUndefined();
    save.mockResolvedValue({ version: 7, saved_at: "2026-03-04T14:02:10Z" });
    release(ID, "reply", null);
    await expect.poll(() => save.mock.calls.length, { timeout: 5_000 }).toBe(1);
    expect(await hold(ID, "reply")).toBe(7);
    // The second try has the answer of the first, which took no draft away.
    save.mockResolvedValue({ version: 0, saved_at: null });
    writeDraft(ID, EMPTY);
    release(ID, "reply", { draft: undefined });
    await expect.poll(() => save.mock.calls.length, { timeout: 5_000 }).toBe(2);
    expect(save).toHaveBeenLastCalledWith(ID, { kind: "reply", version: 7, content: null }, false);
  });

  it("misses no draft that went with a first try", async () => {
    writeDraft(ID, { ...EMPTY, text: "Beste Jan" });
    save.mockResolvedValue({ version: 7, saved_at: "2026-03-04T14:02:10Z" });
    await expect.poll(() => save.mock.calls.length, { timeout: 5_000 }).toBe(1);
    writeDraft(ID, { ...EMPTY, text: "Beste Jan," });
    expect(await hold(ID, "reply")).toBe(7);
    save.mockRejectedValue(new ApiError({ code: "draft_changed", status: 409 } as never));
    release(ID, "reply", null);
    await expect.poll(() => stateOf(ID), { timeout: 5_000 }).toBe("gone");
    expect(await hold(ID, "reply")).toBe(7);
    writeDraft(ID, EMPTY);
    release(ID, "reply", { draft: 7 });
    expect(stateOf(ID)).toBe("still");
    await new Promise((done) => setTimeout(done, 1_000));
    expect(save).toHaveBeenCalledTimes(2);
  });
});

describe("a page that is loaded anew", () => {
  it("goes on with what it found, also when the server has confirmed it", async () => {
    // What the page before left is in the browser alone.
    writeDraft(ID, { ...EMPTY, text: "Beste Jan" });
    keepVersions(ID, { reply: 0 });
    await Promise.resolve();
    forgetWritten();
    forgetDrafts();
    save.mockResolvedValue({ version: 7, saved_at: "2026-03-04T14:02:10Z" });
    expect(await hold(ID, "reply")).toBe(7);
    release(ID, "reply", null);
    expect(kept(ID), "the copy has gone").toBe(false);
    expect(readDraft(ID).text).toBe("Beste Jan");
    // It is sent.
    const saves = save.mock.calls.length;
    await hold(ID, "reply");
    writeDraft(ID, EMPTY);
    release(ID, "reply", { draft: 7 });
    await new Promise((done) => setTimeout(done, 1_000));
    expect(save, "and not saved again").toHaveBeenCalledTimes(saves);
  });
});

describe("a composer that goes with what it sent", () => {
  it("saves nothing of it any more", async () => {
    Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
    save.mockResolvedValue({ version: 7, saved_at: "2026-03-04T14:02:10Z" });
    const content = contentOf("reply", { ...EMPTY, text: "Beste Jan" });
    of.mockResolvedValue({ items: [{ kind: "reply", version: 7, content, attachments: [], copied_attachments: [], saved_at: "2026-03-04T14:02:10Z" }] });
    writeDraft(ID, { ...EMPTY, text: "Beste Jan" });
    await expect.poll(() => save.mock.calls.length, { timeout: 5_000 }).toBe(1);
    let written: ReturnType<typeof useDraft> | undefined;
    const Composer = () => {
      written = useDraft(ID);
      return null;
    };
    const root = createRoot(document.createElement("div"));
    await act(async () => root.render(createElement(Composer)));
    expect(await hold(ID, "reply")).toBe(7);
    // As after the answer of the server: the draft is empty, and the next conversation takes the composer's place
    // before anything is drawn.
    await act(async () => {
      written?.change({ files: [] });
      written?.update(() => EMPTY);
      release(ID, "reply", { draft: 7 });
      root.unmount();
    });
    expect(readDraft(ID)).toBe(EMPTY);
    await new Promise((done) => setTimeout(done, 1_000));
    expect(save).toHaveBeenCalledTimes(1);
  });
});
