// SPDX-License-Identifier: EUPL-1.2
//! Words, numbers and times in one language. No React here.

import type { Language } from "@belofte/api-client";
import { IntlMessageFormat } from "intl-messageformat";
import type { Catalogue, Key } from "./catalogue";

export type Values = Record<string, string | number | Date>;

const LOCALE: Record<Language, string> = { nl: "nl-NL", en: "en-GB" };

export interface Words {
  language: Language;
  locale: string;
  /** The text of a key, with its values filled in. */
  t: (key: Key, values?: Values) => string;
  /** For keys with a part that comes from the server; `otherwise` when it is new to this desk. */
  tOr: (key: string, otherwise: Key, values?: Values) => string;
  number: (value: number) => string;
  bytes: (value: number) => string;
  /** Short enough for a list: "14:02", "gisteren", "3 mrt", "3 mrt 2024". */
  shortTime: (time: string, now: Date) => string;
  clock: (time: string) => string;
  /** A moment to come: "14:00", "morgen 09:00", "ma 09:00", "3 mrt 09:00". */
  moment: (time: string, now: Date) => string;
  /** Whole date with time and the zone's name, for where it could matter. */
  fullTime: (time: string) => string;
  day: (time: string) => string;
}

export function makeWords(language: Language, catalogue: Catalogue): Words {
  const locale = LOCALE[language];
  const compiled = new Map<string, IntlMessageFormat>();
  // Each costs milliseconds to make, and the first page needs few of them.
  const once = <T>(make: () => T) => {
    let made: T | null = null;
    return () => {
      made ??= make();
      return made;
    };
  };
  const plain = once(() => new Intl.NumberFormat(locale));
  const format = (options: Intl.DateTimeFormatOptions) => once(() => new Intl.DateTimeFormat(locale, options));
  const clock = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const weekday = format({ weekday: "short" });
  const dayMonth = format({ day: "numeric", month: "short" });
  const dayMonthYear = format({ day: "numeric", month: "short", year: "numeric" });
  const full = format({
    weekday: "long",
    day: "numeric",
    month: "long",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZoneName: "short",
  });
  const relative = once(() => new Intl.RelativeTimeFormat(locale, { numeric: "auto" }));
  // "3 mrt 2024" without the point of the short month, and never broken over two lines.
  const tidy = (text: string) => text.replace(/\./g, "").replace(/ /g, "\u00a0");

  function fill(key: string, text: string, values?: Values): string {
    if (!values && !text.includes("{") && !text.includes("'")) return text;
    let message = compiled.get(key);
    if (!message) {
      message = new IntlMessageFormat(text, locale, undefined, { ignoreTag: true });
      compiled.set(key, message);
    }
    return message.format(values) as string;
  }

  return {
    language,
    locale,
    t: (key, values) => fill(key, catalogue[key] ?? key, values),
    tOr(key, otherwise, values) {
      const text = catalogue[key];
      return text === undefined
        ? fill(otherwise, catalogue[otherwise] ?? otherwise, values)
        : fill(key, text, values);
    },
    number: (value) => plain().format(value),
    bytes(value) {
      const units = ["B", "kB", "MB", "GB"];
      let amount = value;
      let unit = 0;
      while (amount >= 1000 && unit < units.length - 1) {
        amount /= 1000;
        unit += 1;
      }
      const digits = unit === 0 || amount >= 100 ? 0 : 1;
      return `${new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(amount)}\u00a0${units[unit]}`;
    },
    shortTime(time, now) {
      const date = new Date(time);
      const days = daysBetween(date, now);
      if (days <= 0) return clock().format(date);
      if (days === 1) return relative().format(-1, "day");
      return tidy((date.getFullYear() === now.getFullYear() ? dayMonth : dayMonthYear)().format(date));
    },
    moment(time, now) {
      const date = new Date(time);
      const at = clock().format(date);
      const days = daysBetween(now, date);
      if (days <= 0) return at;
      if (days === 1) return `${relative().format(1, "day")}\u00a0${at}`;
      const near = days < 7 ? weekday() : date.getFullYear() === now.getFullYear() ? dayMonth() : dayMonthYear();
      return `${tidy(near.format(date))}\u00a0${at}`;
    },
    clock: (time) => clock().format(new Date(time)),
    fullTime: (time) => full().format(new Date(time)),
    day: (time) => tidy(dayMonthYear().format(new Date(time))),
  };
}

/** Whole calendar days in the zone of this device from `earlier` to `later`. */
export function daysBetween(earlier: Date, later: Date): number {
  const from = Date.UTC(earlier.getFullYear(), earlier.getMonth(), earlier.getDate());
  const to = Date.UTC(later.getFullYear(), later.getMonth(), later.getDate());
  return Math.round((to - from) / 86_400_000);
}
