// SPDX-License-Identifier: EUPL-1.2
//! The inputs of one field of the tenant's own.

import type { RecordField } from "@belofte/api-client";
import { Checkbox, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useId } from "react";
import { useWords } from "../i18n";
import css from "./fields.module.css";
import { asTree, type Entry, said } from "./value";

interface Props {
  field: Pick<RecordField, "kind" | "options" | "label" | "help" | "required">;
  entry: Entry;
  change: (entry: Entry) => void;
  /** What the server said is wrong. */
  error?: string | undefined;
}

const TYPES: Partial<
  Record<
    RecordField["kind"],
    { type: string; autoComplete?: string; inputMode?: "numeric" | "decimal" }
  >
> = {
  integer: { type: "text", inputMode: "numeric" },
  decimal: { type: "text", inputMode: "decimal" },
  date: { type: "date" },
  date_time: { type: "datetime-local" },
  phone: { type: "tel" },
  email: { type: "email" },
  url: { type: "url" },
};

export function FieldInput({ field, entry, change, error }: Props) {
  const words = useWords();
  const { t } = words;
  const group = useId();
  const label = said(field.label, words.language);
  const about = {
    label,
    ...(said(field.help, words.language) ? { description: said(field.help, words.language) } : {}),
    ...(error ? { error } : {}),
    required: field.required,
  };
  const text = (value: string) => change({ ...entry, text: value });
  const { kind } = field;
  if (kind === "long_text") {
    return (
      <Textarea
        {...about}
        autosize
        minRows={2}
        maxRows={10}
        maxLength={10_000}
        value={entry.text}
        onChange={(event) => text(event.currentTarget.value)}
      />
    );
  }
  if (kind === "boolean") {
    const data = [
      { value: "", label: t("fields.empty") },
      { value: "yes", label: t("fields.yes") },
      { value: "no", label: t("fields.no") },
    ];
    return (
      <NativeSelect
        {...about}
        data={data}
        value={entry.text}
        onChange={(event) => text(event.currentTarget.value)}
      />
    );
  }
  if (kind === "choice" || kind === "tree_choice") {
    // One that was chosen once stays to be seen, also when nobody can choose it any more.
    const rows = asTree(field.options).filter(
      ({ option }) => !option.archived || String(option.no) === entry.text,
    );
    const data = [
      { value: "", label: t("fields.empty") },
      ...rows.map(({ option, depth }) => ({
        value: String(option.no),
        label: `${"\u2003".repeat(depth)}${said(option.label, words.language)}`,
      })),
    ];
    return (
      <NativeSelect
        {...about}
        data={data}
        value={entry.text}
        onChange={(event) => text(event.currentTarget.value)}
      />
    );
  }
  if (kind === "multiple_choice") {
    const { required, ...of } = about;
    return (
      <Checkbox.Group
        {...of}
        withAsterisk={required}
        value={entry.chosen}
        onChange={(chosen) => change({ ...entry, chosen })}
      >
        <div className={css.choices}>
          {field.options
            .filter((option) => !option.archived || entry.chosen.includes(String(option.no)))
            .map((option) => (
              <Checkbox
                key={option.no}
                value={String(option.no)}
                label={said(option.label, words.language)}
              />
            ))}
        </div>
      </Checkbox.Group>
    );
  }
  if (kind === "money") {
    const set = (part: Partial<Entry["money"]>) =>
      change({ ...entry, money: { ...entry.money, ...part } });
    return (
      <div className={css.money}>
        <TextInput
          {...about}
          inputMode="decimal"
          value={entry.money.amount}
          onChange={(event) => set({ amount: event.currentTarget.value })}
          autoComplete="off"
        />
        <TextInput
          label={t("fields.currency")}
          maxLength={3}
          value={entry.money.currency}
          onChange={(event) => set({ currency: event.currentTarget.value.toUpperCase() })}
          autoComplete="off"
        />
      </div>
    );
  }
  if (kind === "postal_address") {
    const set = (part: Partial<Entry["address"]>) =>
      change({ ...entry, address: { ...entry.address, ...part } });
    return (
      <fieldset className={css.address} aria-describedby={error ? group : undefined}>
        <legend>{label}</legend>
        <TextInput
          className={css.wide}
          label={t("fields.street")}
          maxLength={120}
          value={entry.address.street ?? ""}
          onChange={(event) => set({ street: event.currentTarget.value })}
          autoComplete="off"
        />
        <TextInput
          label={t("fields.number")}
          maxLength={120}
          value={entry.address.number ?? ""}
          onChange={(event) => set({ number: event.currentTarget.value })}
          autoComplete="off"
        />
        <TextInput
          label={t("fields.postal_code")}
          maxLength={120}
          value={entry.address.postal_code ?? ""}
          onChange={(event) => set({ postal_code: event.currentTarget.value })}
          autoComplete="off"
        />
        <TextInput
          className={css.wide}
          label={t("fields.city")}
          maxLength={120}
          value={entry.address.city ?? ""}
          onChange={(event) => set({ city: event.currentTarget.value })}
          autoComplete="off"
        />
        <TextInput
          label={t("fields.country")}
          maxLength={2}
          value={entry.address.country ?? ""}
          onChange={(event) => set({ country: event.currentTarget.value.toUpperCase() })}
          autoComplete="off"
        />
        {error && (
          <p id={group} className={css.error}>
            {error}
          </p>
        )}
      </fieldset>
    );
  }
  return (
    <TextInput
      {...about}
      {...(TYPES[kind] ?? { type: "text" })}
      maxLength={2_000}
      value={entry.text}
      onChange={(event) => text(event.currentTarget.value)}
      autoComplete="off"
    />
  );
}
