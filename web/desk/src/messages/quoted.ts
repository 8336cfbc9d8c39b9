// SPDX-License-Identifier: EUPL-1.2

/**
 * Splits text at `quoted_from`. The offset counts Unicode code points, while
 * strings here count UTF-16 units.
 */
export function splitQuoted(text: string, from: number | null | undefined): { own: string; quoted: string } {
  if (from === null || from === undefined || from < 0) return { own: text, quoted: "" };
  let units = 0;
  let points = 0;
  for (const character of text) {
    if (points === from) break;
    units += character.length;
    points += 1;
  }
  const own = text.slice(0, units).trimEnd();
  // A mail that is nothing but a quotation is shown, not folded away.
  if (own === "") return { own: text, quoted: "" };
  return { own, quoted: text.slice(units).trim() };
}

export interface Piece {
  text: string;
  href: string | null;
}

const LINK = /\bhttps?:\/\/[^\s<>"']+|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b/g;

/** Finds addresses of pages and people in plain text; punctuation that ends a sentence is not theirs. */
export function linkPieces(text: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(LINK)) {
    const found = match[0].replace(/[.,;:!?)\]]+$/, "");
    if (match.index > at) pieces.push({ text: text.slice(at, match.index), href: null });
    pieces.push({ text: found, href: found.startsWith("http") ? found : `mailto:${found}` });
    at = match.index + found.length;
  }
  if (at < text.length) pieces.push({ text: text.slice(at), href: null });
  return pieces;
}
