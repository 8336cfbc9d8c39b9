// SPDX-License-Identifier: EUPL-1.2

import type { Message, Sender } from "@belofte/api-client";
import { describe, expect, it } from "vitest";
import { answerAll, answerTo, isAddress, ownAddresses, parseMailboxes, usuallyAnswered, written, writtenTo } from "./people";

const all = (text: string) => parseMailboxes(text).map(written);

describe("a list of addresses", () => {
  it("is read as mail programs and spreadsheets write it", () => {
    expect(all("jan@klant.example, els@klant.example")).toEqual(["jan@klant.example", "els@klant.example"]);
    expect(all("jan@klant.example els@klant.example\npiet@klant.example;")).toHaveLength(3);
    expect(all('"Jansen, Jan" <jan@klant.example>; Els de Wit <els@klant.example>')).toEqual([
      "Jansen, Jan <jan@klant.example>",
      "Els de Wit <els@klant.example>",
    ]);
    expect(all("Jansen, Jan <jan@klant.example>, els@klant.example")).toEqual([
      "Jansen, Jan <jan@klant.example>",
      "els@klant.example",
    ]);
    expect(all("mailto:jan@klant.example, JAN@klant.example")).toEqual(["jan@klant.example"]);
  });

  it("keeps what is no address, so that it can be seen and mended", () => {
    expect(all("jan, els@klant.example")).toEqual(["jan", "els@klant.example"]);
    expect(all("Jan Jansen")).toEqual(["Jan Jansen"]);
    expect(all('"nooit gesloten <jan@klant.example\nels@klant.example')).toContain("els@klant.example");
    for (const odd of ["jan", "jan@", "@klant.example", "jan@klant", "a b@c.example", "a@b.example\r\nBcc: x@y.example"]) {
      expect(isAddress(odd), odd).toBe(false);
    }
    expect(isAddress("jan@münchen.example")).toBe(true);
    expect(parseMailboxes("")).toEqual([]);
  });
});

describe("an answer", () => {
  const own = ownAddresses([{ address: "info@winkel.example" }, { address: "Verkoop@winkel.example" }] as Sender[]);
  const message = (part: Partial<Message>) =>
    ({
      kind: "incoming",
      author: { kind: "contact", name: "Jan", address: "jan@klant.example" },
      to: [{ name: "", address: "info+r.x@winkel.example" }, { name: "Els", address: "els@klant.example" }],
      cc: [{ name: "", address: "verkoop@winkel.example" }, { name: "", address: "piet@klant.example" }, { name: "", address: "JAN@klant.example" }],
      reply_to: [],
      ...part,
    }) as Message;

  it("goes to the author, or to where they want it", () => {
    expect(answerTo(message({}), own).map(written)).toEqual(["Jan <jan@klant.example>"]);
    const elsewhere = [{ name: "", address: "balie@klant.example" }];
    expect(answerTo(message({ reply_to: elsewhere }), own)).toEqual(elsewhere);
    expect(answerTo(message({ kind: "reply" }), own).map(written)).toEqual(["Els <els@klant.example>"]);
  });

  it("to all leaves out one's own addresses and names nobody twice", () => {
    const { to, cc } = answerAll(message({}), own);
    expect(to.map(written)).toEqual(["Jan <jan@klant.example>", "Els <els@klant.example>"]);
    expect(cc.map(written)).toEqual(["piet@klant.example"]);
  });

  it("answers the customer, else goes on, else answers who wrote by a machine, and never a report", () => {
    const at = (id: string, part: Partial<Message>) => message({ id, sort: null, ...part } as Partial<Message>);
    const customer = at("customer", {});
    const ours = at("ours", { kind: "reply", subject: "Re: Vraag" });
    const passedOn = at("passed on", { kind: "reply", subject: "Fwd: Vraag" });
    const began = at("began", { kind: "reply", subject: "Vraag" });
    const form = at("form", { kind: "automatic", sort: "auto_generated", reply_to: [{ name: "", address: "els@klant.example" }] });
    const daemon = { kind: "contact" as const, name: "", address: "MAILER-DAEMON@post.example" };
    const bounce = at("bounce", { kind: "automatic", sort: "delivery_report", author: daemon } as Partial<Message>);
    const note = at("note", { kind: "note" });
    expect(usuallyAnswered([customer, ours, form, bounce])?.id).toBe("customer");
    expect(usuallyAnswered([form, ours, bounce, note])?.id).toBe("ours");
    expect(usuallyAnswered([form, bounce, note])?.id).toBe("form");
    expect(usuallyAnswered([form, passedOn])?.id).toBe("form");
    expect(usuallyAnswered([began, passedOn])?.id).toBe("began");
    expect(answerTo(form, own).map(written)).toEqual(["els@klant.example"]);
    expect(usuallyAnswered([bounce, note])).toBeUndefined();
    expect(answerTo(bounce, own)).toEqual([]);
    expect(answerAll(bounce, own)).toEqual({ to: [], cc: [] });
    expect(writtenTo({ name: "", address: "mailer-daemon@post.example" }, [bounce])).toEqual([]);
    expect(writtenTo({ name: "", address: "jan@klant.example" }, [bounce])).toHaveLength(1);
  });
});
