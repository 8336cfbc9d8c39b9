// SPDX-License-Identifier: EUPL-1.2

import { Button } from "@mantine/core";
import { useBlocker } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { copy } from "../app/copy";
import { callOff } from "../app/hold";
import { useWords } from "../i18n";
import { CheckIcon, CopyIcon } from "../ui/icons";
import css from "./second-factor.module.css";

/** Recovery codes, which the server tells once. */
export function RecoveryCodes({ codes, onKept, row, level }: { codes: string[]; onKept: () => void; row: string; level: "h1" | "h3" }) {
  const words = useWords();
  const { t } = words;
  const [copied, setCopied] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  // They are told this once: whoever leaves or closes the page over them is asked first, and once.
  const kept = useRef(false);
  useBlocker({
    shouldBlockFn: () => {
      if (!kept.current) kept.current = confirm(t("second_factor.codes_leave"));
      // Whoever stays types for this page again.
      if (!kept.current) callOff();
      return !kept.current;
    },
    enableBeforeUnload: () => !kept.current,
  });
  const Heading = level;
  return (
    <>
      <Heading ref={heading} tabIndex={-1}>
        {t("second_factor.codes_title")}
      </Heading>
      <p className={css.label}>{t("second_factor.codes_text")}</p>
      <ul className={css.codes}>
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <div className={row}>
        <Button
          onClick={() => {
            kept.current = true;
            onKept();
          }}
        >
          {t("second_factor.codes_kept")}
        </Button>
        <Button
          variant="default"
          leftSection={copied ? <CheckIcon size={16} /> : <CopyIcon size={16} />}
          onClick={() => void copy(codes.join("\n"), words).then(setCopied)}
        >
          {copied ? t("did.copied") : t("second_factor.codes_copy")}
        </Button>
      </div>
    </>
  );
}
