// @vitest-environment happy-dom
// SPDX-License-Identifier: EUPL-1.2
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { arrive, callOff, expect as awaitField, PATIENCE_MS } from "./hold";

const seen: string[] = [];
const listener = (event: KeyboardEvent) => seen.push(event.key);
const press = (...keys: string[]) => {
  for (const key of keys) document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
};

beforeEach(() => {
  seen.length = 0;
  document.addEventListener("keydown", listener);
});
afterEach(() => {
  callOff();
  document.removeEventListener("keydown", listener);
  vi.useRealTimers();
});

describe("what is typed for a field on its way", () => {
  it("reaches the field and no shortcut", () => {
    awaitField("composer a");
    press("n", "e", "x", "Backspace", "Enter", "j");
    expect(seen).toEqual([]);
    expect(arrive("composer a")).toBe("ne\nj");
    press("e");
    expect(seen).toEqual(["e"]);
  });
  it("is given to its own field alone", () => {
    awaitField("composer a");
    press("x");
    expect(arrive("composer b")).toBeNull();
    expect(arrive("composer a")).toBe("x");
    expect(arrive("composer a")).toBeNull();
  });
  it("goes when the field is asked for elsewhere, and stays when it is asked for again", () => {
    awaitField("composer a");
    press("x");
    awaitField("composer a");
    press("y");
    expect(arrive("composer a")).toBe("xy");
    awaitField("composer a");
    press("x");
    awaitField("search");
    press("y");
    expect(arrive("search")).toBe("y");
  });
  it("ends with Escape, a click, and when the field takes too long", () => {
    awaitField("search");
    press("Escape", "j");
    document.dispatchEvent(new Event("pointerdown"));
    expect(arrive("search")).toBeNull();
    awaitField("search");
    document.dispatchEvent(new Event("pointerdown"));
    press("k");
    vi.useFakeTimers();
    awaitField("search");
    vi.advanceTimersByTime(PATIENCE_MS + 1);
    press("e");
    expect(seen).toEqual(["j", "k", "e"]);
  });
});
