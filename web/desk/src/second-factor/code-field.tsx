// SPDX-License-Identifier: EUPL-1.2

import { TextInput } from "@mantine/core";
import type { Ref } from "react";
import css from "./second-factor.module.css";

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** Whether it takes digits alone, which phones then offer keys for. */
  digits: boolean;
  field?: Ref<HTMLInputElement>;
}

/** What is typed of a code; the server takes spaces and hyphens between. */
export function CodeField({ label, value, onChange, digits, field }: Props) {
  return (
    <TextInput
      {...(field ? { ref: field } : {})}
      className={css.code ?? ""}
      label={label}
      name="code"
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      inputMode={digits ? "numeric" : "text"}
      autoComplete={digits ? "one-time-code" : "off"}
      autoCapitalize="none"
      spellCheck={false}
      maxLength={64}
      required
      withAsterisk={false}
    />
  );
}
