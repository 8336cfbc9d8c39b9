// SPDX-License-Identifier: EUPL-1.2
// @vitest-environment happy-dom

import { beforeEach, describe, expect, it } from "vitest";
import { callOff } from "../app/hold";
import { EMPTY } from "./draft";
import { awaited, received, withRecipient, writeTo } from "./write-to";

const anna = { name: "Anna", address: "anna@klant.example" };
const bas = { name: "", address: "bas@klant.example" };

describe("a mail to somebody", () => {
  it("begins with them alone", () => {
    expect(withRecipient(EMPTY, anna)).toEqual({ draft: { ...EMPTY, to: [anna] }, joined: false });
  });

  it("takes nothing away from a mail that was begun", () => {
    const begun = { ...EMPTY, to: [bas], subject: "Uw offerte", text: "Beste Bas," };
    expect(withRecipient(begun, anna)).toEqual({ draft: { ...begun, to: [bas, anna] }, joined: true });
    expect(withRecipient({ ...EMPTY, text: "Nog niemand" }, anna).draft.to).toEqual([anna]);
  });

  it("reaches nobody twice", () => {
    const upper = { name: "", address: "ANNA@klant.example" };
    for (const draft of [{ ...EMPTY, to: [upper] }, { ...EMPTY, cc: [upper] }, { ...EMPTY, bcc: [upper] }]) {
      expect(withRecipient(draft, anna)).toEqual({ draft, joined: false });
    }
  });
});

describe("who waits to be written to", () => {
  beforeEach(() => {
    sessionStorage.clear();
    callOff();
  });

  it("waits in this tab until the mail is there", () => {
    expect(awaited()).toBeNull();
    writeTo(anna);
    expect(awaited()).toEqual(anna);
    expect(localStorage.length).toBe(0);
    received();
    expect(awaited()).toBeNull();
    sessionStorage.setItem("belofte.private.write-to", '{"name":1}');
    expect(awaited()).toBeNull();
  });
});
