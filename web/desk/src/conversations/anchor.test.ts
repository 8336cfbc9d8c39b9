// SPDX-License-Identifier: EUPL-1.2
import { describe, expect, it } from "vitest";
import { anchorShift, ROW } from "./anchor";

const rows = (ids: string) => [...ids].map((id) => ({ id }));

describe("anchorShift", () => {
  it("keeps what is read in its place when rows come in above", () => {
    expect(anchorShift(rows("abcdef"), rows("xyabcdef"), 2 * ROW)).toBe(2 * ROW);
  });
  it("does not move when a row below leaves", () => {
    expect(anchorShift(rows("abcdef"), rows("abcdf"), ROW)).toBe(0);
  });
  it("moves up when a row above leaves", () => {
    expect(anchorShift(rows("abcdef"), rows("bcdef"), 3 * ROW)).toBe(-ROW);
  });
  it("takes the next row as measure when the first in sight went to the top", () => {
    expect(anchorShift(rows("abcdef"), rows("cabdef"), 2 * ROW)).toBe(0);
  });
  it("moves when a row from below goes to the top", () => {
    expect(anchorShift(rows("abcdef"), rows("fabcde"), 2 * ROW)).toBe(ROW);
  });
});
