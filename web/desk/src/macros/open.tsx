// SPDX-License-Identifier: EUPL-1.2

import { useWords } from "../i18n";
import { WarnIcon } from "../ui/icons";
import css from "./macro-dialog.module.css";

/** How much waits for its writer. */
export function Open({ open }: { open: string[] }) {
  const { t } = useWords();
  if (open.length === 0) return null;
  return (
    <p className={css.warning}>
      <WarnIcon size={15} />
      <span>{t("macro.open", { count: open.length })}</span>
    </p>
  );
}
