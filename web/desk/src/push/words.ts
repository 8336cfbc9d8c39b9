// SPDX-License-Identifier: EUPL-1.2
//! The words that the service worker shows; the build takes them out of the catalogue.

import type { Key } from "../i18n/catalogue";

/** Where the service worker lies, and the scope that follows from it: the whole desk. */
export const WORKER = "/push.js";

export const WORKER_WORDS = { title: "push.note_title", text: "push.note_text" } as const satisfies Record<string, Key>;

/** The service worker of `source` with the words of both languages. */
export function withWords(source: string, catalogues: Record<string, Record<string, string>>): string {
  const of = (catalogue: Record<string, string>) =>
    Object.fromEntries(Object.entries(WORKER_WORDS).map(([name, key]) => [name, catalogue[key]]));
  const words = Object.fromEntries(Object.entries(catalogues).map(([language, catalogue]) => [language, of(catalogue)]));
  return source.replace("= BELOFTE_WORDS;", () => `= ${JSON.stringify(words)};`);
}
