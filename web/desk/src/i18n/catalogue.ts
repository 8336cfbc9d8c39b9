// SPDX-License-Identifier: EUPL-1.2

import type { Language } from "@belofte/api-client";
import type dutch from "../../../../catalogue/nl.json";

export type Key = keyof typeof dutch;
export type Catalogue = Record<string, string>;

const load: Record<Language, () => Promise<{ default: Catalogue }>> = {
  nl: () => import("../../../../catalogue/nl.json"),
  en: () => import("../../../../catalogue/en.json"),
};

/** Fetches one language; the other one is never sent. */
export async function loadCatalogue(language: Language): Promise<Catalogue> {
  return (await load[language]()).default;
}
