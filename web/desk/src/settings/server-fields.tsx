// SPDX-License-Identifier: EUPL-1.2

import type { LineSecurity, SignInWith } from "@belofte/api-client";
import { NativeSelect, PasswordInput, TextInput } from "@mantine/core";
import { useWords } from "../i18n";
import css from "./page.module.css";

/** A mail server as an admin enters it. */
export interface ServerEntry {
  host: string;
  port: string;
  security: LineSecurity;
  username: string;
  signInWith: SignInWith;
  password: string;
}

interface Known {
  host: string;
  port: number;
  security: LineSecurity;
  username?: string | null;
  sign_in: SignInWith;
}

export type UsualPorts = Record<LineSecurity, string>;

export function entryOf(known: Known | undefined, usual: UsualPorts): ServerEntry {
  return {
    host: known?.host ?? "",
    port: String(known?.port ?? usual.tls),
    security: known?.security ?? "tls",
    username: known?.username ?? "",
    signInWith: known?.sign_in ?? "password",
    password: "",
  };
}

/** What goes over the wire; an empty password keeps the one that the server has. */
export function serverOf(entry: ServerEntry) {
  return {
    host: entry.host.trim(),
    port: Number(entry.port),
    security: entry.security,
    sign_in: entry.signInWith,
    ...(entry.password && entry.signInWith === "password" ? { password: entry.password } : {}),
  };
}

interface Props {
  /** Goes before the names of the inputs. */
  prefix?: string;
  entry: ServerEntry;
  set: (part: Partial<ServerEntry>) => void;
  usual: UsualPorts;
  /** Whether the server keeps a password already. */
  kept: boolean;
  /** Whether signing in is a must. */
  signsIn?: boolean;
  wrong: (field: string) => string | undefined;
}

export function ServerFields({ prefix = "", entry, set, usual, kept, signsIn = false, wrong }: Props) {
  const { t } = useWords();
  return (
    <>
      <NativeSelect
        label={t("channel.security")}
        value={entry.security}
        onChange={(event) => {
          const security = event.currentTarget.value as LineSecurity;
          const isUsual = Object.values(usual).includes(entry.port);
          set({ security, ...(isUsual ? { port: usual[security] } : {}) });
        }}
        data={[
          { value: "tls", label: t("channel.security_tls") },
          { value: "starttls", label: t("channel.security_starttls") },
          { value: "none", label: t("channel.security_none") },
        ]}
      />
      <div className={css.pair}>
        <TextInput name={`${prefix}host`} label={t("channel.host")} required withAsterisk={false} spellCheck={false} value={entry.host} error={wrong("host")} onChange={(event) => set({ host: event.currentTarget.value })} />
        <TextInput name={`${prefix}port`} label={t("channel.port")} inputMode="numeric" pattern="[0-9]{1,5}" required withAsterisk={false} value={entry.port} error={wrong("port")} onChange={(event) => set({ port: event.currentTarget.value })} />
      </div>
      <TextInput name={`${prefix}username`} label={t("channel.username")} autoComplete="off" spellCheck={false} required={signsIn || entry.signInWith === "authorisation"} withAsterisk={false} value={entry.username} error={wrong("username")} onChange={(event) => set({ username: event.currentTarget.value })} />
      <NativeSelect
        name={`${prefix}sign_in`}
        label={t("authorisation.sign_in")}
        value={entry.signInWith}
        error={wrong("sign_in")}
        onChange={(event) => set({ signInWith: event.currentTarget.value as SignInWith })}
        data={[
          { value: "password", label: t("authorisation.sign_in_password") },
          { value: "authorisation", label: t("authorisation.sign_in_authorisation") },
        ]}
      />
      {entry.signInWith === "password" && <PasswordInput
        name={`${prefix}password`}
        label={t("field.password")}
        {...(kept ? { description: t("channel.password_kept") } : {})}
        autoComplete="new-password"
        value={entry.password}
        error={wrong("password")}
        onChange={(event) => set({ password: event.currentTarget.value })}
        visibilityToggleButtonProps={{ "aria-label": t("field.show_password") }}
      />}
    </>
  );
}
