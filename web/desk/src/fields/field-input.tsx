// SPDX-License-Identifier: EUPL-1.2
//! The inputs of one field of the tenant's own.

import type { PostalAddress, RecordField } from "@belofte/api-client";
import {
  Checkbox,
  Input,
  NativeSelect,
  Textarea,
  TextInput,
  type TextInputProps,
} from "@mantine/core";
import { useId } from "react";
import { useWords } from "../i18n";
import css from "./fields.module.css";
import { asTree, type Entry, said } from "./value";

interface Props {
  field: Pick<RecordField, "kind" | "options" | "label" | "help" | "required">;
  entry: Entry;
  change: (entry: Entry) => void;
  /** What is wrong. */
  error?: string | undefined;
  /** What came meanwhile, under the input. */
  note?: string | undefined;
}

type PartProps = Pick<TextInputProps, "className" | "maxLength" | "onChange">;

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

const NOTE_UNDER: ("label" | "input" | "description" | "error")[] = [
  "label",
  "input",
  "description",
  "error",
];

export function FieldInput({ field, entry, change, error, note }: Props) {
  const words = useWords();
  const { t } = words;
  const group = useId();
  const label = said(field.label, words.language);
  const help = said(field.help, words.language);
  // A note is part of the description, so that it is read out with the input; only then does that lie under it.
  const description = note ? (
    <>
      <span className={css.note}>{note}</span>
      {help}
    </>
  ) : (
    help
  );
  const about = {
    label,
    ...(description ? { description } : {}),
    ...(note ? { inputWrapperOrder: NOTE_UNDER } : {}),
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
    const part = (name: keyof PostalAddress, words: string, more: PartProps = {}) => (
      <TextInput
        label={words}
        maxLength={120}
        error={Boolean(error)}
        value={entry.address[name] ?? ""}
        onChange={(event) => set({ [name]: event.currentTarget.value })}
        autoComplete="off"
        {...more}
      />
    );
    const described = [
      field.required && `${group}-required`,
      description && `${group}-help`,
      error && `${group}-error`,
    ].filter(Boolean);
    return (
      <fieldset
        className={css.address}
        {...(described.length > 0 ? { "aria-describedby": described.join(" ") } : {})}
      >
        <legend>
          <Input.Label labelElement="div" required={field.required}>
            {label}
          </Input.Label>
        </legend>
        {/* A group has no property of its own for this. */}
        {field.required && (
          <span id={`${group}-required`} hidden>
            {t("fields.required")}
          </span>
        )}
        {description && (
          <Input.Description id={`${group}-help`} className={css.wide}>
            {description}
          </Input.Description>
        )}
        {part("street", t("fields.street"), { className: css.wide })}
        {part("number", t("fields.number"))}
        {part("postal_code", t("fields.postal_code"))}
        {part("city", t("fields.city"), { className: css.wide })}
        {part("country", t("fields.country"), {
          maxLength: 2,
          onChange: (event) => set({ country: event.currentTarget.value.toUpperCase() }),
        })}
        {error && (
          <Input.Error id={`${group}-error`} className={css.wide}>
            {error}
          </Input.Error>
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
