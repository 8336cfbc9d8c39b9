// SPDX-License-Identifier: EUPL-1.2
//! The macros in the panel beside a conversation: those that are used most.

import type { Uuid } from "@belofte/api-client";
import { useQuery } from "@tanstack/react-query";
import { macrosQuery } from "../app/queries";
import { FailureLine } from "../app/states";
import { useWords } from "../i18n";
import { BoltIcon } from "../ui/icons";
import { inOrder } from "./macros";
import { askForMacros, offerMacros } from "./offer";
import css from "./panel-macros.module.css";

/** So many stand there; the rest is a key away. */
const MOST = 5;

export function PanelMacros({ id }: { id: Uuid }) {
  const { t } = useWords();
  const list = useQuery(macrosQuery);
  const all = inOrder(list.data?.items ?? []);
  return (
    <section aria-labelledby="panel-macros">
      <h3 id="panel-macros">{t("macro.all")}</h3>
      {list.isError && !list.data && <FailureLine error={list.error} retry={() => void list.refetch()} />}
      <ul>
        {all.slice(0, MOST).map((one) => (
          <li key={one.id}>
            <button type="button" className={css.one} aria-haspopup="dialog" onClick={() => offerMacros({ ids: [id], chosen: one.id })}>
              <BoltIcon size={14} />
              <span>{one.name}</span>
            </button>
          </li>
        ))}
      </ul>
      {list.data && all.length === 0 && <p className={css.none}>{t("macro.none")}</p>}
      <button type="button" className={css.more} aria-haspopup="dialog" onClick={() => askForMacros([id])}>
        {t("macro.find_more")}
      </button>
    </section>
  );
}
