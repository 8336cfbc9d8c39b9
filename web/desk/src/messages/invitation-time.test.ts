// SPDX-License-Identifier: EUPL-1.2
import { describe, expect, it } from "vitest";
import { span } from "./invitation-time";

const en = { locale: "en-GB" };

describe("when an appointment is", () => {
  it("shows whole days as they are in every zone", () => {
    expect(span({ day: "2026-12-30" }, { day: "2027-01-01" }, en)).toContain("30 December 2026");
    expect(span({ day: "2026-12-30" }, { day: "2026-12-30" }, en)).toBe("Wed, 30 December 2026");
  });
  it("names the zone of a moment, and none where there is none", () => {
    expect(span({ at: "2026-12-01T09:00:00.000Z" }, { at: "2026-12-01T10:30:00.000Z" }, en)).toMatch(/(GMT|UTC|CET)/);
    expect(span({ local: "2026-12-01T10:00:00" }, null, en)).toMatch(/10:00$/);
  });
  it("says nothing of what makes no sense", () => {
    expect(span(null, null, en)).toBeNull();
    expect(span({ local: "morgen" }, null, en)).toBeNull();
    expect(span({ day: "2026-12-30" }, { day: "2026-12-01" }, en)).toBe("Wed, 30 December 2026");
  });
});
