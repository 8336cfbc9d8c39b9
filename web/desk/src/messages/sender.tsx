// SPDX-License-Identifier: EUPL-1.2

import type { Authentication, Message } from "@belofte/api-client";
import { Popover } from "@mantine/core";
import { type KeyboardEvent, useRef, useState } from "react";
import { useWords } from "../i18n";
import { SealedIcon, ShieldIcon, WarnIcon } from "../ui/icons";
import css from "./sender.module.css";
import { domainOf, findings } from "./sender-findings";

/** One quiet sign beside the author; how it was found out, on demand. */
export function SenderSign({ checked }: { checked: Authentication }) {
  const words = useWords();
  const { t, tOr } = words;
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const shut = () => {
    setOpen(false);
    button.current?.focus();
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    // The innermost thing closes, and nothing else.
    event.stopPropagation();
    shut();
  };
  const Mark = checked.verdict === "verified" ? SealedIcon : checked.verdict === "disowned" ? WarnIcon : ShieldIcon;
  return (
    <Popover
      opened={open}
      onChange={setOpen}
      width={320}
      position="bottom-start"
      shadow="md"
      closeOnEscape={false}
      transitionProps={{ duration: 120 }}
    >
      <Popover.Target>
        <button
          ref={button}
          type="button"
          className={css.sign}
          data-verdict={checked.verdict}
          aria-label={tOr(`sender.verdict_named.${checked.verdict}`, "sender.verdict_named.other", {
            domain: domainOf(checked.domain, words),
          })}
          aria-expanded={open}
          onClick={() => (open ? shut() : setOpen(true))}
          onKeyDown={open ? onKey : undefined}
        >
          <Mark size={14} />
          <span>{tOr(`sender.verdict.${checked.verdict}`, "sender.verdict.other")}</span>
        </button>
      </Popover.Target>
      <Popover.Dropdown p={12} aria-label={t("sender.title")} onKeyDown={onKey}>
        <Details checked={checked} />
      </Popover.Dropdown>
    </Popover>
  );
}

function Details({ checked }: { checked: Authentication }) {
  const words = useWords();
  return (
    <div className={css.details}>
      <h4>{words.t("sender.title")}</h4>
      <dl>
        {findings(checked, words).map(([label, lines]) => (
          <div key={label}>
            <dt>{label}</dt>
            {lines.map((line, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: what was found out never changes
              <dd key={index}>{line}</dd>
            ))}
          </div>
        ))}
      </dl>
      <p>{words.t("sender.hint")}</p>
    </div>
  );
}

/** For mails of which the sender's own domain says that they are forged: seen before anything in them is. */
export function SenderWarning({ message }: { message: Message }) {
  const words = useWords();
  const checked = message.authentication;
  if (checked?.verdict !== "disowned") return null;
  return (
    <p className={css.warning} role="note">
      <WarnIcon size={16} />
      <span>{words.t("sender.warning", { domain: domainOf(checked.domain, words) })}</span>
    </p>
  );
}
