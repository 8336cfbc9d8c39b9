// SPDX-License-Identifier: EUPL-1.2
//! What stands in a macro for what is not known before it is used: `{{contact.first_name|there}}`. One pass puts
//! text in the place of text, so that a value is neither markup nor another placeholder. No React here.

/** What can stand there; in the order in which it is offered. */
export const NAMES = [
  "contact.name",
  "contact.first_name",
  "contact.email",
  "conversation.subject",
  "conversation.number",
  "agent.name",
  "mailbox.name",
  "today",
] as const;
export type Name = (typeof NAMES)[number];

/** What is known; an empty text is as good as none. */
export type Values = Partial<Record<Name, string>>;

/** A name, and after a line what stands there when it is empty or unknown. */
const PATTERN = /\{\{\s*([a-z][a-z0-9_.]*)\s*(?:\|([^{}]*))?\}\}/gi;

/** A name as it is written between the braces, and what stands there otherwise. */
export function placeholder(name: Name, otherwise = ""): string {
  // Braces would end it, and a line would begin another part.
  const plain = otherwise.replace(/[{}|]/g, "").trim();
  return plain ? `{{${name}|${plain}}}` : `{{${name}}}`;
}

const isName = (name: string): name is Name => (NAMES as readonly string[]).includes(name);

/** What a value may be: one line, of a length that a name has. */
const LONGEST = 300;
const line = (value: string): string => value.replace(/[\s\p{Cc}]+/gu, " ").trim().slice(0, LONGEST);

/** A text with what is known filled in; what is not stays as it is. */
export function fillText(text: string, values: Values): string {
  return text.replace(PATTERN, (whole, name: string, otherwise: string | undefined) => {
    const known = name.toLowerCase();
    return (isName(known) && line(values[known] ?? "")) || otherwise?.trim() || whole;
  });
}

/** Where a text still waits for something, each once. */
export const unfilled = (text: string): string[] => [...new Set([...text.matchAll(PATTERN)].map(([whole]) => whole))];

/** Each place of them. */
export const places = (text: string): { from: number; to: number }[] =>
  [...text.matchAll(PATTERN)].map((found) => ({ from: found.index, to: found.index + found[0].length }));

/** Those whose name means nothing here. */
export const strangers = (text: string): string[] =>
  [...new Set([...text.matchAll(PATTERN)].filter((found) => !isName((found[1] ?? "").toLowerCase())).map(([whole]) => whole))];

/** Elements that a line of text ends at. */
const BREAKS = new Set(["P", "DIV", "LI", "UL", "OL", "BLOCKQUOTE", "PRE", "BR", "TABLE", "TR", "TD", "TH", "H1", "H2", "H3", "H4", "H5", "H6", "HR"]);

/** The texts of a tree, line by line: half of a placeholder may be bold. */
function linesOf(root: Node): Text[][] {
  const lines: Text[][] = [[]];
  const walk = (node: Node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      lines.at(-1)?.push(node as Text);
      return;
    }
    const breaks = BREAKS.has(node.nodeName);
    if (breaks) lines.push([]);
    for (const child of [...node.childNodes]) walk(child);
    if (breaks) lines.push([]);
  };
  walk(root);
  return lines.filter((one) => one.length > 0);
}

/** As `fillText`, for markup: its tags stay, and a value is text within them. */
export function fillHtml(html: string, values: Values): string {
  const { body } = new DOMParser().parseFromString(html, "text/html");
  for (const texts of linesOf(body)) {
    const whole = texts.map((one) => one.data).join("");
    // From the end, so that the places before it stay where they are.
    for (const { from, to } of places(whole).reverse()) {
      const value = fillText(whole.slice(from, to), values);
      let at = 0;
      let put = false;
      for (const text of texts) {
        const [start, end] = [Math.max(from - at, 0), Math.min(to - at, text.data.length)];
        const length = text.data.length;
        if (start < end) {
          text.data = text.data.slice(0, start) + (put ? "" : value) + text.data.slice(end);
          put = true;
        }
        at += length;
      }
    }
  }
  return body.innerHTML;
}

/** What of markup still waits for something: in its words, and in the addresses of its links. */
export function unfilledHtml(html: string): string[] {
  const { body } = new DOMParser().parseFromString(html, "text/html");
  const words = linesOf(body).map((texts) => texts.map((one) => one.data).join(""));
  const links = [...body.querySelectorAll("a[href]")].map((one) => {
    const address = one.getAttribute("href") ?? "";
    try {
      return decodeURIComponent(address);
    } catch {
      return address;
    }
  });
  return [...new Set([...words, ...links].flatMap(unfilled))];
}

/** What people put before a name that is not a part of it. */
const TITLES = /^(dhr|de|hr|heer|mevr|mevrouw|mw|dr|drs|ing|ir|mr|mrs|ms|miss|prof|fam|familie)\.?$/i;

/** The first name of somebody, where one can be told from how they are called. */
export function firstName(name: string): string {
  const plain = name.trim();
  // An address in the place of a name is none.
  if (plain === "" || plain.includes("@")) return "";
  const [family, given] = plain.split(/\s*,\s*/, 2);
  const [first = ""] = (given ?? family ?? "").split(/\s+/);
  // "J. Jansen" has one that nobody knows.
  return !/^\p{L}[\p{L}\p{M}'’-]+$/u.test(first) || TITLES.test(first) ? "" : first;
}

/** A day as one writes it in a letter. */
export const dayIn = (language: "nl" | "en", now: Date): string =>
  new Intl.DateTimeFormat(language === "nl" ? "nl-NL" : "en-GB", { day: "numeric", month: "long", year: "numeric" }).format(now);
