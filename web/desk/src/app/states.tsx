// SPDX-License-Identifier: EUPL-1.2
//! How every view looks when there is nothing, not yet, no more, or no right.

import { ApiError, NoAnswer } from "@belofte/api-client";
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect, useState } from "react";
import { useWords, type Words } from "../i18n";
import { type Icon, LockIcon, WarnIcon } from "../ui/icons";
import css from "./states.module.css";

export function explain(error: unknown, words: Words): { title: string; detail: string; code: string | null } {
  const { t } = words;
  if (error instanceof ApiError) {
    const { title, detail, code } = error.problem;
    return {
      title: title || words.tOr(`problem.${code}.title`, "problem.internal.title"),
      detail: detail ?? words.tOr(`problem.${code}.detail`, "problem.internal.detail"),
      code,
    };
  }
  if (error instanceof NoAnswer) {
    return { title: t("problem.no_answer.title"), detail: t("problem.no_answer.detail"), code: null };
  }
  return { title: t("problem.desk.title"), detail: t("problem.desk.detail"), code: null };
}

/** One sentence for a toast or a narrow place. */
export function explainShort(error: unknown, words: Words): string {
  const { title, detail } = explain(error, words);
  return detail || title;
}

/** True once `active` has lasted 150 ms: what is quicker needs no skeleton. */
export function useSlow(active: boolean): boolean {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    if (!active) {
      setSlow(false);
      return;
    }
    const timer = setTimeout(() => setSlow(true), 150);
    return () => clearTimeout(timer);
  }, [active]);
  return active && slow;
}

/** Seconds until a refusal that names a wait has passed; counts down to 0. */
export function useWait(error: unknown): number {
  const wait = error instanceof ApiError ? (error.problem.retry_after_s ?? 0) : 0;
  const [left, setLeft] = useState(0);
  useEffect(() => {
    if (!error || wait === 0) return setLeft(0);
    const end = Date.now() + wait * 1000;
    const count = () => setLeft(Math.max(0, Math.ceil((end - Date.now()) / 1000)));
    count();
    const timer = setInterval(count, 1000);
    return () => clearInterval(timer);
  }, [error, wait]);
  return left;
}

/** Tries again, once the server takes it. */
function Again({ error, retry, small }: { error: unknown; retry: () => void; small?: boolean }) {
  const { t } = useWords();
  const left = useWait(error);
  return (
    <Button {...(small ? { size: "compact-sm", h: 28 } : {})} variant="default" disabled={left > 0} onClick={retry}>
      {left > 0 ? t("action.try_again_in", { seconds: left }) : t("action.try_again")}
    </Button>
  );
}

const SLOW_MS = 6_000;

export function Skeleton({ rows, height = 64 }: { rows: number; height?: number }) {
  const { t } = useWords();
  const slow = useSlow(true);
  const [long, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), SLOW_MS);
    return () => clearTimeout(timer);
  }, []);
  if (!slow) return <div aria-busy="true" />;
  return (
    <div aria-busy="true" className={css.skeletons}>
      <p className={long ? css.long : "sr-only"} role="status">
        {long ? t("state.slow") : t("state.loading")}
      </p>
      {Array.from({ length: rows }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all the same and never move
        <div key={i} className={css.skeleton} style={{ height }}>
          <i style={{ width: `${38 + ((i * 17) % 30)}%` }} />
          <i style={{ width: `${62 + ((i * 23) % 30)}%` }} />
        </div>
      ))}
    </div>
  );
}

export function Blank(props: { icon: Icon; title: string; text?: string; children?: ReactNode }) {
  return (
    <div className={css.blank}>
      <span className={css.round}>
        <props.icon size={22} />
      </span>
      <h2>{props.title}</h2>
      {props.text && <p>{props.text}</p>}
      {props.children}
    </div>
  );
}

export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const words = useWords();
  const { title, detail } = explain(error, words);
  const forbidden = error instanceof ApiError && error.status === 403;
  return (
    <div role="alert">
      <Blank icon={forbidden ? LockIcon : WarnIcon} title={title} text={detail}>
        {retry && !forbidden && <Again error={error} retry={retry} />}
        <Code error={error} />
      </Blank>
    </div>
  );
}

/** A failure beside the thing that failed. */
export function FailureLine({ error, retry }: { error: unknown; retry?: () => void }) {
  const words = useWords();
  const { title, detail } = explain(error, words);
  return (
    <div role="alert" className={css.line}>
      <WarnIcon size={16} />
      <div>
        <strong>{title}</strong> {detail}
        <Code error={error} />
      </div>
      {retry && <Again error={error} retry={retry} small />}
    </div>
  );
}

function Code({ error }: { error: unknown }) {
  const { t } = useWords();
  // A refusal explains itself; what the server broke on needs a code to look it up by.
  if (!(error instanceof ApiError) || error.status < 500 || !error.problem.request) return null;
  return (
    <p className={css.code}>{t("problem.reference", { code: error.code, request: error.problem.request })}</p>
  );
}

export function NoPermission({ text }: { text: string }) {
  const { t } = useWords();
  return (
    <Blank icon={LockIcon} title={t("state.no_permission")} text={text}>
      <Button component={Link} to="/" variant="default">
        {t("action.to_inbox")}
      </Button>
    </Blank>
  );
}
