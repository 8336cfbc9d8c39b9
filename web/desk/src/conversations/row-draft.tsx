// SPDX-License-Identifier: EUPL-1.2
//! The mark of a row in which one has begun to write.

import type { Uuid } from "@belofte/api-client";
import { useQuery } from "@tanstack/react-query";
import { draftsQuery } from "../app/queries";
import { useWords } from "../i18n";
import { PencilIcon } from "../ui/icons";
import css from "./row.module.css";

export function RowDraft({ id }: { id: Uuid }) {
  const { t } = useWords();
  const has = useQuery({ ...draftsQuery, select: (found) => found.items.some((one) => one.conversation?.id === id) }).data;
  if (!has) return null;
  return (
    <span className={css.draft}>
      <PencilIcon size={12} /> {t("row.draft")}
    </span>
  );
}
