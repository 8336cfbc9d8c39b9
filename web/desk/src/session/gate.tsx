// SPDX-License-Identifier: EUPL-1.2
//! The page before the desk: one narrow column with the language to choose.

import type { Language } from "@belofte/api-client";
import type { ReactNode } from "react";
import { setLanguage, useWords } from "../i18n";
import css from "./gate.module.css";

const LANGUAGES: [Language, string][] = [
  ["nl", "Nederlands"],
  ["en", "English"],
];

export function Gate({ children }: { children: ReactNode }) {
  const { t, language } = useWords();
  return (
    <div className={css.page}>
      <main className={css.box}>
        <div className={css.brand}>
          <img src="/belofte.svg" alt="" width={36} height={36} />
          <span>Belofte</span>
        </div>
        {children}
      </main>
      <footer className={css.foot}>
        <p>{t("gate.sealed")}</p>
        <div role="group" aria-label={t("gate.language")}>
          {LANGUAGES.map(([code, name]) => (
            <button key={code} type="button" lang={code} aria-pressed={language === code} onClick={() => setLanguage(code)}>
              {name}
            </button>
          ))}
        </div>
      </footer>
    </div>
  );
}
