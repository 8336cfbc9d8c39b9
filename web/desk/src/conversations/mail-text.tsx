// SPDX-License-Identifier: EUPL-1.2
//! Where a mail is written: plain text at once, formatted text when it is asked for.

import { Tooltip } from "@mantine/core";
import { lazy, type Ref, Suspense } from "react";
import { useWords } from "../i18n";
import { FormatIcon } from "../ui/icons";
import css from "./composer.module.css";
import type { Draft } from "./draft";
import { htmlOf } from "./outgoing";
import type { RichField } from "./rich";
import type { Uploads } from "./uploads";

const Rich = lazy(() => import("./rich"));

interface FormattedProps {
  html: string;
  label: string;
  change: (part: Partial<Draft>) => void;
  uploads: Uploads;
  field: Ref<RichField>;
}

/** The editor of formatted text, and until it is there what stands in it. */
export function Formatted({ html, label, change, uploads, field }: FormattedProps) {
  return (
    <Suspense fallback={<div className={css.field} aria-busy="true" />}>
      <Rich
        html={html}
        label={label}
        change={(next, text) => change({ html: next, text })}
        take={uploads.start}
        field={field}
      />
    </Suspense>
  );
}

interface ButtonProps {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
}

/** Turns formatting on and off; off, the words stay. */
export function FormatButton({ draft, change }: ButtonProps) {
  const { t } = useWords();
  const on = draft.html !== null;
  return (
    <Tooltip label={on ? t("rich.off") : t("rich.on")}>
      <button
        type="button"
        className={css.icon}
        aria-label={t("rich.on")}
        aria-pressed={on}
        onClick={() => change({ html: on ? null : htmlOf(draft.text) })}
      >
        <FormatIcon />
      </button>
    </Tooltip>
  );
}
