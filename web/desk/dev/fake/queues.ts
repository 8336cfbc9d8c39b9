// SPDX-License-Identifier: EUPL-1.2
//! Queues and teams in the made-up API.

import type * as T from "@belofte/api-client";
import * as d from "./data";

const office: T.OpenSpan[] = [{ from: "09:00", to: "17:30" }];
const hours: T.BusinessHours = {
  zone: "Europe/Amsterdam",
  week: [office, office, office, [...office, { from: "18:30", to: "21:00" }], office, [], []],
  holidays: ["new_year", "easter", "easter_monday", "kings_day", "ascension", "whitsun", "whit_monday", "christmas_day", "boxing_day"],
  exceptions: [{ date: "2026-12-24", hours: [{ from: "09:00", to: "13:00" }] }, { date: "2026-12-31" }],
};
const holidays: T.HolidayDate[] = [
  { holiday: "new_year", date: "2027-01-01" },
  { holiday: "good_friday", date: "2027-03-26" },
  { holiday: "easter", date: "2027-03-28" },
  { holiday: "easter_monday", date: "2027-03-29" },
  { holiday: "kings_day", date: "2027-04-27" },
  { holiday: "liberation_day", date: "2027-05-05" },
  { holiday: "liberation_lustrum", date: "2030-05-05" },
  { holiday: "ascension", date: "2027-05-06" },
  { holiday: "whitsun", date: "2027-05-16" },
  { holiday: "whit_monday", date: "2027-05-17" },
  { holiday: "christmas_day", date: "2026-12-25" },
  { holiday: "boxing_day", date: "2026-12-26" },
];
const former: T.Organisation = { id: d.uuid(), name: "Showroom Zwolle" };

const details = (one: T.Organisation, at: number): T.QueueDetails => ({
  ...one,
  archived: one === former,
  archived_into_id: one === former ? (d.queues[0]?.id ?? null) : null,
  moving: one === former ? { moved: 1_240, left: 318, failed: false } : null,
  description: at === 0 ? "Vragen over bestellingen, levering en retour." : "",
  is_default: at === 0,
  open_now: at !== 1,
  next_opening: at === 1 ? d.iso(Date.now() + 9 * 60 * d.minute) : null,
  hours: at === 1 ? null : hours,
  holidays,
  version: 3,
});
const queues = [...d.queues, former].map(details);

const teams: T.TeamDetails[] = [
  { id: d.uuid(), name: "Balie", archived: false, member_ids: d.users.slice(0, 3).map((user) => user.id), queue_ids: d.queues.map((queue) => queue.id), version: 2 },
  { id: d.uuid(), name: "Tweede lijn", archived: false, member_ids: d.users.slice(1, 2).map((user) => user.id), queue_ids: [], version: 1 },
];

export const list = (archived: boolean): T.QueueList => ({ items: queues.filter((one) => archived || !one.archived) });
export const queue = (id: string): T.QueueDetails | undefined => queues.find((one) => one.id === id);
export const teamList = (): T.TeamList => ({ items: teams.map(({ member_ids, queue_ids, version: _, ...team }) => ({ ...team, member_count: member_ids.length, queue_count: queue_ids.length })) });
export const team = (id: string): T.TeamDetails | undefined => teams.find((one) => one.id === id);
