// SPDX-License-Identifier: EUPL-1.2

import type { LedgerEntry } from "@belofte/api-client";
import { Button } from "@mantine/core";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { api } from "../app/api";
import { keys } from "../app/queries";
import { save } from "../app/save";
import { useSession } from "../app/session";
import { Blank, Failure, FailureLine, NoPermission, Skeleton } from "../app/states";
import { useWords, type Words } from "../i18n";
import { BookIcon, DownloadIcon } from "../ui/icons";
import { Page, Table } from "../settings/page";
import part from "../settings/page.module.css";
import css from "./ledger.module.css";

function summary(entry: LedgerEntry, words: Words): string {
  const { code, params } = entry.summary;
  return words.tOr(`ledger.${code}`, "ledger.other", { ...params, code });
}

export function Ledger() {
  const words = useWords();
  const { t } = words;
  const session = useSession();
  const officer = session.user.privacy_officer;
  const list = useInfiniteQuery({
    queryKey: keys.ledger,
    queryFn: ({ pageParam }) => api.ledger.page(pageParam ?? undefined),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => {
      const last = page.items.at(-1);
      // Entries are numbered from 0.
      return last && last.no > 0 ? last.no : undefined;
    },
    enabled: officer,
    staleTime: 10_000,
  });
  const take = useMutation({
    mutationFn: () => api.ledger.export(),
    onSuccess: (blob) => save(blob, "belofte-ledger.tar"),
  });
  if (!officer) {
    return (
      <main className={css.main}>
        <NoPermission text={t("ledger.no_permission")} />
      </main>
    );
  }
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const first = list.data?.pages[0];
  return (
    <main className={css.main}>
      <h1 className="sr-only">{t("rail.privacy")}</h1>
      <Page
        title={t("ledger.title")}
        lead={t("ledger.lead")}
        action={
          <Button variant="default" leftSection={<DownloadIcon size={16} />} loading={take.isPending} onClick={() => take.mutate()}>
            {t("ledger.export")}
          </Button>
        }
      >
        {take.isError && <FailureLine error={take.error} retry={() => take.mutate()} />}
        {list.isPending && <Skeleton rows={8} height={44} />}
        {list.isError && !list.data && <Failure error={list.error} retry={() => void list.refetch()} />}
        {first && (
          <p className={css.size}>
            {t("ledger.size", { count: first.size })}
            {first.checkpoint && (
              <details>
                <summary>{t("ledger.checkpoint")}</summary>
                <pre>{first.checkpoint}</pre>
              </details>
            )}
          </p>
        )}
        {list.data && items.length === 0 && <Blank icon={BookIcon} title={t("ledger.none")} text={t("ledger.none_text")} />}
        {items.length > 0 && (
          <Table name={t("ledger.title")} head={[t("ledger.no"), t("ledger.when"), t("ledger.who"), t("ledger.what")]}>
            {items.map((entry) => (
              <tr key={entry.no} className={css.row}>
                <td>{entry.no}</td>
                <td>
                  <time dateTime={entry.at} title={words.fullTime(entry.at)}>
                    {t("message.day_time", { day: words.day(entry.at), time: words.clock(entry.at) })}
                  </time>
                </td>
                <td>{entry.actor.name || words.tOr(`actor.${entry.actor.kind}`, "actor.system")}</td>
                <td>{summary(entry, words)}</td>
              </tr>
            ))}
          </Table>
        )}
        {list.hasNextPage && (
          <div className={part.row}>
            <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
              {t("ledger.older")}
            </Button>
          </div>
        )}
      </Page>
    </main>
  );
}
