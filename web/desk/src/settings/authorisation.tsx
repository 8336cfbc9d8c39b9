// SPDX-License-Identifier: EUPL-1.2
//! The provider that lets a mailbox be used without a password (OAuth 2.0): what it is told, and signing in there.

import type { Authorisation, ChannelAccount, SetAuthorisation } from "@belofte/api-client";
import { Button, NativeSelect, PasswordInput, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { api } from "../app/api";
import { copy } from "../app/copy";
import { keys, queryClient } from "../app/queries";
import { FailureLine } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { CopyIcon } from "../ui/icons";
import { Confirm, State } from "./page";
import css from "./page.module.css";

type Kind = "microsoft" | "google" | "other";

/** A provider as an admin enters it. */
export interface ProviderEntry {
  kind: Kind;
  directory: string;
  authorization: string;
  token: string;
  client: string;
  secret: string;
  scope: string;
}

const MICROSOFT = /^https:\/\/login\.microsoftonline\.com\/([^/]+)\/oauth2\/v2\.0\/token$/;
const GOOGLE_TOKEN = "https://oauth2.googleapis.com/token";

/** What the two large ones have for everybody; without the last two words Google gives nothing to renew with. */
function known(kind: Kind, directory: string) {
  const microsoft = `https://login.microsoftonline.com/${encodeURIComponent(directory.trim() || "organizations")}/oauth2/v2.0`;
  switch (kind) {
    case "microsoft":
      return {
        authorization: `${microsoft}/authorize?prompt=select_account`,
        token: `${microsoft}/token`,
        scope: "offline_access https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send",
      };
    case "google":
      return {
        authorization: "https://accounts.google.com/o/oauth2/v2/auth?access_type=offline&prompt=consent",
        token: GOOGLE_TOKEN,
        scope: "https://mail.google.com/",
      };
    case "other":
      return null;
  }
}

export function providerOf(account: ChannelAccount | null): ProviderEntry {
  const provider = account?.authorisation;
  const directory = provider ? MICROSOFT.exec(provider.token_endpoint)?.[1] : undefined;
  const kind = !provider || directory ? "microsoft" : provider.token_endpoint === GOOGLE_TOKEN ? "google" : "other";
  return {
    kind,
    directory: directory ? decodeURIComponent(directory) : "organizations",
    authorization: provider?.authorization_endpoint ?? "",
    token: provider?.token_endpoint ?? "",
    client: provider?.client_id ?? "",
    secret: "",
    scope: provider?.scope ?? "",
  };
}

/** What goes over the wire; an empty secret keeps the one that the server has. */
export function authorisationOf(entry: ProviderEntry): SetAuthorisation {
  const { authorization, token, scope } = known(entry.kind, entry.directory) ?? entry;
  return {
    authorization_endpoint: authorization.trim(),
    token_endpoint: token.trim(),
    scope: scope.trim(),
    client_id: entry.client.trim(),
    ...(entry.secret ? { client_secret: entry.secret } : {}),
  };
}

interface FieldsProps {
  entry: ProviderEntry;
  set: (part: Partial<ProviderEntry>) => void;
  kept: boolean;
  redirect: string;
  wrong: (field: string) => string | undefined;
}

export function ProviderFields({ entry, set, kept, redirect, wrong }: FieldsProps) {
  const words = useWords();
  const { t } = words;
  return (
    <>
      <NativeSelect
        label={t("authorisation.provider")}
        value={entry.kind}
        onChange={(event) => set({ kind: event.currentTarget.value as Kind })}
        data={[
          { value: "microsoft", label: "Microsoft 365" },
          { value: "google", label: "Google Workspace" },
          { value: "other", label: t("authorisation.other") },
        ]}
      />
      <div className={css.pair}>
        <TextInput label={t("authorisation.redirect")} description={t("authorisation.redirect_hint")} readOnly value={redirect} onFocus={(event) => event.currentTarget.select()} />
        <Button variant="default" className={css.beside} leftSection={<CopyIcon size={16} />} onClick={() => void copy(redirect, words)}>
          {t("action.copy")}
        </Button>
      </div>
      {entry.kind === "microsoft" && (
        <TextInput name="directory" label={t("authorisation.directory")} description={t("authorisation.directory_hint")} autoComplete="off" spellCheck={false} value={entry.directory} onChange={(event) => set({ directory: event.currentTarget.value })} />
      )}
      {entry.kind === "other" && (
        <>
          <TextInput name="authorization_endpoint" label={t("authorisation.endpoint")} placeholder="https://" required withAsterisk={false} spellCheck={false} value={entry.authorization} error={wrong("authorization_endpoint")} onChange={(event) => set({ authorization: event.currentTarget.value })} />
          <TextInput name="token_endpoint" label={t("authorisation.token_endpoint")} placeholder="https://" required withAsterisk={false} spellCheck={false} value={entry.token} error={wrong("token_endpoint")} onChange={(event) => set({ token: event.currentTarget.value })} />
          <TextInput name="scope" label={t("authorisation.scope")} required withAsterisk={false} spellCheck={false} value={entry.scope} error={wrong("scope")} onChange={(event) => set({ scope: event.currentTarget.value })} />
        </>
      )}
      <TextInput name="client_id" label={t("authorisation.client_id")} autoComplete="off" required withAsterisk={false} spellCheck={false} value={entry.client} error={wrong("client_id")} onChange={(event) => set({ client: event.currentTarget.value })} />
      <PasswordInput
        name="client_secret"
        label={t("authorisation.client_secret")}
        {...(kept ? { description: t("authorisation.secret_kept") } : {})}
        autoComplete="new-password"
        value={entry.secret}
        error={wrong("client_secret")}
        onChange={(event) => set({ secret: event.currentTarget.value })}
        visibilityToggleButtonProps={{ "aria-label": t("field.show_password") }}
      />
    </>
  );
}

/** How the account stands with its provider, and the way there. */
export function AuthorisationLine({ account, authorisation }: { account: ChannelAccount; authorisation: Authorisation }) {
  const words = useWords();
  const { t } = words;
  const { state } = authorisation;
  const time = authorisation.since ? words.shortTime(authorisation.since, new Date()) : "–";
  const go = useMutation({
    mutationFn: () => api.channelAccounts.authorise(account.id),
    onSuccess: (begun) => location.assign(begun.authorization_url),
  });
  const forget = useMutation({
    mutationFn: () => api.channelAccounts.forget(account.id),
    onSuccess: async () => {
      toast(t("authorisation.forgotten"));
      await queryClient.invalidateQueries({ queryKey: keys.accounts });
    },
  });
  return (
    <>
      <div className={css.reading}>
        {state === "granted" && <State tone="good">{t("authorisation.granted", { time })}</State>}
        {state === "ended" && <State tone="bad">{t("authorisation.ended", { time })}</State>}
        {state === "missing" && <State tone="soon">{t("authorisation.missing")}</State>}
        {state === "ended" && <span className={css.sub}>{t("authorisation.ended_text")}</span>}
      </div>
      <div className={css.row}>
        <Button variant={state === "granted" ? "default" : "filled"} loading={go.isPending || go.isSuccess} onClick={() => go.mutate()}>
          {t(state === "missing" ? "authorisation.go" : "authorisation.go_again")}
        </Button>
        {state === "granted" && <Confirm label={t("authorisation.forget")} sure={t("authorisation.forget_sure")} loading={forget.isPending} onConfirm={() => forget.mutate()} />}
      </div>
      {go.isError && <FailureLine error={go.error} />}
      {forget.isError && <FailureLine error={forget.error} />}
    </>
  );
}
