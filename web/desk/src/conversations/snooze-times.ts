// SPDX-License-Identifier: EUPL-1.2
//! The moments until which a conversation is put off, on the clock of this device: nine in the morning
//! is nine in the morning, also after the clocks have changed. No React here.

/** The hour at which a day begins. */
const MORNING = 9;
/** "Later today" is so many hours from now, at a whole hour, and not after this one. */
const LATER = { hours: 3, last: 20 };

export interface Offer {
  name: "later" | "tomorrow" | "monday";
  at: Date;
}

const morning = (now: Date, days: number) =>
  new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, MORNING);

/** What is offered at `now`; today only while there is something left of it. */
export function offers(now: Date): Offer[] {
  const later = new Date(now.getFullYear(), now.getMonth(), now.getDate(), now.getHours() + LATER.hours + (now.getMinutes() > 0 ? 1 : 0));
  const today = later.getDate() === now.getDate() && later.getHours() <= LATER.last;
  // On Sunday tomorrow is Monday: then the Monday after it is meant.
  const toMonday = (8 - now.getDay()) % 7 || 7;
  const monday = toMonday === 1 ? 8 : toMonday;
  return [
    ...(today ? [{ name: "later" as const, at: later }] : []),
    { name: "tomorrow", at: morning(now, 1) },
    { name: "monday", at: morning(now, monday) },
  ];
}

/** The moment of the fields of a date and a time; null when they name none, or one that has passed. */
export function momentOf(date: string, time: string, now: Date): Date | null {
  const day = /^(\d{4})-(\d\d)-(\d\d)$/.exec(date);
  const clock = /^(\d\d):(\d\d)/.exec(time);
  if (!day || !clock) return null;
  const at = new Date(Number(day[1]), Number(day[2]) - 1, Number(day[3]), Number(clock[1]), Number(clock[2]));
  return Number.isNaN(at.getTime()) || at <= now ? null : at;
}

/** A day as a field of a date writes it. */
export function dayField(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
