// SPDX-License-Identifier: EUPL-1.2
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dayField, momentOf, offers } from "./snooze-times";

const zone = process.env.TZ;
beforeAll(() => {
  process.env.TZ = "Europe/Amsterdam";
});
afterAll(() => {
  process.env.TZ = zone;
});

const told = (now: string) => offers(new Date(now)).map((one) => [one.name, one.at.toISOString()]);

describe("offers", () => {
  it("are whole hours later today, tomorrow and Monday morning", () => {
    // A Wednesday in November, 10:20 in Amsterdam.
    expect(told("2026-11-25T09:20:00Z")).toEqual([
      ["later", "2026-11-25T13:00:00.000Z"],
      ["tomorrow", "2026-11-26T08:00:00.000Z"],
      ["monday", "2026-11-30T08:00:00.000Z"],
    ]);
    expect(told("2026-11-25T09:00:00Z")[0]).toEqual(["later", "2026-11-25T12:00:00.000Z"]);
  });

  it("leave out today when nothing is left of it, and never name one day twice", () => {
    // A Sunday, 21:30.
    expect(told("2026-11-29T20:30:00Z")).toEqual([
      ["tomorrow", "2026-11-30T08:00:00.000Z"],
      ["monday", "2026-12-07T08:00:00.000Z"],
    ]);
    // A Monday.
    expect(told("2026-11-30T08:00:00Z").at(-1)).toEqual(["monday", "2026-12-07T08:00:00.000Z"]);
  });

  it("stay at nine when the clocks change", () => {
    // The Saturday before summer time begins, and the one before it ends.
    expect(told("2026-03-28T09:00:00Z").slice(1).map(([, at]) => at)).toEqual(["2026-03-29T07:00:00.000Z", "2026-03-30T07:00:00.000Z"]);
    expect(told("2026-10-24T08:00:00Z").slice(1).map(([, at]) => at)).toEqual(["2026-10-25T08:00:00.000Z", "2026-10-26T08:00:00.000Z"]);
  });
});

describe("momentOf", () => {
  const now = new Date("2026-10-24T08:00:00Z");
  it("is what the clock shows on that day", () => {
    expect(momentOf("2026-10-24", "11:00", now)?.toISOString()).toBe("2026-10-24T09:00:00.000Z");
    expect(momentOf("2026-10-26", "11:00", now)?.toISOString()).toBe("2026-10-26T10:00:00.000Z");
  });
  it("is none of what has passed or is not filled in", () => {
    expect(momentOf("2026-10-24", "09:59", now)).toBeNull();
    expect(momentOf("", "11:00", now)).toBeNull();
    expect(momentOf("2026-10-26", "", now)).toBeNull();
  });
  it("has a day that the field can show", () => {
    expect(dayField(new Date("2026-10-24T22:30:00Z"))).toBe("2026-10-25");
  });
});
