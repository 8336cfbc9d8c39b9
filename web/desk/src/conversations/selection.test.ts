// SPDX-License-Identifier: EUPL-1.2
import { describe, expect, it } from "vitest";
import { all, NOTHING, rangeTo, toggle, within } from "./selection";

const rows = [..."abcdef"];
const told = (ids: ReadonlySet<string>) => [...ids].sort().join("");

describe("a selection", () => {
  it("takes one and leaves it again", () => {
    const one = toggle(NOTHING, "b");
    expect(told(one.ids)).toBe("b");
    expect(told(toggle(one, "b").ids)).toBe("");
    expect(told(NOTHING.ids)).toBe("");
  });
  it("takes all between the last one and another, up or down", () => {
    expect(told(rangeTo(toggle(NOTHING, "b"), rows, "d").ids)).toBe("bcd");
    expect(told(rangeTo(toggle(NOTHING, "e"), rows, "c").ids)).toBe("cde");
    const two = rangeTo(toggle(NOTHING, "b"), rows, "c");
    expect(told(rangeTo(two, rows, "e").ids)).toBe("bcde");
  });
  it("begins a range at the row itself where there is nothing to begin at", () => {
    expect(told(rangeTo(NOTHING, rows, "c").ids)).toBe("c");
    expect(told(rangeTo(toggle(NOTHING, "gone"), rows, "c").ids)).toBe("cgone");
    expect(rangeTo(NOTHING, rows, "gone")).toBe(NOTHING);
  });
  it("holds no more than is allowed, and nothing that has left the list", () => {
    expect(told(all(rows, 4).ids)).toBe("abcd");
    expect(told(within(all(rows, 4), ["d", "e", "f"]))).toBe("d");
  });
});
