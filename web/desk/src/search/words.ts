// SPDX-License-Identifier: EUPL-1.2
//! The words of the search: kept for this tab, and told to the page when others set them.

import { keep, kept } from "../app/private-store";

const KEPT = "search";
let page: ((words: string) => void) | null = null;

export const searchWords = (): string => kept(KEPT) ?? "";
export const keepSearchWords = (words: string) => keep(KEPT, words);

/** Searches for these words; whoever calls it goes to the page itself. */
export function searchFor(words: string) {
  keepSearchWords(words);
  page?.(words);
}

/** The page of the search listens; returns how to stop. */
export function whenSearchedFor(then: (words: string) => void): () => void {
  page = then;
  return () => {
    if (page === then) page = null;
  };
}
