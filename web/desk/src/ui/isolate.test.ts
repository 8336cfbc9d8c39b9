// SPDX-License-Identifier: EUPL-1.2
import { expect, it } from "vitest";
import { isolated } from "./isolate";

it("keeps names that run from the right to themselves, and leaves the others", () => {
  expect(isolated("דנה לוי")).toBe("\u2068דנה לוי\u2069");
  expect(isolated("سارة")).toBe("\u2068سارة\u2069");
  expect(isolated("Jan Jansen <jan@klant.example>")).toBe("Jan Jansen <jan@klant.example>");
});
