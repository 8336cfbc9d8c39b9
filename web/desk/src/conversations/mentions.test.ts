// SPDX-License-Identifier: EUPL-1.2

import type { UserRef } from "@belofte/api-client";
import { describe, expect, it } from "vitest";
import { begins, chosenIn, namings, parts, suggested, typedName, withNames } from "./mentions";

const user = (id: string, name: string): UserRef => ({ id, name, role: "agent", state: "active" });
const sanne = { id: "1", name: "Sanne" };
const whole = { id: "2", name: "Sanne de Vries" };

describe("what is typed after an @", () => {
  it("is looked for while it may be a name", () => {
    expect(typedName("Dag @sa", 7)).toEqual({ at: 4, q: "sa" });
    expect(typedName("@", 1)).toEqual({ at: 0, q: "" });
    expect(typedName("(@sanne de", 10)).toEqual({ at: 1, q: "sanne de" });
    expect(typedName("Dag @sa en meer", 7)).toEqual({ at: 4, q: "sa" });
  });
  it("is none within an address, on another line, or in a sentence", () => {
    expect(typedName("jan@klant", 9)).toBeNull();
    expect(typedName("@sanne\n", 7)).toBeNull();
    expect(typedName("@ sanne", 7)).toBeNull();
    expect(typedName("@sanne wil jij hier eens", 24)).toBeNull();
  });
  it("finds colleagues by the beginnings of their names, with or without accents", () => {
    expect(begins("José van Dam", "jose")).toBe(true);
    expect(begins("José van Dam", "da jo")).toBe(true);
    expect(begins("José van Dam", "am")).toBe(false);
    const all = [user("1", "Sanne de Vries"), user("2", "Daan Bos")];
    expect(suggested(all, "").length).toBe(2);
    expect(suggested(all, "sa").map((one) => one.id)).toEqual(["1"]);
    expect(suggested(all, "Daan Bos ")).toEqual([]);
  });
});

describe("names in a text", () => {
  it("are where they stand, the longest first, and none within a word", () => {
    const text = "🙂 @Sanne de Vries en @Sanne, niet @Sannebeth";
    expect(namings(text, [sanne, whole])).toEqual([
      { user_id: "2", starts_at: 3, ends_at: 18 },
      { user_id: "1", starts_at: 22, ends_at: 28 },
    ]);
  });
  it("tell nobody once they were changed", () => {
    expect(namings("@Sann kijk", [sanne])).toEqual([]);
    expect(namings("Sanne kijk", [sanne])).toEqual([]);
  });
  it("keep two of one name apart by the order in which they were chosen", () => {
    const other = { id: "9", name: "Sanne" };
    expect(namings("@Sanne en @Sanne", [sanne, other]).map((one) => one.user_id)).toEqual(["1", "9"]);
  });
  it("come back with a draft", () => {
    const text = "Dag @Sanne de Vries!";
    expect(chosenIn(text, namings(text, [whole]))).toEqual([whole]);
  });
  it("are shown as they are by now", () => {
    const mentions = [{ user: user("1", "Sanne Visser"), starts_at: 4, ends_at: 10 }];
    expect(withNames("Dag @Sanne, kijk", mentions)).toBe("Dag @Sanne Visser, kijk");
    expect(parts("Dag @Sanne, kijk", mentions).map((part) => part.user?.id)).toEqual([undefined, "1", undefined]);
    expect(withNames("kort", mentions)).toBe("kort");
  });
});
