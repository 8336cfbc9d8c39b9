// SPDX-License-Identifier: EUPL-1.2

import type { FieldOption, FieldValue, RecordField } from "@belofte/api-client";
import { describe, expect, it } from "vitest";
import nl from "../../../../catalogue/nl.json";
import { makeWords } from "../i18n/words";
import { asTree, entryOf, given, isAmbiguous, pathOf, said, shown } from "./value";

const words = makeWords("nl", nl as never);
const option = (no: number, label: string, within?: number): FieldOption => ({
  no,
  label: { nl: label, en: "" },
  archived: false,
  ...(within === undefined ? {} : { within }),
});
const OPTIONS = [
  option(2, "Band", 1),
  option(1, "Fiets"),
  option(3, "Ventiel", 2),
  option(4, "Rem", 1),
];
const of = (kind: RecordField["kind"]) => ({ kind, options: OPTIONS });

describe("values of fields", () => {
  it("come out of a form as they went in", () => {
    const values: [RecordField["kind"], FieldValue][] = [
      ["text", "Els"],
      ["integer", -12],
      ["decimal", "12.5"],
      ["money", { amount: "1.5", currency: "EUR" }],
      ["date", "2026-11-30"],
      ["date_time", "2026-11-30T11:05:00.000Z"],
      ["boolean", false],
      ["choice", 2],
      ["multiple_choice", [1, 3]],
      [
        "postal_address",
        { street: "Markt", number: "1", postal_code: "2611 GP", city: "Delft", country: "NL" },
      ],
    ];
    for (const [kind, value] of values)
      expect(given(of(kind), entryOf(of(kind), value)), kind).toEqual(value);
    for (const [kind] of values) expect(given(of(kind), entryOf(of(kind), null)), kind).toBeNull();
  });

  it("take a comma where people write one, and leave what is no number to the server", () => {
    const entry = (text: string) => ({
      ...entryOf(of("text"), null),
      text,
      money: { amount: text, currency: "eur" },
    });
    expect(given(of("decimal"), entry("12,5"))).toBe("12.5");
    expect(given(of("decimal"), entry("1.234,5"))).toBe("1234.5");
    expect(given(of("decimal"), entry("1,234.5"))).toBe("1234.5");
    expect(given(of("decimal"), entry("-1.234.567,5"))).toBe("-1234567.5");
    expect(given(of("decimal"), entry("1.23,5"))).toBe("1.23,5");
    expect(given(of("money"), entry("3,50"))).toEqual({ amount: "3.50", currency: "EUR" });
    expect(given(of("integer"), entry("twaalf"))).toBe("twaalf");
    expect(given(of("integer"), entry("9007199254740993"))).toBe("9007199254740993");
  });

  it("are refused where they can be read in two ways, and only there", () => {
    const entry = (text: string) => ({
      ...entryOf(of("text"), null),
      text,
      money: { amount: text, currency: "EUR" },
    });
    for (const text of ["1.250", "1,250", "12.500", "-125,000", " 1 .250 "]) {
      expect(isAmbiguous(of("decimal"), entry(text)), text).toBe(true);
      expect(isAmbiguous(of("money"), entry(text)), text).toBe(true);
      // A point would make it 1.25 on the server.
      expect(given(of("decimal"), entry(text)), text).toMatch(/^-?\d{1,3},\d{3}$/);
      expect(given(of("money"), entry(text)), text).toMatchObject({
        amount: expect.stringMatching(/^-?\d{1,3},\d{3}$/),
      });
    }
    for (const [text, number] of [
      ["0.125", "0.125"],
      ["-0,125", "-0.125"],
      ["1250.125", "1250.125"],
      ["1.25", "1.25"],
      ["1,2500", "1.2500"],
      ["1.250,00", "1250.00"],
      ["1.250.000,5", "1250000.5"],
      ["1250", "1250"],
    ] as const) {
      expect(isAmbiguous(of("decimal"), entry(text)), text).toBe(false);
      expect(given(of("decimal"), entry(text)), text).toBe(number);
    }
    expect(isAmbiguous(of("text"), entry("1.250"))).toBe(false);
    // What is kept already is never one of them.
    expect(entryOf(of("decimal"), "1.125").text).toBe("1.1250");
    expect(entryOf(of("money"), { amount: "1.125", currency: "EUR" }).money.amount).toBe("1.1250");
  });

  it("are shown as people read them", () => {
    expect(shown(of("decimal"), "999999999999.123456", words)).toBe("999.999.999.999,123456");
    expect(shown(of("money"), { amount: "-1234.5", currency: "EUR" }, words)).toBe(
      "EUR\u00a0−1.234,50",
    );
    expect(shown(of("decimal"), "1,250", words)).toBe("1,250");
    expect(shown(of("money"), { amount: "veel", currency: "EUR" }, words)).toBe("EUR\u00a0veel");
    expect(shown(of("date"), "2026-11-30", words)).toBe("30 november 2026");
    expect(shown(of("tree_choice"), 3, words)).toBe("Fiets › Band › Ventiel");
    expect(shown(of("multiple_choice"), [1, 9], words)).toBe("Fiets, 9");
    expect(shown(of("boolean"), true, words)).toBe("Ja");
    expect(shown(of("postal_address"), { city: "Delft", country: "NL" }, words)).toBe("Delft\nNL");
  });

  it("lie in a tree in the order in which it is read, and a circle ends", () => {
    expect(asTree(OPTIONS).map(({ option, depth }) => `${depth}${option.label.nl}`)).toEqual([
      "0Fiets",
      "1Band",
      "2Ventiel",
      "1Rem",
    ]);
    const circle = [option(1, "a", 2), option(2, "b", 1)];
    expect(asTree(circle)).toEqual([]);
    expect(pathOf(circle, 1).length).toBeLessThanOrEqual(2);
    expect(said({ nl: "", en: "Bike" }, "nl")).toBe("Bike");
  });
});
