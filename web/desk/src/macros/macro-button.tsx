// SPDX-License-Identifier: EUPL-1.2

import { Tooltip } from "@mantine/core";
import type { KeyboardEvent } from "react";
import css from "../conversations/composer.module.css";
import { useWords } from "../i18n";
import { BoltIcon } from "../ui/icons";
import { askForMacros } from "./offer";

/** Whether a key asks for macros while somebody writes. */
export const asksForMacros = (event: KeyboardEvent): boolean => event.key === "/" && (event.ctrlKey || event.metaKey) && !event.altKey;

export function MacroButton({ id }: { id: string }) {
  const { t } = useWords();
  return (
    <Tooltip label={t("macro.use_key")}>
      <button type="button" className={css.icon} aria-label={t("macro.use")} aria-haspopup="dialog" onClick={() => askForMacros([id])}>
        <BoltIcon />
      </button>
    </Tooltip>
  );
}
