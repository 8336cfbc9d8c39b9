// SPDX-License-Identifier: EUPL-1.2
//! What follows a right password: a code, or that a second factor is set up.

import { ApiError, type Session, type SignInStep } from "@belofte/api-client";
import { Button } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { api } from "../app/api";
import { Failure, FailureLine, Skeleton, useWait } from "../app/states";
import { useWords } from "../i18n";
import css from "../session/gate.module.css";
import { CodeField } from "./code-field";
import { RecoveryCodes } from "./codes";
import { Secret } from "./secret";

interface Props {
  step: SignInStep;
  onSession: (session: Session) => void;
  /** To the password again. */
  onBack: () => void;
}

export default function SecondStep(props: Props) {
  return props.step.next === "code" ? <ShowCode {...props} /> : <SetUp {...props} />;
}

const isOver = (error: unknown) => error instanceof ApiError && error.code === "step_over";

function ShowCode({ step, onSession, onBack }: Props) {
  const { t } = useWords();
  const [recovery, setRecovery] = useState(false);
  const [code, setCode] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const show = useMutation({
    mutationFn: () => api.session.code(step.step, code),
    onSuccess: onSession,
    onError: () => field.current?.select(),
  });
  const left = useWait(show.error);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the other kind of code is another field
  useEffect(() => field.current?.focus(), [recovery]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    show.mutate();
  };
  return (
    <>
      <h1>{recovery ? t("sign_in.recovery_title") : t("sign_in.code_title")}</h1>
      <p className={css.lead}>{recovery ? t("sign_in.recovery_lead") : t("sign_in.code_lead")}</p>
      <form onSubmit={submit}>
        <CodeField
          field={field}
          label={recovery ? t("second_factor.recovery_code") : t("second_factor.app_code")}
          value={code}
          onChange={setCode}
          digits={!recovery}
        />
        {show.error && <FailureLine error={show.error} />}
        {isOver(show.error) ? (
          <Button h={40} onClick={onBack}>
            {t("sign_in.again")}
          </Button>
        ) : (
          <Button type="submit" h={40} loading={show.isPending} disabled={left > 0}>
            {left > 0 ? t("sign_in.wait", { seconds: left }) : t("sign_in.action")}
          </Button>
        )}
      </form>
      <div className={css.stack}>
        <Button
          variant="default"
          onClick={() => {
            setRecovery(!recovery);
            setCode("");
            show.reset();
          }}
        >
          {recovery ? t("sign_in.use_code") : t("sign_in.use_recovery")}
        </Button>
        <Button variant="subtle" onClick={onBack}>
          {t("action.back")}
        </Button>
      </div>
    </>
  );
}

function SetUp({ step, onSession, onBack }: Props) {
  const { t } = useWords();
  const [code, setCode] = useState("");
  const heading = useRef<HTMLHeadingElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const secret = useQuery({
    queryKey: ["sign-in-secret", step.step],
    queryFn: () => api.session.beginSecondFactor(step.step),
    retry: false,
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const confirm = useMutation({
    mutationFn: () => api.session.confirmSecondFactor(step.step, code),
    onError: () => field.current?.select(),
  });
  useEffect(() => heading.current?.focus(), []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    confirm.mutate();
  };
  const failed = secret.error ?? confirm.error;
  const back = (
    <div className={css.stack}>
      <Button variant="default" onClick={onBack}>
        {isOver(failed) ? t("sign_in.again") : t("action.back")}
      </Button>
    </div>
  );
  if (confirm.data) {
    const { session, recovery_codes } = confirm.data;
    return (
      <div className={css.stack}>
        <RecoveryCodes level="h1" row={css.stack ?? ""} codes={recovery_codes} onKept={() => onSession(session)} />
      </div>
    );
  }
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>
        {t("second_factor.set_up")}
      </h1>
      <p className={css.lead}>{t("second_factor.set_up_asked")}</p>
      {secret.isPending && <Skeleton rows={2} />}
      {secret.isError && <Failure error={secret.error} />}
      {secret.data && (
        <form onSubmit={submit}>
          <Secret secret={secret.data} />
          <CodeField field={field} label={t("second_factor.then_code")} value={code} onChange={setCode} digits />
          {confirm.error && <FailureLine error={confirm.error} />}
          <Button type="submit" h={40} loading={confirm.isPending}>
            {t("second_factor.confirm")}
          </Button>
        </form>
      )}
      {back}
    </>
  );
}
