// SPDX-License-Identifier: EUPL-1.2
//! What stands beside a conversation, and what became part of it.

import type { Conversation, ConversationRow } from "@belofte/api-client";
import { ActionIcon, Button } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { rowOf } from "../app/lists";
import { relatedQuery } from "../app/queries";
import { explainShort } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { CloseIcon } from "../ui/icons";
import { link, takeApart } from "./arrange";
import css from "./panel.module.css";
import { StatusMark } from "./status";

export function Related({ conversation }: { conversation: Conversation }) {
  const words = useWords();
  const { t } = words;
  const related = useQuery(relatedQuery(conversation.id)).data;
  const apart = useMutation({
    mutationFn: ({ id, into }: { id: string; into: string }) => takeApart(into, [id], words),
  });
  if (!related || (related.linked.length === 0 && related.merged.length === 0)) return null;
  const unlink = (other: ConversationRow) =>
    void link(rowOf(conversation), other, false, words).catch((error: unknown) =>
      toast(explainShort(error, words), { bad: true }),
    );
  return (
    <>
      {related.linked.length > 0 && (
        <section aria-labelledby="panel-linked">
          <h3 id="panel-linked">{t("panel.linked", { count: related.linked.length })}</h3>
          <ul>
            {related.linked.map((row) => (
              <li key={row.id} className={css.linked}>
                <Link
                  to="/inbox/$view/$conversation"
                  params={{ view: row.status, conversation: row.id }}
                  className={css.earlier}
                >
                  <StatusMark status={row.status} />
                  <span className={css.value}>{row.subject || t("row.no_subject")}</span>
                </Link>
                <ActionIcon
                  size={26}
                  aria-label={t("link.remove", { no: String(row.no) })}
                  onClick={() => unlink(row)}
                >
                  <CloseIcon size={14} />
                </ActionIcon>
              </li>
            ))}
          </ul>
        </section>
      )}
      {related.merged.length > 0 && (
        <section aria-labelledby="panel-merged">
          <h3 id="panel-merged">{t("panel.merged", { count: related.merged.length })}</h3>
          <ul>
            {related.merged.map((one) => (
              <li key={one.id} className={css.linked}>
                <span className={css.value} title={one.subject}>
                  {t("panel.merged_one", {
                    no: String(one.no),
                    subject: one.subject || t("row.no_subject"),
                  })}
                </span>
                {one.into_id === conversation.id && (
                  <Button
                    size="compact-xs"
                    variant="default"
                    loading={apart.isPending && apart.variables.id === one.id}
                    aria-label={t("merge.undo_named", { no: String(one.no) })}
                    onClick={() => apart.mutate({ id: one.id, into: one.into_id })}
                  >
                    {t("merge.undo")}
                  </Button>
                )}
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}
