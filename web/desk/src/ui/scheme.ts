// SPDX-License-Identifier: EUPL-1.2

import type { ColourScheme } from "@belofte/api-client";
import type { MantineColorSchemeManager } from "@mantine/core";

const KEPT = "belofte.scheme";
type Listener = (scheme: ColourScheme) => void;
const listeners = new Set<Listener>();

function read(): ColourScheme {
  const value = localStorage.getItem(KEPT);
  return value === "light" || value === "dark" ? value : "auto";
}

export function setScheme(scheme: ColourScheme) {
  if (scheme === read()) return;
  localStorage.setItem(KEPT, scheme);
  for (const listener of listeners) listener(scheme);
}

/** Lets the user's setting drive Mantine; `first.js` reads the same key before the first paint. */
export function schemeManager(): MantineColorSchemeManager {
  let mine: Listener | null = null;
  return {
    get: () => read(),
    set: (value) => localStorage.setItem(KEPT, value),
    subscribe(update) {
      mine = update;
      listeners.add(update);
    },
    unsubscribe() {
      if (mine) listeners.delete(mine);
    },
    clear: () => localStorage.removeItem(KEPT),
  };
}
