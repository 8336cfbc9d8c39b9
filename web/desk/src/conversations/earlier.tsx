// SPDX-License-Identifier: EUPL-1.2

import type { ConversationRow } from "@belofte/api-client";
import { Link } from "@tanstack/react-router";
import { useWords } from "../i18n";
import css from "./panel.module.css";
import { StatusMark } from "./status";

/** One of the conversations of somebody. */
export function Earlier({ row }: { row: ConversationRow }) {
  const words = useWords();
  return (
    <li>
      <Link
        to="/inbox/$view/$conversation"
        params={{ view: row.status, conversation: row.id }}
        className={css.earlier}
      >
        <StatusMark status={row.status} />
        <span className={css.value}>{row.subject || words.t("row.no_subject")}</span>
        <time dateTime={row.last_message_at}>{words.shortTime(row.last_message_at, new Date())}</time>
      </Link>
    </li>
  );
}
