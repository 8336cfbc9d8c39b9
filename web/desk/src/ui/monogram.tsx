// SPDX-License-Identifier: EUPL-1.2

import css from "./monogram.module.css";

/** First letters of the first and last word, as people sign a note. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letter = (word: string | undefined) => [...(word ?? "")][0] ?? "";
  const first = letter(words[0]) || "?";
  const last = words.length > 1 ? letter(words.at(-1)) : "";
  return (first + last).toUpperCase();
}

export function Monogram({ name, size = 22 }: { name: string; size?: number }) {
  return (
    <span
      className={css.monogram}
      aria-hidden="true"
      // Drawn, not written: a button's visible text has to be part of its name.
      data-letters={initials(name)}
      style={{ width: size, height: size, fontSize: size < 24 ? 9 : size < 36 ? 11 : 14 }}
    />
  );
}
