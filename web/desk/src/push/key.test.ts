// SPDX-License-Identifier: EUPL-1.2
import { describe, expect, it } from "vitest";
import { isTold, madeBy, octets } from "./key";
import { withWords } from "./words";

const KEY = "BPj8-_8A";
const made = (key: string) => ({ options: { applicationServerKey: octets(key).buffer } }) as unknown as PushSubscription;

describe("this browser as a device", () => {
  it("reads keys in the Base64 of addresses", () => {
    expect([...octets(KEY)]).toEqual([4, 248, 252, 251, 255, 0]);
  });
  it("knows by which key it was subscribed", () => {
    expect(madeBy(made(KEY), KEY)).toBe(true);
    expect(madeBy(made("BPj8-_8B"), KEY)).toBe(false);
    expect(madeBy(made("BPj8"), KEY)).toBe(false);
    expect(madeBy({ options: { applicationServerKey: null } } as unknown as PushSubscription, KEY)).toBe(true);
  });
  it("is told when the server has a device of this session and the browser a subscription by its key", () => {
    const device = { id: "1", user_agent: "", service: "push.example", current: true, created_at: "" };
    const push = { offered: true, allowed: true, public_key: KEY, services: [], devices: [device] };
    expect(isTold(push, made(KEY))).toBe(true);
    expect(isTold(push, null)).toBe(false);
    expect(isTold(push, made("BPj8"))).toBe(false);
    expect(isTold({ ...push, devices: [{ ...device, current: false }] }, made(KEY))).toBe(false);
  });
});

describe("the words of the service worker", () => {
  it("stand in it in every language, whatever is in them", () => {
    const source = withWords("const all = BELOFTE_WORDS;", {
      nl: { "push.note_title": "Nieuw $&", "push.note_text": 'Kijk "hier"' },
      en: { "push.note_title": "New", "push.note_text": "Look" },
    });
    expect(source).toBe('const all = {"nl":{"title":"Nieuw $&","text":"Kijk \\"hier\\""},"en":{"title":"New","text":"Look"}};');
  });
});
