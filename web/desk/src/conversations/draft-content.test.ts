// SPDX-License-Identifier: EUPL-1.2

import type { Attachment, Draft as Kept } from "@belofte/api-client";
import { describe, expect, it } from "vitest";
import { type Draft, EMPTY } from "./draft";
import { both, contentOf, draftFrom } from "./draft-content";

const file = (id: string): Attachment => ({ id, name: `${id}.txt`, media_type: "text/plain", size_bytes: 3, inline: false });

/** What the server gives back of what it was given. */
function kept(kind: Kept["kind"], draft: Draft): Kept {
  const content = contentOf(kind, draft);
  if (!content) throw new Error("nothing to keep");
  return { kind, version: 1, saved_at: "2026-11-29T12:00:00.000Z", content, attachments: draft.files, copied_attachments: draft.copies };
}

describe("drafts at the server", () => {
  it("keeps nothing of what says nothing", () => {
    expect(contentOf("reply", EMPTY)).toBeNull();
    expect(contentOf("note", EMPTY)).toBeNull();
    expect(contentOf("reply", { ...EMPTY, way: "all" })).toBeNull();
    expect(contentOf("reply", { ...EMPTY, note: "only a note" })).toBeNull();
  });

  it("gives back what was written, and when", () => {
    const draft: Draft = {
      ...EMPTY,
      text: "Dag",
      html: "<p>Dag</p>",
      way: "forward",
      to: [{ name: "Jan", address: "jan@" }],
      bcc: [{ name: "", address: "b@klant.example" }],
      signed: false,
      quoted: "Eerder",
      copies: [file("c")],
      files: [file("a")],
    };
    expect(draftFrom([kept("reply", draft)])).toEqual({ ...draft, savedAt: "2026-11-29T12:00:00.000Z" });
  });

  it("lets files lie with what is in front", () => {
    const draft: Draft = { ...EMPTY, text: "Dag", note: "Let op", noting: true, files: [file("a")] };
    expect(contentOf("reply", draft)?.attachment_ids).toEqual([]);
    expect(contentOf("note", draft)?.attachment_ids).toEqual(["a"]);
    expect(draftFrom([{ ...kept("note", draft) }]).noting).toBe(true);
  });

  it("keeps with a note whom it names", () => {
    const draft: Draft = { ...EMPTY, noting: true, note: "@Daan Bos kijk", named: [{ id: "u", name: "Daan Bos" }, { id: "v", name: "Weg" }] };
    expect(contentOf("note", draft)?.mentions).toEqual([{ user_id: "u", starts_at: 0, ends_at: 9 }]);
    expect(draftFrom([kept("note", draft)]).named).toEqual([{ id: "u", name: "Daan Bos" }]);
    expect(contentOf("reply", { ...draft, text: "Dag" })?.mentions).toEqual([]);
  });

  it("puts two together and loses nothing", () => {
    const theirs: Draft = { ...EMPTY, text: "Van kantoor", files: [file("a"), file("b")] };
    const mine: Draft = { ...EMPTY, text: "Uit de trein", note: "Let op", files: [file("b"), file("c")] };
    const joined = both(theirs, mine);
    expect(joined.text).toBe("Van kantoor\n\nUit de trein");
    expect(joined.note).toBe("Let op");
    expect(joined.files.map((one) => one.id)).toEqual(["a", "b", "c"]);
    expect(both(mine, mine).text).toBe("Uit de trein");
  });
});
