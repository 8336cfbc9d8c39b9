// SPDX-License-Identifier: EUPL-1.2
//! Mail accounting: what came in adds up, and what was set aside can be seen and tried again.

import type { ChannelAccount, Quarantined } from "@belofte/api-client";
import { Button } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { api } from "../app/api";
import { accountsQuery, keys, queryClient } from "../app/queries";
import { maySupervise, useSession } from "../app/session";
import { Blank, Failure, FailureLine, Skeleton } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { CheckIcon, DownloadIcon, MailIcon, RetryIcon } from "../ui/icons";
import { Block, Page, Table } from "./page";
import css from "./page.module.css";

export function MailAccounting() {
  const { t } = useWords();
  const session = useSession();
  const accounts = useQuery({ ...accountsQuery, enabled: maySupervise(session) });
  return (
    <Page title={t("settings.mail")} lead={t("mail_accounting.lead")} may={maySupervise}>
      {accounts.isPending && <Skeleton rows={3} />}
      {accounts.isError && <Failure error={accounts.error} retry={() => void accounts.refetch()} />}
      {accounts.data?.items.length === 0 && (
        <Blank icon={MailIcon} title={t("channel.none")} text={t("mail_accounting.none_text")} />
      )}
      <ul className={css.cards}>
        {accounts.data?.items.map((account) => (
          <li key={account.id}>
            <Sum account={account} />
          </li>
        ))}
      </ul>
      <Quarantine accounts={accounts.data?.items ?? []} />
    </Page>
  );
}

function Sum({ account }: { account: ChannelAccount }) {
  const { t, number } = useWords();
  const sum = useQuery({ queryKey: keys.accounting(account.id), queryFn: () => api.channelAccounts.accounting(account.id) });
  if (sum.isPending) return <Skeleton rows={1} />;
  if (sum.isError) return <FailureLine error={sum.error} retry={() => void sum.refetch()} />;
  const { received, imported, duplicates, quarantined, pending } = sum.data;
  const adds = received === imported + duplicates + quarantined + pending;
  return (
    <section className={css.card} aria-label={account.address}>
      <div>
        <span className={css.main}>{account.address}</span>
        <dl className={css.sum}>
          <div className={css.total}>
            <dt>{t("mail_accounting.received")}</dt>
            <dd>{number(received)}</dd>
          </div>
          <div className={css.equals}>
            <dt>{t("mail_accounting.imported")}</dt>
            <dd>{number(imported)}</dd>
          </div>
          <div className={css.plus}>
            <dt>{t("mail_accounting.duplicates")}</dt>
            <dd>{number(duplicates)}</dd>
          </div>
          <div className={css.plus} data-some={quarantined > 0 || undefined}>
            <dt>{t("mail_accounting.quarantined")}</dt>
            <dd>{number(quarantined)}</dd>
          </div>
          <div className={css.plus}>
            <dt>{t("mail_accounting.pending")}</dt>
            <dd>{number(pending)}</dd>
          </div>
        </dl>
        {!adds && (
          <p role="alert" className={css.sub}>
            {t("mail_accounting.wrong")}
          </p>
        )}
      </div>
    </section>
  );
}

function Quarantine({ accounts }: { accounts: readonly ChannelAccount[] }) {
  const words = useWords();
  const { t } = words;
  const list = useInfiniteQuery({
    queryKey: keys.quarantine,
    queryFn: ({ pageParam }) => api.quarantine.list(undefined, pageParam || undefined),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor || undefined,
  });
  const retry = useMutation({
    mutationFn: (mail: Quarantined) => api.quarantine.retry(mail.id),
    onSuccess: () => {
      toast(t("did.quarantine_retry"));
      return queryClient.invalidateQueries({ queryKey: keys.quarantine });
    },
  });
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Block title={t("quarantine.title")} text={t("quarantine.text")}>
      {list.isPending && <Skeleton rows={2} />}
      {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
      {retry.isError && <FailureLine error={retry.error} />}
      {list.data && items.length === 0 && <Blank icon={CheckIcon} title={t("quarantine.none")} text={t("quarantine.none_text")} />}
      {items.length > 0 && (
        <Table name={t("quarantine.title")} head={[t("quarantine.received"), t("quarantine.why"), t("quarantine.size"), ""]}>
          {items.map((mail) => (
            <tr key={mail.id}>
              <td>
                <time dateTime={mail.received_at} title={words.fullTime(mail.received_at)}>
                  {words.shortTime(mail.received_at, new Date())}
                </time>
                <span className={css.sub}>{accounts.find((one) => one.id === mail.channel_account_id)?.address}</span>
              </td>
              <td>
                {words.tOr(`quarantine.reason.${mail.reason}`, "quarantine.reason.other", { reason: mail.reason })}
                {mail.signature && <span className={css.sub}>{t("quarantine.signature", { name: mail.signature })}</span>}
                {mail.retried_at && (
                  <span className={css.sub}>{t("quarantine.retried", { time: words.shortTime(mail.retried_at, new Date()) })}</span>
                )}
              </td>
              <td>{words.bytes(mail.size_bytes)}</td>
              <td>
                <span className={css.row}>
                  {/* Malware is handed to nobody. */}
                  {mail.reason !== "malware" && (
                    <Button component="a" variant="default" href={api.quarantine.sourceUrl(mail.id)} download leftSection={<DownloadIcon size={15} />}>
                      {t("quarantine.source")}
                    </Button>
                  )}
                  <Button variant="default" leftSection={<RetryIcon size={15} />} loading={retry.isPending && retry.variables?.id === mail.id} onClick={() => retry.mutate(mail)}>
                    {t("quarantine.retry")}
                  </Button>
                </span>
              </td>
            </tr>
          ))}
        </Table>
      )}
      {list.hasNextPage && (
        <div className={css.row}>
          <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            {t("quarantine.more")}
          </Button>
        </div>
      )}
    </Block>
  );
}
