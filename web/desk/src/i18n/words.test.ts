// SPDX-License-Identifier: EUPL-1.2
import { describe, expect, it } from "vitest";
import { daysBetween, makeWords } from "./words";

const nl = makeWords("nl", { "list.end": "{count, plural, one {# gesprek} other {# gesprekken}}" });
const en = makeWords("en", {});
const now = new Date(2026, 2, 4, 15, 0);
const at = (...parts: [number, number, number, number, number]) => new Date(...parts).toISOString();

describe("words", () => {
  it("writes times as a list needs them", () => {
    expect(nl.shortTime(at(2026, 2, 4, 14, 2), now)).toBe("14:02");
    expect(nl.shortTime(at(2026, 2, 3, 23, 59), now)).toBe("gisteren");
    expect(en.shortTime(at(2026, 2, 3, 0, 1), now)).toBe("yesterday");
    expect(nl.shortTime(at(2026, 1, 3, 9, 0), now)).toBe("3\u00a0feb");
    expect(nl.shortTime(at(2024, 2, 3, 9, 0), now)).toMatch(/^3\u00a0mrt\u00a02024$/);
  });
  it("shows the time, not a future day, when clocks differ a little", () => {
    expect(nl.shortTime(at(2026, 2, 4, 15, 1), now)).toBe("15:01");
  });
  it("counts calendar days through a change of the clock", () => {
    expect(daysBetween(new Date(2026, 2, 28, 23), new Date(2026, 2, 29, 23))).toBe(1);
  });
  it("knows plurals, numbers and sizes", () => {
    expect(nl.t("list.end", { count: 1 })).toBe("1 gesprek");
    expect(nl.t("list.end", { count: 1200 })).toBe("1.200 gesprekken");
    expect(nl.bytes(1_284_000)).toBe("1,3\u00a0MB");
    expect(en.bytes(999)).toBe("999\u00a0B");
  });
  it("falls back to a known sentence for a code that is new", () => {
    const words = makeWords("nl", { "delivery.failed.other": "Niet afgeleverd bij {name}" });
    expect(words.tOr("delivery.failed.brand_new", "delivery.failed.other", { name: "A" })).toBe("Niet afgeleverd bij A");
  });
});
