// SPDX-License-Identifier: EUPL-1.2
//! The token stands behind the # of the link: it reaches no server log.

import { ApiError, type Language, type Session, type SignInStep } from "@belofte/api-client";
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, lazy, Suspense, useState } from "react";
import { api } from "../app/api";
import { begin } from "../app/session";
import { Failure, FailureLine, Skeleton } from "../app/states";
import { useWords } from "../i18n";
import { Gate } from "./gate";
import css from "./gate.module.css";

const SecondStep = lazy(() => import("../second-factor/step"));

/** Shortest password that the desk accepts; the server decides in the end. */
export const LEAST_PASSWORD = 12;

export function Invitation() {
  const words = useWords();
  const { t, language } = words;
  const navigate = useNavigate();
  const [token] = useState(() => location.hash.slice(1));
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [step, setStep] = useState<SignInStep | null>(null);

  const look = useQuery({
    queryKey: ["invitation", language],
    queryFn: () => api.invitations.look(token),
    enabled: token !== "",
    retry: false,
    gcTime: 0,
  });
  const enter = (session: Session) => {
    begin(session);
    void navigate({ to: "/", replace: true });
  };
  const accept = useMutation({
    mutationFn: () => api.invitations.accept({ token, name: name.trim(), email: email.trim(), password, language: language as Language }),
    onSuccess: (answer) => {
      // The used token leaves the history too.
      history.replaceState(null, "", location.pathname);
      if ("next" in answer) setStep(answer);
      else enter(answer);
    },
  });
  const wrong = (field: string) => {
    const found = accept.error instanceof ApiError ? accept.error.fields.find((one) => one.field === field) : undefined;
    return found ? words.tOr(`field_error.${found.code}`, "field_error.invalid") : undefined;
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    accept.mutate();
  };

  if (step) {
    return (
      <Gate>
        <Suspense fallback={null}>
          <SecondStep step={step} onSession={enter} onBack={() => void navigate({ to: "/sign-in", search: {} })} />
        </Suspense>
      </Gate>
    );
  }
  if (token === "") {
    return (
      <Gate>
        <h1>{t("invitation.incomplete")}</h1>
        <p className={css.lead}>{t("invitation.incomplete_text")}</p>
        <div className={css.stack}>
          <Button component={Link} to="/sign-in" variant="default">
            {t("invitation.to_sign_in")}
          </Button>
        </div>
      </Gate>
    );
  }
  if (look.isPending) {
    return (
      <Gate>
        <Skeleton rows={2} />
      </Gate>
    );
  }
  if (look.isError) {
    return (
      <Gate>
        <Failure error={look.error} {...(look.error instanceof ApiError ? {} : { retry: () => void look.refetch() })} />
        <div className={css.stack}>
          <Button component={Link} to="/sign-in" variant="default">
            {t("invitation.to_sign_in")}
          </Button>
        </div>
      </Gate>
    );
  }
  return (
    <Gate>
      <h1>{t("invitation.title", { tenant: look.data.tenant_name })}</h1>
      <p className={css.lead}>
        {t("invitation.lead", { role: look.data.role, until: words.fullTime(look.data.expires_at) })}
      </p>
      <form onSubmit={submit}>
        <TextInput label={t("field.your_name")} autoComplete="name" required withAsterisk={false} value={name} error={wrong("name")} onChange={(event) => setName(event.currentTarget.value)} autoFocus />
        <TextInput label={t("field.email")} type="email" autoComplete="username" required withAsterisk={false} value={email} error={wrong("email")} onChange={(event) => setEmail(event.currentTarget.value)} />
        <PasswordInput
          label={t("field.new_password")}
          description={t("field.password_hint", { count: LEAST_PASSWORD })}
          autoComplete="new-password"
          required
          withAsterisk={false}
          minLength={LEAST_PASSWORD}
          value={password}
          error={wrong("password")}
          onChange={(event) => setPassword(event.currentTarget.value)}
          visibilityToggleButtonProps={{ "aria-label": t("field.show_password") }}
        />
        {accept.isError && <FailureLine error={accept.error} />}
        <Button type="submit" h={40} loading={accept.isPending}>
          {t("invitation.accept")}
        </Button>
      </form>
    </Gate>
  );
}
