// SPDX-License-Identifier: EUPL-1.2
//! The parts that settings pages are made of.

import { Button } from "@mantine/core";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { copy } from "../app/copy";
import { useSession } from "../app/session";
import { NoPermission } from "../app/states";
import { useTitle } from "../app/title";
import { useWords } from "../i18n";
import { CheckIcon, CopyIcon } from "../ui/icons";
import css from "./page.module.css";
import type { Section } from "./sections";

interface PageProps {
  title: string;
  lead?: string;
  may?: Section["may"];
  action?: ReactNode;
  children: ReactNode;
}

export function Page({ title, lead, may, action, children }: PageProps) {
  const { t } = useWords();
  const session = useSession();
  useTitle(title);
  if (may && !may(session)) return <NoPermission text={t("settings.no_permission")} />;
  return (
    <div className={css.page}>
      <header className={css.head}>
        <div>
          <h2>{title}</h2>
          {lead && <p>{lead}</p>}
        </div>
        {action}
      </header>
      {children}
    </div>
  );
}

export function Block({ title, text, children }: { title: string; text?: string; children?: ReactNode }) {
  return (
    <section className={css.block}>
      <h3>{title}</h3>
      {text && <p className={css.text}>{text}</p>}
      {children}
    </section>
  );
}

export function Table({ head, name, children }: { head: string[]; name: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className={css.scroll} tabIndex={0} aria-label={name}>
      <table className={css.table}>
        <thead>
          <tr>
            {head.map((one, index) => (
              <th key={one || String(index)} scope="col">
                {one || <span className="sr-only">{name}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

/** Shows a secret that the server gives only once. */
export function Once({ label, text, value, onDone }: { label: string; text: string; value: string; onDone: () => void }) {
  const words = useWords();
  const { t } = words;
  const [copied, setCopied] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.focus(), []);
  return (
    <div ref={box} className={css.once} role="status" tabIndex={-1}>
      <strong>{label}</strong>
      <p>{text}</p>
      <code>{value}</code>
      <div className={css.row}>
        <Button
          leftSection={copied ? <CheckIcon size={16} /> : <CopyIcon size={16} />}
          onClick={() => void copy(value, words).then(setCopied)}
        >
          {copied ? t("did.copied") : t("action.copy")}
        </Button>
        <Button variant="default" onClick={onDone}>
          {t("action.done")}
        </Button>
      </div>
    </div>
  );
}

/** A button that asks once more by changing its own words; for what cannot be undone. */
export function Confirm({ label, sure, loading, onConfirm }: { label: string; sure: string; loading?: boolean; onConfirm: () => void }) {
  const [asked, setAsked] = useState(false);
  useEffect(() => {
    if (!asked) return;
    const timer = setTimeout(() => setAsked(false), 6000);
    return () => clearTimeout(timer);
  }, [asked]);
  return (
    <Button
      variant={asked ? "filled" : "default"}
      {...(asked ? { color: "red" } : {})}
      loading={loading ?? false}
      onClick={() => (asked ? onConfirm() : setAsked(true))}
      onBlur={() => setAsked(false)}
    >
      {asked ? sure : label}
    </Button>
  );
}

export function State({ tone, children }: { tone: "good" | "soon" | "bad" | "plain"; children: ReactNode }) {
  return (
    <span className={css.state} data-tone={tone}>
      {children}
    </span>
  );
}
