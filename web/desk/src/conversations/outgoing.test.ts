// SPDX-License-Identifier: EUPL-1.2
// @vitest-environment happy-dom

import type { Message, Sender } from "@belofte/api-client";
import { describe, expect, it } from "vitest";
import en from "../../../../catalogue/en.json";
import { makeWords } from "../i18n/words";
import { EMPTY, turned } from "./draft";
import { content, htmlOf, quote, says, shows } from "./outgoing";

const sender = { signature: "Kind regards,\nSanne" } as Sender;
const ID = "01a20110-3f12-7d16-8a1d-92ee566f8c15";

describe("what goes out", () => {
  it("is the words, the signature below them, and last what is passed on", () => {
    const draft = { ...EMPTY, text: " Look at this. ", quoted: "---------- Forwarded message" };
    expect(content(draft, sender)).toEqual({
      text: "Look at this.\n\nKind regards,\nSanne\n\n---------- Forwarded message",
    });
    expect(content({ ...draft, signed: false }, sender).text).not.toContain("Kind regards");
    expect(content({ ...EMPTY, text: "Hi" }, undefined)).toEqual({ text: "Hi" });
  });

  it("is markup where it is formatted, with pictures as the mail names them", () => {
    const html = `<p>Hi <strong>you</strong></p><p><img data-attachment="${ID}" src="/api/v1/attachments/${ID}" alt="x"></p>`;
    const draft = { ...EMPTY, html, text: "Hi you", quoted: "a <b> & c" };
    const out = content(draft, sender);
    expect(out.text).toBe("");
    expect(out.html).toContain(`src="cid:${ID}@inline"`);
    expect(out.html).not.toContain("data-attachment");
    expect(out.html).toContain("<p>Kind regards,<br>Sanne</p>");
    expect(out.html).toContain("a &lt;b&gt; &amp; c");
    expect(shows(html, { id: ID } as never)).toBe(true);
    expect(says({ ...EMPTY, html: `<p><img data-attachment="${ID}"></p>` })).toBe(true);
    expect(says({ ...EMPTY, html: "<p></p>" })).toBe(false);
    expect(htmlOf("a\nb\n\n<c>")).toBe("<p>a<br>b</p><p>&lt;c&gt;</p>");
  });

  it("tells who wrote what is passed on, in the language of the desk", () => {
    const message = {
      kind: "incoming",
      author: { name: "Jan", address: "jan@klant.example" },
      subject: "Hose",
      to: [{ name: "", address: "info@winkel.example" }],
      cc: [],
      text: "It leaks.\n",
      created_at: "2026-03-04T14:02:00Z",
    } as unknown as Message;
    const words = makeWords("en", en);
    const told = quote(message, "Case", words);
    expect(told).toMatch(/^-+ Forwarded message -+\nFrom: Jan <jan@klant\.example>\nDate: .*2026.*\nSubject: Hose\nTo: info@winkel\.example\n\nIt leaks\.$/);
  });

  it("keeps its words when it goes another way, and forgets whom it was for", () => {
    const draft = { ...EMPTY, text: "Hi", to: [{ name: "", address: "a@b.example" }] };
    expect(turned(draft, "all", null)).toMatchObject({ text: "Hi", to: null, way: "all" });
    expect(turned(draft, "reply", null)).toMatchObject({ to: draft.to });
  });
});
