// SPDX-License-Identifier: EUPL-1.2
//! From which address a mail goes out, and what stands below it.

import type { Sender, Uuid } from "@belofte/api-client";
import { useId } from "react";
import { useWords } from "../i18n";
import { CloseIcon, PencilIcon } from "../ui/icons";
import css from "./composer.module.css";

interface SenderProps {
  senders: readonly Sender[];
  /** The account that it goes out from. */
  account: Uuid | undefined;
  change: (account: Uuid) => void;
}

/** The choice of a sender; nothing where there is none to make. */
export function SenderField({ senders, account, change }: SenderProps) {
  const { t } = useWords();
  const id = useId();
  const usable = senders.filter((one) => one.can_send || one.id === account);
  if (usable.length < 2) return null;
  return (
    <div className={css.from}>
      <label htmlFor={id}>{t("composer.from")}</label>
      <select id={id} value={account ?? ""} onChange={(event) => change(event.currentTarget.value)}>
        {usable.map((one) => (
          <option key={one.id} value={one.id} disabled={!one.can_send}>
            {one.from_name ? `${one.from_name} <${one.address}>` : one.address}
          </option>
        ))}
      </select>
    </div>
  );
}

interface SignatureProps {
  text: string;
  signed: boolean;
  change: (signed: boolean) => void;
}

/** What will stand below the text, as it will stand there. */
export function Signature({ text, signed, change }: SignatureProps) {
  const { t } = useWords();
  if (!text) return null;
  if (!signed) {
    return (
      <button type="button" className={css.sign} onClick={() => change(true)}>
        <PencilIcon size={13} /> {t("composer.sign")}
      </button>
    );
  }
  return (
    <div className={css.signature} role="group" aria-label={t("composer.signature")}>
      <p>{text}</p>
      <button type="button" aria-label={t("composer.unsign")} title={t("composer.unsign")} onClick={() => change(false)}>
        <CloseIcon size={13} />
      </button>
    </div>
  );
}
