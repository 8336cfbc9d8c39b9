// SPDX-License-Identifier: EUPL-1.2
// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { languageOf } from "./language";
import { dayIn, fillHtml, fillText, firstName, NAMES, placeholder, strangers, unfilled, unfilledHtml, type Values } from "./placeholders";

const KNOWN: Values = { "contact.name": "Jan Jansen", "contact.first_name": "Jan", "contact.email": "", today: "1 maart 2026" };

describe("placeholders", () => {
  it("are filled in, or say what stands there otherwise, or stay", () => {
    expect(fillText("Beste {{contact.first_name|klant}}, {{ TODAY }}", KNOWN)).toBe("Beste Jan, 1 maart 2026");
    expect(fillText("{{contact.email|geen adres}} {{agent.name|  u  }}", KNOWN)).toBe("geen adres u");
    expect(fillText("{{contact.email}} {{nobody}} {{agent.name|}}", KNOWN)).toBe("{{contact.email}} {{nobody}} {{agent.name|}}");
    expect(fillText("{{}} {contact.name} {{contact.name {{contact name}}", KNOWN)).toBe("{{}} {contact.name} {{contact.name {{contact name}}");
    expect(unfilled("{{contact.email}} {{x}} {{x}} {{ }}")).toEqual(["{{contact.email}}", "{{x}}"]);
    expect(strangers("{{contact.email}} {{x|y}}")).toEqual(["{{x|y}}"]);
  });

  it("are written so that they are read back, whatever stands there otherwise", () => {
    for (const name of NAMES) {
      expect(fillText(placeholder(name, "wie"), {})).toBe("wie");
      expect(fillText(placeholder(name, "}}|{{contact.name}}"), {})).toBe("contact.name");
      expect(unfilled(placeholder(name))).toEqual([placeholder(name)]);
    }
  });

  it("keep the markup around them, also when half of one is bold", () => {
    expect(fillHtml("<p>Beste <b>{{contact.name|u}}</b>!</p>", KNOWN)).toBe("<p>Beste <b>Jan Jansen</b>!</p>");
    expect(fillHtml("<p>Dag {{contact.<b>name</b>}}, x</p>", KNOWN)).toBe("<p>Dag Jan Jansen<b></b>, x</p>");
    // Two lines are no one placeholder.
    expect(fillHtml("<p>{{contact.</p><p>name}}</p>", KNOWN)).toBe("<p>{{contact.</p><p>name}}</p>");
    expect(unfilledHtml('<p>{{agent.<i>name</i>}} <a href="https://x.example/?n=%7B%7Bconversation.number%7D%7D">x</a></p>')).toEqual([
      "{{agent.name}}",
      "{{conversation.number}}",
    ]);
  });

  it("never turn a value into markup or into another placeholder", { timeout: 30_000 }, () => {
    // Made of what could do harm, in every order that chance gives; the same each time.
    const PARTS = ["<", ">", "&", "&lt;", "{{", "}}", "|", "contact.name", "agent.name", "<img src=x onerror=y>", "</p><script>", '"', "'", "$&", "$1", "\n", "\u0000", "\u202e", "a", " "];
    let seed = 7;
    const next = (most: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((seed / 2_147_483_648) * most);
    };
    const text = () => Array.from({ length: 1 + next(7) }, () => PARTS[next(PARTS.length)]).join("");
    const html = '<p>Dag {{contact.name|u}}, <b>{{agent.name|ik}}</b> <a href="https://x.example/">x</a></p>';
    const tags = (of: string) => {
      const { body } = new DOMParser().parseFromString(of, "text/html");
      return [...body.querySelectorAll("*")].map((one) => `${one.tagName}${one.getAttributeNames()}`);
    };
    for (let round = 0; round < 3_000; round += 1) {
      // Parsing is slow: not every text goes through it.
      const parsed = round % 60 === 0;
      const values = { "contact.name": text(), "agent.name": text() };
      const shown = (value: string, otherwise: string) => value.replace(/[\s\p{Cc}]+/gu, " ").trim() || otherwise;
      const [one, two] = [shown(values["contact.name"], "u"), shown(values["agent.name"], "ik")];
      expect(fillText("Dag {{contact.name|u}}, {{agent.name|ik}}", values)).toBe(`Dag ${one}, ${two}`);
      if (!parsed) continue;
      const filled = fillHtml(html, values);
      expect(tags(filled)).toEqual(tags(html));
      expect(new DOMParser().parseFromString(filled, "text/html").body.textContent).toBe(`Dag ${one}, ${two} x`);
    }
  });

  it("take a long value and many places in no time", () => {
    expect(fillText("{{contact.name}}", { "contact.name": "x".repeat(100_000) }).length).toBe(300);
    const many = "{{contact.name}}{{".repeat(20_000);
    const begun = performance.now();
    unfilled(many);
    unfilled(`{{${"a".repeat(100_000)}`);
    unfilled("{{a|".repeat(50_000));
    expect(performance.now() - begun).toBeLessThan(2_000);
  });
});

describe("first names", () => {
  it("are told where they can be", () => {
    const found = ["Jan Jansen", "Jansen, Jan", "Anne-Marie de Boer", "Šárka", "J. Jansen", "dhr. Jansen", "Mevrouw De Wit", "De heer Bos", "info@x.example", "", "J Jansen", "O’Brien, Siobhán"].map(firstName);
    expect(found).toEqual(["Jan", "Jan", "Anne-Marie", "Šárka", "", "", "", "", "", "", "", "Siobhán"]);
  });
  it("and days are written as in a letter", () => {
    const day = new Date(2026, 2, 4, 12);
    expect([dayIn("nl", day), dayIn("en", day)]).toEqual(["4 maart 2026", "4 March 2026"]);
  });
});

describe("the language of a text", () => {
  it("is told by its small words, and not guessed", () => {
    expect(languageOf("Goedemiddag, ik heb de bestelling nog niet ontvangen. Kunt u kijken waar die is?")).toBe("nl");
    expect(languageOf("Hello, I have not received the order yet. Could you please have a look?")).toBe("en");
    expect(languageOf("Order 4711")).toBeNull();
    expect(languageOf("")).toBeNull();
    expect(languageOf("Thanks for the answer!\n> ik heb de bestelling nog niet ontvangen en ik wil die graag")).toBe("en");
  });
});
