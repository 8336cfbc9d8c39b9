// SPDX-License-Identifier: EUPL-1.2
//! When an appointment is, in words. No React here.

import type { AppointmentTime } from "@belofte/api-client";
import type { Words } from "../i18n/words";

/** A calendar day or a clock without a zone, as the moment that shows the same on a clock of UTC. */
const floating = (text: string) => new Date(`${text.length === 10 ? `${text}T00:00:00` : text}Z`);

const day = { weekday: "short", day: "numeric", month: "long", year: "numeric" } as const;
const clock = { hour: "2-digit", minute: "2-digit" } as const;

/**
 * From when till when, in the zone of this device, which is named; what has no zone as it was written.
 * Null when nothing is known.
 */
export function span(starts: AppointmentTime | null, ends: AppointmentTime | null, words: Pick<Words, "locale">): string | null {
  if (!starts) return null;
  const whole = Boolean(starts.day);
  const zone = starts.at ? {} : ({ timeZone: "UTC" } as const);
  const from = starts.at ? new Date(starts.at) : floating(starts.day ?? starts.local ?? "");
  // Ends of another kind than the beginning make no sense together.
  const end = (starts.at ? ends?.at : starts.day ? ends?.day : ends?.local) ?? null;
  const till = end === null ? null : starts.at ? new Date(end) : floating(end);
  if (Number.isNaN(from.getTime())) return null;
  const form = new Intl.DateTimeFormat(words.locale, {
    ...day,
    ...(whole ? {} : clock),
    ...(starts.at ? { timeZoneName: "short" } : {}),
    ...zone,
  });
  if (!till || Number.isNaN(till.getTime()) || till <= from) return form.format(from);
  return form.formatRange(from, till);
}
