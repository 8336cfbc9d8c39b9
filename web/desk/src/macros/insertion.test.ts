// SPDX-License-Identifier: EUPL-1.2
// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { type Draft, EMPTY } from "../conversations/draft";
import { inlineOf, into, isFormatted, takenBack } from "./insertion";
import { untilOf } from "./moments";

const plain = (text: string, html: string | null = null) => ({ text, html });
const draft = (part: Partial<Draft>): Draft => ({ ...EMPTY, ...part });

describe("words that are put into a draft", () => {
  it("stand at the cursor, in place of what was selected", () => {
    expect(into(draft({ text: "Beste , groet" }), plain("Jan"), 6, 6).text).toBe("Beste Jan, groet");
    expect(into(draft({ text: "Beste X" }), plain("Jan"), 6, 7).text).toBe("Beste Jan");
    expect(into(draft({ text: "a", note: "x", noting: true }), plain("y", "<p><b>y</b></p>"), 1, 1)).toMatchObject({ note: "xy", text: "a", html: null });
  });
  it("make a draft formatted only where they are", () => {
    expect(isFormatted("<p>a<br>b</p>")).toBe(false);
    expect(isFormatted("<p>a <strong>b</strong></p>")).toBe(true);
    expect(into(draft({ text: "x" }), plain("b", "<p>b</p>"), 1, 1).html).toBeNull();
    expect(into(draft({ text: "x<y\n\nz" }), plain("b", "<p><b>b</b></p>"), 3, 3).html).toBe("<p>x&lt;y</p><p><b>b</b></p><p>z</p>");
  });
  it("go into a line when they are one", () => {
    expect(inlineOf(plain("b", "<p><b>b</b></p>"))).toBe("<b>b</b>");
    expect(inlineOf(plain("b\n\nc", "<p>b</p><p>c</p>"))).toBe("<p>b</p><p>c</p>");
    expect(inlineOf(plain("a & b"))).toBe("a &amp; b");
  });
  it("are taken out again, and nothing else is", () => {
    const before = draft({ text: "Dag , groet" });
    const after = into(before, plain("Jan"), 4, 4);
    expect(takenBack(before, after, after)).toEqual(before);
    expect(takenBack(before, after, { ...after, text: "Dag Jan, groet en meer" })?.text).toBe("Dag , groet en meer");
    expect(takenBack(before, after, { ...after, text: "Dag J, groet" }), "they were changed").toBeNull();
    expect(takenBack(before, after, { ...after, text: "Jan! Dag Jan, groet" }), "which ones?").toBeNull();
    const formatted = into(before, plain("Jan", "<p><b>Jan</b></p>"), 4, 4);
    expect(takenBack(before, formatted, formatted)).toEqual(before);
    const rich = draft({ text: "a", html: "<p>a</p>" });
    const put = draft({ text: "a\n\nJan", html: "<p>a</p><p><b>Jan</b></p>" });
    expect(takenBack(rich, put, { ...put, html: "<p>a b</p><p><b>Jan</b></p>", text: "a b\n\nJan" })).toMatchObject({ html: "<p>a b</p>", text: "a b" });
  });
});

describe("the moments of a macro", () => {
  const now = new Date(2026, 2, 28, 15, 30);
  it("are hours from now, or a time of a later day, also when the clocks change", () => {
    expect(untilOf({ hours: 2 }, now).getTime() - now.getTime()).toBe(7_200_000);
    expect(untilOf({ days: 1, time: "09:15" }, now)).toEqual(new Date(2026, 2, 29, 9, 15));
    expect(untilOf({ days: 40, time: "00:00" }, now)).toEqual(new Date(2026, 4, 7, 0, 0));
  });
});
