// SPDX-License-Identifier: EUPL-1.2
//! Until when a macro puts a conversation off, on the clock of this device. No React here.

import type { MacroSnooze } from "@belofte/api-client";

export function untilOf({ hours, days, time }: MacroSnooze, now: Date): Date {
  if (hours) return new Date(now.getTime() + hours * 3_600_000);
  const [hour = 9, minute = 0] = (time ?? "09:00").split(":").map(Number);
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + (days ?? 1), hour, minute);
}
