// SPDX-License-Identifier: EUPL-1.2

import type { Language } from "@belofte/api-client";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { loadCatalogue } from "./catalogue";
import { makeWords, type Words } from "./words";

export type { Key } from "./catalogue";
export type { Words } from "./words";

const KEPT = "belofte.language";

let current: Language = initialLanguage();
const listeners = new Set<(language: Language) => void>();

function initialLanguage(): Language {
  const kept = localStorage.getItem(KEPT);
  if (kept === "nl" || kept === "en") return kept;
  return navigator.language.toLowerCase().startsWith("nl") ? "nl" : "en";
}

export function currentLanguage(): Language {
  return current;
}

export function setLanguage(language: Language) {
  if (language === current) return;
  current = language;
  localStorage.setItem(KEPT, language);
  for (const listener of listeners) listener(language);
}

const WordsContext = createContext<Words | null>(null);

/** Loads the catalogue before the first render; a change of language swaps it in one go. */
export function WordsProvider({ first, children }: { first: Words; children: ReactNode }) {
  const [words, setWords] = useState(first);
  useEffect(() => {
    let wanted = current;
    const listener = (language: Language) => {
      wanted = language;
      void loadWords(language).then((next) => {
        if (wanted === language) setWords(next);
      });
    };
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, []);
  useEffect(() => {
    document.documentElement.lang = words.language;
  }, [words]);
  return <WordsContext.Provider value={words}>{children}</WordsContext.Provider>;
}

export async function loadWords(language: Language): Promise<Words> {
  return makeWords(language, await loadCatalogue(language));
}

export function useWords(): Words {
  const words = useContext(WordsContext);
  if (!words) throw new Error("WordsProvider is missing above this component");
  return words;
}
