// SPDX-License-Identifier: EUPL-1.2

import { describe, expect, it } from "vitest";
import { begun, calendarOf, holds, keptEnd, shownEnd, sound, withDay, withOneMore } from "./calendar";

describe("a calendar", () => {
  it("begins with office hours of five days", () => {
    const calendar = begun();
    expect(calendar.week.map((day) => day.length)).toEqual([1, 1, 1, 1, 1, 0, 0]);
    expect(calendar.holidays).not.toContain("good_friday");
    expect(sound(calendar)).toBe(true);
  });

  it("is whole when parts of it are left out", () => {
    expect(calendarOf({ week: [] })).toEqual({ zone: "Europe/Amsterdam", week: [], holidays: [], exceptions: [] });
  });

  it("shows midnight as a field can", () => {
    expect(keptEnd(shownEnd("24:00"))).toBe("24:00");
    expect(keptEnd(shownEnd("17:30"))).toBe("17:30");
  });

  it("is sent only when it holds", () => {
    expect(holds([{ from: "09:00", to: "09:00" }])).toBe(false);
    expect(holds([{ from: "13:00", to: "17:00" }, { from: "09:00", to: "13:00" }])).toBe(true);
    expect(holds([{ from: "09:00", to: "13:01" }, { from: "13:00", to: "17:00" }])).toBe(false);
    expect(holds([{ from: "", to: "" }])).toBe(false);
    expect(holds([{ from: "22:00", to: "24:00" }])).toBe(true);
    expect(holds(withOneMore([{ from: "09:00", to: "12:00" }]))).toBe(true);
    expect(withOneMore([{ from: "09:00", to: "24:00" }])[1]).toEqual({ from: "", to: "" });
  });

  it("has one exception for a day, in order", () => {
    const one = withDay([{ date: "2026-12-31", hours: [] }], "2026-12-24");
    expect(one.map(({ date }) => date)).toEqual(["2026-12-24", "2026-12-31"]);
    expect(withDay(one, "2026-12-24")).toBe(one);
  });
});
