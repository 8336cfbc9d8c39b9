// SPDX-License-Identifier: EUPL-1.2

import type { ChannelAccount } from "@belofte/api-client";
import { Button } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api } from "../app/api";
import { accountsQuery, keys, queryClient, queuesQuery } from "../app/queries";
import { mayAdministrate, useSession } from "../app/session";
import { Blank, Failure, FailureLine, Skeleton } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { MailIcon, PauseIcon, PlayIcon, PlusIcon } from "../ui/icons";
import { Page, State } from "./page";
import css from "./page.module.css";
import { RetrievalLine, WaitingLine } from "./retrieval";

export function AccountState({ account }: { account: ChannelAccount }) {
  const { t } = useWords();
  if (account.state === "active") return <State tone="good">{t("channel.active")}</State>;
  if (account.state === "paused") return <State tone="soon">{t("channel.paused")}</State>;
  return <State tone="plain">{t("channel.removed")}</State>;
}

export function Channels() {
  const { t } = useWords();
  const session = useSession();
  const may = mayAdministrate(session);
  const list = useQuery({ ...accountsQuery, enabled: may });
  const queues = useQuery({ ...queuesQuery, enabled: may });
  const pause = useMutation({
    mutationFn: (account: ChannelAccount) =>
      api.channelAccounts.change(account.id, { state: account.state === "active" ? "paused" : "active" }),
    onSuccess: (account) => {
      toast(account.state === "paused" ? t("did.paused", { address: account.address }) : t("did.resumed", { address: account.address }));
      return queryClient.invalidateQueries({ queryKey: keys.accounts });
    },
  });
  const add = (
    <Button component={Link} to="/settings/channels/new" leftSection={<PlusIcon size={16} />}>
      {t("channel.add")}
    </Button>
  );
  const items = (list.data?.items ?? []).filter((one) => one.state !== "removed");
  return (
    <Page title={t("settings.channels")} lead={t("channel.lead")} may={mayAdministrate} action={items.length > 0 ? add : null}>
      {list.isPending && <Skeleton rows={3} />}
      {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
      {pause.isError && <FailureLine error={pause.error} />}
      {list.data && items.length === 0 && (
        <Blank icon={MailIcon} title={t("channel.none")} text={t("channel.none_text")}>
          {add}
        </Blank>
      )}
      <ul className={css.cards}>
        {items.map((account) => (
          <li key={account.id} className={css.card}>
            <div>
              <Link to="/settings/channels/$account" params={{ account: account.id }} className={css.main}>
                {account.address}
              </Link>
              <span className={css.sub}>
                {t("channel.summary", {
                  name: account.from_name,
                  queue: queues.data?.items.find((one) => one.id === account.queue_id)?.name ?? "–",
                })}
              </span>
              {account.submission?.waiting && <WaitingLine waiting={account.submission.waiting} />}
              {account.retrieval && <RetrievalLine retrieval={account.retrieval} />}
              {!account.submission && <span className={css.sub}>{t("channel.no_submission")}</span>}
            </div>
            <AccountState account={account} />
            <Button
              variant="default"
              leftSection={account.state === "active" ? <PauseIcon size={15} /> : <PlayIcon size={15} />}
              loading={pause.isPending && pause.variables?.id === account.id}
              onClick={() => pause.mutate(account)}
            >
              {account.state === "active" ? t("channel.pause") : t("channel.resume")}
            </Button>
          </li>
        ))}
      </ul>
    </Page>
  );
}
