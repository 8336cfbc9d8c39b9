// SPDX-License-Identifier: EUPL-1.2

import css from "./monogram.module.css";

/** First letters of the first and last word, as people sign a note. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const first = words[0]?.[0] ?? "?";
  const last = words.length > 1 ? (words.at(-1)?.[0] ?? "") : "";
  return (first + last).toUpperCase();
}

export function Monogram({ name, size = 22 }: { name: string; size?: number }) {
  return (
    <span
      className={css.monogram}
      aria-hidden="true"
      style={{ width: size, height: size, fontSize: size < 24 ? 9 : size < 36 ? 11 : 14 }}
    >
      {initials(name)}
    </span>
  );
}
