// SPDX-License-Identifier: EUPL-1.2
//! The calendar of a queue as it is edited: what fields show of it, and what is sent.

import type { BusinessHours, OpenSpan } from "@belofte/api-client";

export const ZONE = "Europe/Amsterdam";
/** So many times a day and so many exceptions at most; the server refuses more. */
export const MOST_SPANS = 4;
export const MOST_EXCEPTIONS = 400;

export type Holiday = BusinessHours["holidays"] extends (infer One)[] | undefined ? One : never;

/** A calendar whose every part is there. */
export interface Calendar {
  zone: string;
  week: OpenSpan[][];
  holidays: Holiday[];
  exceptions: { date: string; hours: OpenSpan[] }[];
}

const NINE_TO_FIVE: OpenSpan = { from: "09:00", to: "17:00" };

/** What somebody begins with who had none: office hours, closed on the holidays that most are closed on. */
export const begun = (): Calendar => ({
  zone: ZONE,
  week: [0, 1, 2, 3, 4, 5, 6].map((day) => (day < 5 ? [{ ...NINE_TO_FIVE }] : [])),
  holidays: ["new_year", "easter", "easter_monday", "kings_day", "liberation_lustrum", "ascension", "whitsun", "whit_monday", "christmas_day", "boxing_day"],
  exceptions: [],
});

export const calendarOf = (hours: BusinessHours): Calendar => ({
  zone: hours.zone ?? ZONE,
  week: hours.week,
  holidays: hours.holidays ?? [],
  exceptions: (hours.exceptions ?? []).map(({ date, hours: open }) => ({ date, hours: open ?? [] })),
});

/** A field for a time knows no 24:00. */
export const shownEnd = (to: string): string => (to === "24:00" ? "00:00" : to);
export const keptEnd = (shown: string): string => (shown === "00:00" ? "24:00" : shown);

/** The times of a day with one more at the end: after the last, as far as the day goes. */
export function withOneMore(day: OpenSpan[]): OpenSpan[] {
  const last = day[day.length - 1];
  if (!last) return [{ ...NINE_TO_FIVE }];
  const hour = Number(last.to.slice(0, 2)) + 1;
  if (hour > 22) return [...day, { from: "", to: "" }];
  const at = (one: number) => `${String(one).padStart(2, "0")}:00`;
  return [...day, { from: at(hour), to: at(hour + 1) }];
}

/** Whether the times of a day can be sent: each is whole, ends after it begins, and none runs into another. */
export function holds(day: OpenSpan[]): boolean {
  const inOrder = [...day].sort((one, other) => one.from.localeCompare(other.from));
  return inOrder.every(({ from, to }, at) => from !== "" && to !== "" && from < to && (inOrder[at + 1]?.from ?? to) >= to);
}

/** Whether a calendar can be sent as it is. */
export const sound = ({ week, exceptions }: Calendar): boolean => week.every(holds) && exceptions.every(({ hours }) => holds(hours));

/** The exceptions with one for a day, in order; one that is there stays as it is. */
export const withDay = (exceptions: Calendar["exceptions"], date: string): Calendar["exceptions"] =>
  exceptions.some((one) => one.date === date) ? exceptions : [...exceptions, { date, hours: [] }].sort((one, other) => one.date.localeCompare(other.date));
