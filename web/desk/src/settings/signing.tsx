// SPDX-License-Identifier: EUPL-1.2
//! Signing what goes out (DKIM): for each domain the record to publish, whether it was seen, and another key.

import type { SigningDomain, SigningKey } from "@belofte/api-client";
import { Button, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useId } from "react";
import { api } from "../app/api";
import { copy } from "../app/copy";
import { keys, queryClient } from "../app/queries";
import { mayAdministrate, useSession } from "../app/session";
import { Blank, Failure, FailureLine, Skeleton } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { CopyIcon, PencilIcon, RetryIcon } from "../ui/icons";
import { Confirm, Page, State } from "./page";
import css from "./page.module.css";

/** The mail that was signed last is on its way for a week at most. */
const ON_ITS_WAY_MS = 7 * 86_400_000;

export function Signing() {
  const { t } = useWords();
  const session = useSession();
  const list = useQuery({ queryKey: keys.signingKeys, queryFn: () => api.signingKeys.list(), enabled: mayAdministrate(session) });
  return (
    <Page title={t("settings.signing")} lead={t("signing.lead")} may={mayAdministrate}>
      {list.isPending && <Skeleton rows={3} />}
      {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.data?.items.length === 0 && <Blank icon={PencilIcon} title={t("signing.none")} text={t("signing.none_text")} />}
      {list.data?.items.map((domain) => (
        <Domain key={domain.domain} domain={domain} />
      ))}
    </Page>
  );
}

const again = () => queryClient.invalidateQueries({ queryKey: keys.signingKeys });

function Domain({ domain }: { domain: SigningDomain }) {
  const { t } = useWords();
  const title = useId();
  const create = useMutation({ mutationFn: () => api.signingKeys.create({ domain: domain.domain }), onSuccess: again });
  const signs = domain.keys.some((one) => one.state === "signing");
  const waits = domain.keys.some((one) => one.state === "waiting");
  return (
    <section className={css.block} aria-labelledby={title}>
      <div className={css.row}>
        <h3 id={title}>{domain.domain}</h3>
        {signs ? <State tone="good">{t("signing.on")}</State> : waits ? <State tone="soon">{t("signing.waiting")}</State> : <State tone="plain">{t("signing.off")}</State>}
      </div>
      <p className={css.text}>{t("signing.accounts", { count: domain.account_ids.length })}</p>
      {domain.keys.map((one) => (
        <Key key={one.id} of={one} beside={signs && one.state === "waiting"} />
      ))}
      {create.isError && <FailureLine error={create.error} />}
      {!waits && domain.account_ids.length > 0 && (
        <div className={css.row}>
          <Button variant={signs ? "default" : "filled"} loading={create.isPending} onClick={() => create.mutate()}>
            {t(signs ? "signing.renew" : "signing.begin")}
          </Button>
        </div>
      )}
    </section>
  );
}

function Key({ of, beside }: { of: SigningKey; beside: boolean }) {
  const words = useWords();
  const { t } = words;
  const time = (at: string | null | undefined) => (at ? words.shortTime(at, new Date()) : "–");
  const check = useMutation({
    mutationFn: () => api.signingKeys.check(of.id),
    onSuccess: (now) => {
      if (now.state === "signing" && !now.problem) toast(t(of.state === "waiting" ? "signing.began" : "signing.right"));
      return again();
    },
  });
  const withdraw = useMutation({ mutationFn: () => api.signingKeys.withdraw(of.id), onSuccess: again });
  if (of.state === "former") {
    const from = new Date(Date.parse(of.ended_at ?? of.created_at) + ON_ITS_WAY_MS).toISOString();
    return (
      <div className={css.card}>
        <div>
          <State tone="plain">{t("signing.former", { time: time(of.ended_at) })}</State>
          <span className={css.sub}>{t("signing.former_text", { name: of.record_name, day: words.day(from) })}</span>
        </div>
        <Button variant="default" loading={withdraw.isPending} onClick={() => withdraw.mutate()}>
          {t("signing.forget")}
        </Button>
      </div>
    );
  }
  const signing = of.state === "signing";
  return (
    <div className={css.card}>
      <div className={css.record}>
        <div className={css.reading}>
          {signing && <State tone="good">{t("signing.since", { time: time(of.began_at) })}</State>}
          {!signing && <State tone="soon">{t(beside ? "signing.next" : "signing.not_yet")}</State>}
          {of.problem && (
            <State tone="bad">{words.tOr(`signing.problem.${of.problem}`, "signing.problem.malformed")}</State>
          )}
          {of.problem && <span className={css.sub}>{words.tOr(`signing.help.${of.problem}`, "signing.help.malformed")}</span>}
          <span className={css.sub}>{of.checked_at ? t("signing.checked", { time: time(of.checked_at) }) : t("signing.unchecked")}</span>
        </div>
        <p className={css.sub}>{t(signing ? "signing.keep_record" : "signing.publish")}</p>
        <Copyable label={t("signing.record_name")} value={of.record_name} hint={t("signing.record_name_hint", { domain: of.domain })} />
        <Copyable label={t("signing.record_value")} value={of.record_value} hint={t("signing.record_value_hint")} long />
        {check.isError && <FailureLine error={check.error} />}
        {withdraw.isError && <FailureLine error={withdraw.error} />}
        <div className={css.row}>
          <Button variant={signing ? "default" : "filled"} leftSection={<RetryIcon size={16} />} loading={check.isPending} onClick={() => check.mutate()}>
            {t("signing.check")}
          </Button>
          <Confirm
            label={t(signing ? "signing.stop" : "signing.drop")}
            sure={t(signing ? "signing.stop_sure" : "signing.drop_sure", { domain: of.domain })}
            loading={withdraw.isPending}
            onConfirm={() => withdraw.mutate()}
          />
        </div>
      </div>
    </div>
  );
}

function Copyable({ label, value, hint, long = false }: { label: string; value: string; hint: string; long?: boolean }) {
  const words = useWords();
  const { t } = words;
  const field = { label, description: hint, readOnly: true, value, spellCheck: false };
  return (
    <div className={css.copyable}>
      {long ? <Textarea {...field} rows={4} onFocus={(event) => event.currentTarget.select()} /> : <TextInput {...field} onFocus={(event) => event.currentTarget.select()} />}
      <Button variant="default" aria-label={`${t("action.copy")}: ${label}`} leftSection={<CopyIcon size={16} />} onClick={() => void copy(value, words)}>
        {t("action.copy")}
      </Button>
    </div>
  );
}
