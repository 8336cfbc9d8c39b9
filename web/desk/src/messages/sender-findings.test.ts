// SPDX-License-Identifier: EUPL-1.2
import type { Authentication } from "@belofte/api-client";
import { describe, expect, it } from "vitest";
import en from "../../../../catalogue/en.json";
import nl from "../../../../catalogue/nl.json";
import { makeWords } from "../i18n/words";
import { findings } from "./sender-findings";

const domain = "bank.example";
const forged: Authentication = {
  verdict: "disowned",
  domain,
  spf: { result: "fail", domain },
  dkim: [
    { result: "body_changed", domain, selector: "s1" },
    { result: "pass", domain: "elsewhere.example", selector: "k1" },
  ],
  dmarc: { result: "fail", policy: "reject" },
};
const hidden: Authentication = {
  verdict: "unverified",
  spf: { result: "not_checked" },
  dkim: [],
  dmarc: { result: "not_checked" },
};
const english = makeWords("en", en);
const values = (checked: Authentication) => findings(checked, english).map(([, lines]) => lines);

describe("findings", () => {
  it("tells line by line what was looked at and what it says", () => {
    expect(values(forged)).toEqual([
      ["bank.example"],
      ["May not send for bank.example"],
      ["Signed by bank.example, but the text was changed afterwards", "Signed by elsewhere.example, unchanged"],
      ["None of our mails"],
      ["To refuse mails that fail"],
    ]);
  });
  it("has words where a domain is not shown, and no line for what the domain does not ask", () => {
    expect(values({ ...hidden, spf: { result: "pass" } })).toEqual([
      ["None, or more than one"],
      ["May send for the domain"],
      ["None"],
      [en["sender.dmarc.not_checked"]],
    ]);
  });
  it("has words of its own for every result", () => {
    const spf: Authentication["spf"]["result"][] = ["pass", "fail", "soft_fail", "neutral", "none", "temporary_error", "permanent_error", "not_checked"];
    const dkim: Authentication["dkim"][number]["result"][] = ["pass", "body_changed", "wrong", "expired", "no_key", "unusable", "temporary_error"];
    const dmarc: Authentication["dmarc"]["result"][] = ["pass", "fail", "none", "temporary_error", "permanent_error", "not_checked"];
    const known = [spf.map((one) => `spf.${one}`), dkim.map((one) => `dkim.${one}`), dmarc.map((one) => `dmarc.${one}`)].flat();
    for (const words of [en, nl] as Record<string, string>[]) {
      for (const key of known) expect(words[`sender.${key}`], key).toBeTruthy();
    }
  });
});
