// SPDX-License-Identifier: EUPL-1.2
//! The catalogue and the code agree: every key exists in both languages, every
//! key that the code names exists, none is left over, placeholders are the same.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, TYPE, type MessageFormatElement } from "@formatjs/icu-messageformat-parser";
import { describe, expect, it } from "vitest";

const root = new URL("..", import.meta.url).pathname;
const read = (language: string): Record<string, string> =>
  JSON.parse(readFileSync(join(root, "../../catalogue", `${language}.json`), "utf8"));
const nl = read("nl");
const en = read("en");

function sources(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.tsx?$/.test(entry.name) && !/\.test\./.test(entry.name) ? [readFileSync(path, "utf8")] : [];
  });
}
const code = sources(join(root, "src")).join("\n");

/** Written out by the code with a part that comes from the server. */
const DYNAMIC = [...code.matchAll(/\bt(?:Or)?\(\s*`([a-z_.]+)\$\{/g)].map((match) => match[1] ?? "");
/** Keys of the server, which reads the same files. */
const SERVER = ["error.", "mail.auto.", "server."];

function placeholders(elements: MessageFormatElement[], into = new Map<string, number>()): Map<string, number> {
  for (const element of elements) {
    if (element.type === TYPE.literal || element.type === TYPE.pound || element.type === TYPE.tag) continue;
    into.set(element.value, Math.max(into.get(element.value) ?? 0, element.type));
    if (element.type === TYPE.select || element.type === TYPE.plural) {
      for (const option of Object.values(element.options)) placeholders(option.value, into);
    }
  }
  return into;
}

function options(elements: MessageFormatElement[]): string[] {
  return elements.flatMap((element) =>
    element.type === TYPE.select
      ? Object.entries(element.options).flatMap(([name, option]) => [`${element.value}:${name}`, ...options(option.value)])
      : [],
  );
}

describe("catalogue", () => {
  it("has every key in both languages", () => {
    expect(Object.keys(nl).filter((key) => !(key in en))).toEqual([]);
    expect(Object.keys(en).filter((key) => !(key in nl))).toEqual([]);
  });

  it("is sorted, so that two people who add keys do not meet on one line", () => {
    expect(Object.keys(nl)).toEqual([...Object.keys(nl)].sort());
    expect(Object.keys(en)).toEqual([...Object.keys(en)].sort());
  });

  it("is valid and has the same placeholders and cases in both languages", () => {
    for (const key of Object.keys(nl)) {
      const dutch = parse(nl[key] ?? "", { ignoreTag: true });
      const english = parse(en[key] ?? "", { ignoreTag: true });
      expect([...placeholders(english)].sort(), key).toEqual([...placeholders(dutch)].sort());
      expect(options(english).sort(), key).toEqual(options(dutch).sort());
    }
  });

  it("holds every key that the code names", () => {
    const named = [...code.matchAll(/\bt(?:Or)?\(\s*"([a-z_.]+)"/g)].map((match) => match[1] ?? "");
    const fallbacks = [...code.matchAll(/tOr\(\s*(?:`[^`]*`|[\w.]+),\s*"([a-z_.]+)"/g)].map((match) => match[1] ?? "");
    expect(named.length).toBeGreaterThan(200);
    expect([...named, ...fallbacks].filter((key) => !(key in nl))).toEqual([]);
  });

  it("holds no key that nobody uses", () => {
    const used = (key: string) =>
      code.includes(`"${key}"`) || [...DYNAMIC, "ledger.", ...SERVER].some((prefix) => key.startsWith(prefix));
    expect(Object.keys(nl).filter((key) => !used(key))).toEqual([]);
  });

  it("addresses the reader as u in Dutch", () => {
    const informal = /\b(jij|je|jou|jouw|jullie)\b/i;
    expect(Object.entries(nl).filter(([, text]) => informal.test(text)).map(([key]) => key)).toEqual([]);
  });
});
