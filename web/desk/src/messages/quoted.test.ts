// SPDX-License-Identifier: EUPL-1.2
import { describe, expect, it } from "vitest";
import { linkPieces, splitQuoted } from "./quoted";

describe("splitQuoted", () => {
  it("counts code points, as the server does", () => {
    expect(splitQuoted("👍 ja\n> oud", 5)).toEqual({ own: "👍 ja", quoted: "> oud" });
  });
  it("leaves text without a quotation alone", () => {
    expect(splitQuoted("ja", null)).toEqual({ own: "ja", quoted: "" });
  });
  it("shows a mail that is only a quotation", () => {
    expect(splitQuoted("> oud", 0)).toEqual({ own: "> oud", quoted: "" });
  });
});

describe("linkPieces", () => {
  it("finds addresses and leaves the full stop behind", () => {
    const pieces = linkPieces("Zie https://a.example/x. Of mail hulp@a.example!");
    expect(pieces.map((piece) => piece.href)).toEqual([null, "https://a.example/x", null, "mailto:hulp@a.example", null]);
    expect(pieces.map((piece) => piece.text).join("")).toBe("Zie https://a.example/x. Of mail hulp@a.example!");
  });
  it("makes no link of a script", () => {
    expect(linkPieces("javascript:alert(1)").every((piece) => piece.href === null)).toBe(true);
  });
});
