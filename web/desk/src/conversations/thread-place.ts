// SPDX-License-Identifier: EUPL-1.2
//! Where somebody was reading, for a reload of the page. It names an entry and a number of
//! pixels, and says nothing about anybody; who opens a conversation anew begins at its end.

import type { Uuid } from "@belofte/api-client";

export interface Place {
  /** The first entry in sight. */
  key: string;
  /** So many pixels of it are above the sight. */
  below: number;
}

const KEPT = "belofte.place.thread";
let reloaded = performance.getEntriesByType("navigation").some((entry) => (entry as PerformanceNavigationTiming).type === "reload");

/** Keeps the place in this tab; null is the end. */
export function keepThreadPlace(id: Uuid, place: Place | null) {
  if (place) sessionStorage.setItem(KEPT, JSON.stringify({ id, ...place }));
  else sessionStorage.removeItem(KEPT);
}

/** The place in the conversation that a reload opened again; given once. */
export function placeAfterReload(id: Uuid): Place | null {
  if (!reloaded) return null;
  reloaded = false;
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null") as (Place & { id: Uuid }) | null;
    return kept?.id === id ? kept : null;
  } catch {
    return null;
  }
}
