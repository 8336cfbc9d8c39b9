// SPDX-License-Identifier: EUPL-1.2

import { ApiError, type ChannelAccount, type Language, type SetSubmission, type TestStep } from "@belofte/api-client";
import { Button, Checkbox, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { type FormEvent, useEffect, useState } from "react";
import { api } from "../app/api";
import { accountsQuery, keys, queryClient, queuesQuery } from "../app/queries";
import { mayAdministrate } from "../app/session";
import { Failure, FailureLine, Skeleton } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { BoltIcon, CheckIcon, CloseIcon } from "../ui/icons";
import { AccountState } from "./channels";
import { AuthorisationLine, authorisationOf, ProviderFields, providerOf } from "./authorisation";
import { Block, Confirm, Page } from "./page";
import css from "./page.module.css";
import { MailboxFields, mailboxOf, RetrievalLine, retrievalOf, WaitingLine } from "./retrieval";
import { entryOf, serverOf, type ServerEntry, ServerFields } from "./server-fields";

interface Fields extends ServerEntry {
  address: string;
  from_name: string;
  signature: string;
  queue_id: string;
  reply_language: Language;
  sends: boolean;
}

const USUAL_PORT = { tls: "465", starttls: "587", none: "25" } as const;

function fieldsOf(account: ChannelAccount | null): Fields {
  const submission = account?.submission;
  return {
    ...entryOf(submission ?? undefined, USUAL_PORT),
    address: account?.address ?? "",
    from_name: account?.from_name ?? "",
    signature: account?.signature ?? "",
    queue_id: account?.queue_id ?? "",
    reply_language: account?.reply_language ?? "nl",
    sends: account ? Boolean(submission) : true,
  };
}

function submissionOf(fields: Fields): SetSubmission | undefined {
  if (!fields.sends) return undefined;
  return { ...serverOf(fields), ...(fields.username.trim() ? { username: fields.username.trim() } : {}) };
}

export function NewChannel() {
  const { t } = useWords();
  return (
    <Page title={t("channel.add")} lead={t("channel.add_text")} may={mayAdministrate}>
      <Form account={null} />
    </Page>
  );
}

export function Channel() {
  const { t } = useWords();
  const { account: id } = useParams({ strict: false });
  const list = useQuery(accountsQuery);
  const account = list.data?.items.find((one) => one.id === id);
  if (list.isPending) return <Skeleton rows={4} />;
  if (list.isError) return <Failure error={list.error} retry={() => void list.refetch()} />;
  if (!account) return <Page title={t("channel.gone")} lead={t("channel.gone_text")} may={mayAdministrate}>{null}</Page>;
  return (
    <Page title={account.address} may={mayAdministrate} action={<AccountState account={account} />}>
      <Form key={account.id} account={account} />
      <Remove account={account} />
    </Page>
  );
}

function Form({ account }: { account: ChannelAccount | null }) {
  const words = useWords();
  const { t } = words;
  const navigate = useNavigate();
  const queues = useQuery(queuesQuery);
  const accounts = useQuery(accountsQuery);
  const [fields, setFields] = useState<Fields>(() => fieldsOf(account));
  const set = (part: Partial<Fields>) => setFields((old) => ({ ...old, ...part }));
  const submission = submissionOf(fields);
  const [mailbox, setMailbox] = useState(() => mailboxOf(account));
  const changeMailbox = (part: Partial<typeof mailbox>) => setMailbox((old) => ({ ...old, ...part }));
  const retrieval = retrievalOf(mailbox);
  const [provider, setProvider] = useState(() => providerOf(account));
  const changeProvider = (part: Partial<typeof provider>) => setProvider((old) => ({ ...old, ...part }));
  const byProvider = submission?.sign_in === "authorisation" || retrieval?.sign_in === "authorisation";
  const authorisation = byProvider ? authorisationOf(provider) : undefined;

  const save = useMutation({
    mutationFn: () => {
      const queue = fields.queue_id ? { queue_id: fields.queue_id } : {};
      return account
        ? api.channelAccounts.change(account.id, {
            from_name: fields.from_name.trim(),
            signature: fields.signature.trim(),
            reply_language: fields.reply_language,
            ...queue,
            // What is not wanted any more goes; what never was is not mentioned.
            ...(submission || account.submission ? { submission: submission ?? null } : {}),
            ...(retrieval || account.retrieval ? { retrieval: retrieval ?? null } : {}),
            ...(authorisation || account.authorisation ? { authorisation: authorisation ?? null } : {}),
          })
        : api.channelAccounts.create({
            kind: "email",
            address: fields.address.trim(),
            from_name: fields.from_name.trim(),
            ...(fields.signature.trim() ? { signature: fields.signature.trim() } : {}),
            ...queue,
            ...(submission ? { submission } : {}),
            ...(retrieval ? { retrieval } : {}),
            ...(authorisation ? { authorisation } : {}),
          });
    },
    onSuccess: async (saved) => {
      toast(t("did.saved"));
      await queryClient.invalidateQueries({ queryKey: keys.accounts });
      void queryClient.invalidateQueries({ queryKey: keys.senders });
      // The next thing to do is to sign in at the provider.
      if (!account && saved.authorisation) void navigate({ to: "/settings/channels/$account", params: { account: saved.id } });
      else if (!account) void navigate({ to: "/settings/channels" });
      else {
        changeProvider({ secret: "" });
        set({ password: "" });
        changeMailbox({ password: "" });
      }
    },
  });
  const test = useMutation({
    mutationFn: () =>
      api.channelAccounts.test(
        account
          ? { id: account.id, ...(submission ? { submission } : {}) }
          : {
              kind: "email",
              address: fields.address.trim(),
              from_name: fields.from_name.trim(),
              ...(submission ? { submission } : {}),
            },
      ),
  });
  const look = useMutation({
    mutationFn: () =>
      api.channelAccounts.test({
        server: "retrieval",
        ...(account ? { id: account.id } : { kind: "email", address: fields.address.trim() }),
        ...(retrieval ? { retrieval } : {}),
      }),
  });
  const wrong = (field: string, group = "submission") => {
    const failed = [save.error, look.error, test.error].find((one) => one instanceof ApiError);
    const found =
      failed instanceof ApiError
        ? failed.fields.find((one) => one.field === `${group}.${field}` || (group === "submission" && one.field === field))
        : undefined;
    return found ? words.tOr(`field_error.${found.code}`, "field_error.invalid") : undefined;
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form className={css.page} onSubmit={submit}>
      <div className={css.form}>
        <TextInput name="address" label={t("field.email")} type="email" required withAsterisk={false} readOnly={account !== null} value={fields.address} error={wrong("address")} onChange={(event) => set({ address: event.currentTarget.value })} />
        <TextInput name="from_name" label={t("channel.from_name")} description={t("channel.from_name_hint")} required withAsterisk={false} value={fields.from_name} error={wrong("from_name")} onChange={(event) => set({ from_name: event.currentTarget.value })} />
        <Textarea name="signature" label={t("channel.signature")} description={t("channel.signature_hint", { name: "{name}", address: "{address}" })} rows={4} maxLength={2000} value={fields.signature} error={wrong("signature")} onChange={(event) => set({ signature: event.currentTarget.value })} />
        <div className={css.halves}>
          <NativeSelect
            label={t("channel.queue")}
            value={fields.queue_id || (queues.data?.items.find((one) => one.is_default)?.id ?? "")}
            onChange={(event) => set({ queue_id: event.currentTarget.value })}
            data={(queues.data?.items ?? []).map((one) => ({ value: one.id, label: one.name }))}
          />
          {account && (
            <NativeSelect
              label={t("channel.reply_language")}
              value={fields.reply_language}
              onChange={(event) => set({ reply_language: event.currentTarget.value === "en" ? "en" : "nl" })}
              data={[
                { value: "nl", label: "Nederlands" },
                { value: "en", label: "English" },
              ]}
            />
          )}
        </div>
      </div>
      <Block title={t("retrieval.title")} text={t("retrieval.text")}>
        {account?.submission?.waiting && <WaitingLine waiting={account.submission.waiting} />}
        {account?.retrieval && <RetrievalLine retrieval={account.retrieval} />}
        <Checkbox label={t("retrieval.reads")} checked={mailbox.reads} onChange={(event) => changeMailbox({ reads: event.currentTarget.checked })} />
        {mailbox.reads && (
          <div className={css.form}>
            <MailboxFields entry={mailbox} set={changeMailbox} known={account?.retrieval ?? undefined} wrong={(field) => wrong(field, "retrieval")} />
            <div className={css.row}>
              <Button variant="default" leftSection={<BoltIcon size={16} />} loading={look.isPending} disabled={!mailbox.host.trim()} onClick={() => look.mutate()}>
                {t("retrieval.test")}
              </Button>
            </div>
            {look.isError && <FailureLine error={look.error} />}
            {look.data && <Steps key={look.submittedAt} steps={look.data.steps} of="retrieval" />}
          </div>
        )}
      </Block>
      <Block title={t("channel.sending")} text={t("channel.sending_text")}>
        <Checkbox label={t("channel.sends")} checked={fields.sends} onChange={(event) => set({ sends: event.currentTarget.checked })} />
        {fields.sends && (
          <div className={css.form}>
            <ServerFields entry={fields} set={set} usual={USUAL_PORT} kept={Boolean(account?.submission?.password_set)} wrong={wrong} />
            <div className={css.row}>
              <Button variant="default" data-test leftSection={<BoltIcon size={16} />} loading={test.isPending} disabled={!fields.host.trim()} onClick={() => test.mutate()}>
                {t("channel.test")}
              </Button>
            </div>
            {test.isError && <FailureLine error={test.error} />}
            {test.data && <Steps key={test.submittedAt} steps={test.data.steps} />}
          </div>
        )}
      </Block>
      {byProvider && (
        <Block title={t("authorisation.title")} text={t("authorisation.text")}>
          {account?.authorisation ? <AuthorisationLine account={account} authorisation={account.authorisation} /> : <p className={css.sub}>{t("authorisation.missing_text")}</p>}
          <div className={css.form}>
            <ProviderFields entry={provider} set={changeProvider} kept={Boolean(account?.authorisation?.client_secret_set)} redirect={accounts.data?.redirect_uri ?? ""} wrong={(field) => wrong(field, "authorisation")} />
          </div>
        </Block>
      )}
      {save.isError && <FailureLine error={save.error} />}
      <div className={css.row}>
        <Button type="submit" loading={save.isPending}>
          {account ? t("action.save") : t("channel.create")}
        </Button>
        <Button variant="default" onClick={() => void navigate({ to: "/settings/channels" })}>
          {t("action.cancel")}
        </Button>
      </div>
    </form>
  );
}

const STEP_MS = 140;

/** The steps come in one answer and are shown in their order, so that the eye can follow. */
export function Steps({ steps, of = "submission" }: { steps: readonly TestStep[]; of?: "submission" | "retrieval" }) {
  const { t, tOr } = useWords();
  const [shown, setShown] = useState(matchMedia("(prefers-reduced-motion: reduce)").matches ? steps.length : 1);
  useEffect(() => {
    if (shown >= steps.length) return;
    const timer = setTimeout(() => setShown(shown + 1), STEP_MS);
    return () => clearTimeout(timer);
  }, [shown, steps.length]);
  const failed = steps.find((one) => !one.ok);
  return (
    <div className={css.steps} aria-live="polite">
      {steps.slice(0, shown).map((one) => (
        <div key={one.step} className={css.step} data-ok={one.ok}>
          {one.ok ? <CheckIcon /> : <CloseIcon />}
          <div>
            {one.ok ? tOr(`test.${one.step}.ok`, "test.other.ok") : tOr(`test.${one.step}.failed`, "test.other.failed")}
            {!one.ok && (one.code || one.detail) && <code>{[one.code, one.detail].filter(Boolean).join(" · ")}</code>}
          </div>
        </div>
      ))}
      {shown >= steps.length && <p className={css.verdict}>{failed ? t(of === "retrieval" ? "test.retrieval_failed" : "test.failed") : t(of === "retrieval" ? "test.retrieval_passed" : "test.passed")}</p>}
    </div>
  );
}

function Remove({ account }: { account: ChannelAccount }) {
  const { t } = useWords();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => api.channelAccounts.remove(account.id),
    onSuccess: async () => {
      toast(t("did.removed", { address: account.address }));
      await queryClient.invalidateQueries({ queryKey: keys.accounts });
      void navigate({ to: "/settings/channels" });
    },
  });
  return (
    <Block title={t("channel.remove")} text={t("channel.remove_text")}>
      {remove.isError && <FailureLine error={remove.error} />}
      <div className={css.row}>
        <Confirm
          label={t("channel.remove")}
          sure={t("channel.remove_sure", { address: account.address })}
          loading={remove.isPending}
          onConfirm={() => remove.mutate()}
        />
      </div>
    </Block>
  );
}
