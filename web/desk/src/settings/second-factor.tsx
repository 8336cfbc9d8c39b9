// SPDX-License-Identifier: EUPL-1.2

import { ApiError, type PasswordAndCode } from "@belofte/api-client";
import { Button, PasswordInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { api } from "../app/api";
import { keys, queryClient } from "../app/queries";
import { Failure, FailureLine, Skeleton } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { CodeField } from "../second-factor/code-field";
import { RecoveryCodes } from "../second-factor/codes";
import { Secret } from "../second-factor/secret";
import { Block, Page, State } from "./page";
import css from "./page.module.css";

const fresh = () => queryClient.invalidateQueries({ queryKey: keys.secondFactor });

export function SecondFactor() {
  const words = useWords();
  const { t } = words;
  const own = useQuery({ queryKey: keys.secondFactor, queryFn: () => api.secondFactor.get() });
  // Told once: they stay here until their owner says that they have them.
  const [codes, setCodes] = useState<string[] | null>(null);
  return (
    <Page title={t("settings.second_factor")} lead={t("second_factor.lead")}>
      {own.isPending && <Skeleton rows={3} />}
      {own.isError && <Failure error={own.error} retry={() => void own.refetch()} />}
      {codes ? (
        <section className={css.block}>
          <RecoveryCodes level="h3" row={css.row ?? ""} codes={codes} onKept={() => setCodes(null)} />
        </section>
      ) : (
        own.data &&
        (own.data.since ? (
          <>
            <div className={css.row}>
              <State tone="good">{t("second_factor.on")}</State>
              <span className={css.notice}>{t("second_factor.since", { when: words.day(own.data.since) })}</span>
            </div>
            <p className={css.notice}>{t("second_factor.codes_left", { count: own.data.recovery_codes })}</p>
            <Renew onCodes={setCodes} />
            <Remove asked={own.data.asked} />
          </>
        ) : (
          <SetUp onCodes={setCodes} />
        ))
      )}
    </Page>
  );
}

interface CodeFormProps {
  label: string;
  digits: boolean;
  action: string;
  pending: boolean;
  error: unknown;
  onSubmit: (body: PasswordAndCode) => void;
}

/** The current password and a code. */
function CodeForm({ label, digits, action, pending, error, onSubmit }: CodeFormProps) {
  const { t } = useWords();
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit({ password, code });
  };
  return (
    <form className={css.form} onSubmit={submit}>
      <CodeField label={label} value={code} onChange={setCode} digits={digits} />
      <PasswordInput
        label={t("profile.current_password")}
        autoComplete="current-password"
        required
        withAsterisk={false}
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
        visibilityToggleButtonProps={{ "aria-label": t("field.show_password") }}
      />
      {error ? <FailureLine error={error} /> : null}
      <div className={css.row}>
        <Button type="submit" variant="default" loading={pending} disabled={password === "" || code === ""}>
          {action}
        </Button>
      </div>
    </form>
  );
}

function SetUp({ onCodes }: { onCodes: (codes: string[]) => void }) {
  const { t } = useWords();
  const begin = useMutation({ mutationFn: () => api.secondFactor.begin() });
  const confirm = useMutation({
    mutationFn: (body: PasswordAndCode) => api.secondFactor.confirm(body),
    onSuccess: ({ recovery_codes }) => {
      onCodes(recovery_codes);
      return fresh();
    },
  });
  // A secret in the place of one that ran out begins at the top again, for the keyboard and for who listens.
  const again = useRef<HTMLDivElement>(null);
  const [times, setTimes] = useState(0);
  useEffect(() => {
    if (times > 0 && begin.data) again.current?.focus();
  }, [times, begin.data]);
  if (!begin.data) {
    return (
      <>
        <div className={css.row}>
          <State tone="plain">{t("second_factor.off")}</State>
          <Button loading={begin.isPending} onClick={() => begin.mutate()}>
            {t("second_factor.begin")}
          </Button>
        </div>
        {begin.isError && <FailureLine error={begin.error} />}
      </>
    );
  }
  return (
    <Block title={t("second_factor.set_up")}>
      <div ref={again} tabIndex={-1}>
        <Secret secret={begin.data} />
      </div>
      <CodeForm
        label={t("second_factor.then_code")}
        digits
        action={t("second_factor.confirm")}
        pending={confirm.isPending}
        error={confirm.error}
        onSubmit={(body) => confirm.mutate(body)}
      />
      {confirm.error instanceof ApiError && confirm.error.code === "step_over" && (
        <div className={css.row}>
          <Button
            onClick={() => {
              confirm.reset();
              setTimes(times + 1);
              begin.mutate();
            }}
          >
            {t("second_factor.begin_again")}
          </Button>
        </div>
      )}
    </Block>
  );
}

function Renew({ onCodes }: { onCodes: (codes: string[]) => void }) {
  const { t } = useWords();
  const renew = useMutation({
    mutationFn: (body: PasswordAndCode) => api.secondFactor.renew(body),
    onSuccess: ({ recovery_codes }) => {
      onCodes(recovery_codes);
      return fresh();
    },
  });
  return (
    <Block title={t("second_factor.renew_title")} text={t("second_factor.renew_text")}>
      <CodeForm
        label={t("second_factor.either_code")}
        digits={false}
        action={t("second_factor.renew")}
        pending={renew.isPending}
        error={renew.error}
        onSubmit={(body) => renew.mutate(body)}
      />
    </Block>
  );
}

function Remove({ asked }: { asked: boolean }) {
  const { t } = useWords();
  const remove = useMutation({
    mutationFn: (body: PasswordAndCode) => api.secondFactor.remove(body),
    onSuccess: () => {
      toast(t("did.second_factor_off"));
      return fresh();
    },
  });
  return (
    <Block title={t("second_factor.remove_title")} text={asked ? t("second_factor.asked") : t("second_factor.remove_text")}>
      <CodeForm
        label={t("second_factor.either_code")}
        digits={false}
        action={t("second_factor.remove")}
        pending={remove.isPending}
        error={remove.error}
        onSubmit={(body) => remove.mutate(body)}
      />
    </Block>
  );
}
