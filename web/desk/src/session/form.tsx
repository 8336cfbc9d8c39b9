// SPDX-License-Identifier: EUPL-1.2
//! Address, password and, for who belongs to more than one, the organisation.

import { ApiError, type Organisation, type Session, type SignInStep } from "@belofte/api-client";
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, lazy, type ReactNode, Suspense, useEffect, useRef, useState } from "react";
import { api } from "../app/api";
import { FailureLine, useWait } from "../app/states";
import { useWords } from "../i18n";
import { Monogram } from "../ui/monogram";
import css from "./gate.module.css";

const SecondStep = lazy(() => import("../second-factor/step"));

interface Props {
  title: string;
  lead: string;
  /** The address of who was signed in here; it can be changed. */
  known?: string;
  onSession: (session: Session) => void;
  /** Below the button. */
  children?: ReactNode;
}

export function SignInForm({ title, lead, known = "", onSession, children }: Props) {
  const { t } = useWords();
  const [email, setEmail] = useState(known);
  const [password, setPassword] = useState("");
  const [organisations, setOrganisations] = useState<Organisation[] | null>(null);
  const [step, setStep] = useState<SignInStep | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const first = useRef<HTMLInputElement>(null);
  const second = useRef<HTMLInputElement>(null);

  const signIn = useMutation({
    mutationFn: (organisation?: string) =>
      api.session.create({ email: email.trim(), password, ...(organisation ? { organisation_id: organisation } : {}) }),
    onSuccess: (answer) => {
      if (!("next" in answer)) return onSession(answer);
      // The password is right and not needed any more.
      setPassword("");
      setOrganisations(null);
      setStep(answer);
    },
    onError: (error) => {
      if (error instanceof ApiError && error.code === "choose_organisation") setOrganisations(error.organisations);
    },
  });
  const choosing = organisations !== null;
  useEffect(() => {
    if (choosing) heading.current?.focus();
    else (known ? second : first).current?.focus();
  }, [choosing, known]);

  const failure =
    signIn.error instanceof ApiError && signIn.error.code === "choose_organisation" ? null : signIn.error;
  // Counts down while the account is locked; the button works again by itself.
  const left = useWait(signIn.error);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate(undefined);
  };

  if (step) {
    return (
      <Suspense fallback={null}>
        <SecondStep
          step={step}
          onSession={onSession}
          onBack={() => {
            setStep(null);
            signIn.reset();
          }}
        />
      </Suspense>
    );
  }
  if (organisations) {
    return (
      <>
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
      </>
    );
  }
  return (
    <>
      <h1>{title}</h1>
      <p className={css.lead}>{lead}</p>
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
          ref={second}
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
      {children}
    </>
  );
}
