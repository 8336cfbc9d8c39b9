// SPDX-License-Identifier: EUPL-1.2

import { ApiError, type Organisation } from "@belofte/api-client";
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { api } from "../app/api";
import { begin } from "../app/session";
import { FailureLine } from "../app/states";
import { useTitle } from "../app/title";
import { useWords } from "../i18n";
import { Monogram } from "../ui/monogram";
import { Gate } from "./gate";
import css from "./gate.module.css";

export function SignIn() {
  const { t } = useWords();
  const navigate = useNavigate();
  const { next } = useSearch({ strict: false });
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [organisations, setOrganisations] = useState<Organisation[] | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const first = useRef<HTMLInputElement>(null);
  useTitle(t("sign_in.title"));

  const signIn = useMutation({
    mutationFn: (organisation?: string) =>
      api.session.create({ email: email.trim(), password, ...(organisation ? { organisation_id: organisation } : {}) }),
    onSuccess: (session) => {
      begin(session);
      void navigate({ to: next ?? "/", replace: true });
    },
    onError: (error) => {
      if (error instanceof ApiError && error.code === "choose_organisation") setOrganisations(error.organisations);
    },
  });
  const choosing = organisations !== null;
  useEffect(() => {
    if (choosing) heading.current?.focus();
    else first.current?.focus();
  }, [choosing]);

  const failure =
    signIn.error instanceof ApiError && signIn.error.code === "choose_organisation" ? null : signIn.error;
  // Counts down while the account is locked; the button works again by itself.
  const wait = signIn.error instanceof ApiError ? signIn.error.problem.retry_after_s : undefined;

  const [left, setLeft] = useState(0);
  useEffect(() => {
    if (wait == null) return setLeft(0);
    const end = Date.now() + wait * 1000;
    const count = () => setLeft(Math.max(0, Math.ceil((end - Date.now()) / 1000)));
    count();
    const timer = setInterval(count, 1000);
    return () => clearInterval(timer);
  }, [wait]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate(undefined);
  };

  if (organisations) {
    return (
      <Gate>
        <h1 ref={heading} tabIndex={-1}>
          {t("sign_in.choose")}
        </h1>
        <p className={css.lead}>{t("sign_in.choose_text")}</p>
        {failure && <FailureLine error={failure} />}
        <ul className={css.organisations}>
          {organisations.map((one) => (
            <li key={one.id}>
              <button type="button" disabled={signIn.isPending} onClick={() => signIn.mutate(one.id)}>
                <Monogram name={one.name} size={30} />
                {one.name}
              </button>
            </li>
          ))}
        </ul>
        <div className={css.stack}>
          <Button variant="default" onClick={() => setOrganisations(null)}>
            {t("action.back")}
          </Button>
        </div>
      </Gate>
    );
  }
  return (
    <Gate>
      <h1>{t("sign_in.title")}</h1>
      <p className={css.lead}>{t("sign_in.lead")}</p>
      <form onSubmit={submit}>
        <TextInput
          ref={first}
          label={t("field.email")}
          type="email"
          name="email"
          autoComplete="username"
          required
          withAsterisk={false}
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <PasswordInput
          label={t("field.password")}
          name="password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          visibilityToggleButtonProps={{ "aria-label": t("field.show_password") }}
        />
        {failure && <FailureLine error={failure} />}
        <Button type="submit" h={40} loading={signIn.isPending} disabled={left > 0}>
          {left > 0 ? t("sign_in.wait", { seconds: left }) : t("sign_in.action")}
        </Button>
      </form>
    </Gate>
  );
}
