// SPDX-License-Identifier: EUPL-1.2
//! In which of two languages a text is written, by its small words. No React here.

import type { Language } from "@belofte/api-client";

/** Words that are frequent in the one and are none in the other. */
const SMALL: Record<Language, ReadonlySet<string>> = {
  nl: new Set("ik je jij u uw we wij het een de en niet dat dit deze die voor met van op aan bij naar maar ook nog wel geen heb hebt heeft kunt zou zijn wordt werd mijn graag groet groeten beste dag alvast bedankt wanneer waarom hoe wat er ze zij over uit als dan".split(" ")),
  en: new Set("i you your the a an and not that this these those for with of on to from but also yet no have has had can could would are is was were my please regards dear hi hello thanks thank when why how what there they about out if then it we our will be".split(" ")),
};
/** So many of them at least, and so much more often than those of the other. */
const LEAST = 2;
const CLEARLY = 1.5;
/** The beginning tells it; what follows may be quoted. */
const ENOUGH = 2_000;

/** The language of a text; null where that cannot be told. */
export function languageOf(text: string): Language | null {
  const own = text
    .slice(0, ENOUGH)
    .split("\n")
    .filter((one) => !one.startsWith(">"))
    .join("\n");
  const found = { nl: 0, en: 0 };
  for (const word of own.toLowerCase().match(/\p{L}+/gu) ?? []) {
    if (SMALL.nl.has(word)) found.nl += 1;
    if (SMALL.en.has(word)) found.en += 1;
  }
  const [first, second]: [Language, Language] = found.nl >= found.en ? ["nl", "en"] : ["en", "nl"];
  return found[first] >= LEAST && found[first] >= found[second] * CLEARLY ? first : null;
}
