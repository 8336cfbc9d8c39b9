// SPDX-License-Identifier: EUPL-1.2
//! The conditions of a list of people, each with inputs of what it is about.

import { ActionIcon, Button, Checkbox, NativeSelect, SegmentedControl, TextInput } from "@mantine/core";
import { type KeyboardEvent, useLayoutEffect, useRef } from "react";
import { FieldInput } from "../fields/field-input";
import { focusIn } from "../fields/focus";
import { asTree, said } from "../fields/value";
import { useWords } from "../i18n";
import { CloseIcon, PlusIcon } from "../ui/icons";
import {
  changeAbout,
  changeTest,
  type ContactField,
  type Draft,
  inputOf,
  isUnclear,
  MOST_CONDITIONS,
  newDraft,
  OWN,
  testsOf,
  wordOf,
} from "./conditions";
import css from "./filter.module.css";

interface Props {
  id: string;
  drafts: Draft[];
  any: boolean;
  fields: readonly ContactField[];
  change: (drafts: Draft[]) => void;
  setAny: (any: boolean) => void;
  /** What the server says about each, by its key. */
  wrong: ReadonlyMap<string, string>;
  /** Whether somebody has just opened it, and goes on in it. */
  opened: boolean;
  /** Escape. */
  close: () => void;
}

export function Filter({ id, drafts, any, fields, change, setAny, wrong, opened, close }: Props) {
  const { t } = useWords();
  const box = useRef<HTMLDivElement>(null);
  const adder = useRef<HTMLButtonElement>(null);
  const asked = useRef<string | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: goes to the condition that was just added, once it is there
  useLayoutEffect(() => {
    if (asked.current === null) return;
    focusIn(box.current?.querySelector(`[data-condition="${asked.current}"]`));
    asked.current = null;
  }, [drafts]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it opens
  useLayoutEffect(() => {
    if (opened) focusIn(box.current?.querySelector("[data-condition]") ?? box.current);
  }, []);
  const add = () => {
    const draft = newDraft("name", fields);
    asked.current = draft.key;
    change([...drafts, draft]);
  };
  const remove = (key: string) => {
    change(drafts.filter((one) => one.key !== key));
    adder.current?.focus();
  };
  const press = (event: KeyboardEvent) => {
    // A letter on a box or a button of the filter is none of the desk's shortcuts.
    if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.stopPropagation();
    close();
  };
  return (
    <div ref={box} id={id} role="group" aria-label={t("contacts.filter")} className={css.filter} onKeyDown={press}>
      {drafts.length > 1 && (
        <SegmentedControl
          size="xs"
          className={css.any}
          aria-label={t("contacts.satisfy")}
          value={any ? "any" : "all"}
          onChange={(value) => setAny(value === "any")}
          data={[
            { value: "all", label: t("contacts.satisfy_all") },
            { value: "any", label: t("contacts.satisfy_any") },
          ]}
        />
      )}
      {drafts.length > 0 && (
        <ul className={css.conditions}>
          {drafts.map((draft, at) => (
            <li key={draft.key} data-condition={draft.key}>
              <OneCondition
                no={at + 1}
                draft={draft}
                fields={fields}
                error={wrong.get(draft.key)}
                change={(next) => change(drafts.map((one) => (one.key === draft.key ? next : one)))}
                remove={() => remove(draft.key)}
              />
            </li>
          ))}
        </ul>
      )}
      <div className={css.buttons}>
        <Button
          ref={adder}
          variant="default"
          leftSection={<PlusIcon size={14} />}
          disabled={drafts.length >= MOST_CONDITIONS}
          onClick={add}
        >
          {t("contacts.add_condition")}
        </Button>
        {drafts.length > 0 && (
          <Button
            variant="subtle"
            onClick={() => {
              change([]);
              adder.current?.focus();
            }}
          >
            {t("contacts.clear_filter")}
          </Button>
        )}
      </div>
    </div>
  );
}

interface ConditionProps {
  no: number;
  draft: Draft;
  fields: readonly ContactField[];
  error: string | undefined;
  change: (draft: Draft) => void;
  remove: () => void;
}

function OneCondition({ no, draft, fields, error, change, remove }: ConditionProps) {
  const words = useWords();
  const { t } = words;
  const tests = testsOf(draft.about, fields);
  const gone = tests.length === 0;
  const abouts = [
    ...OWN.map((one) => ({ value: one as string, label: t(`contact_subject.${one}`) })),
    ...fields.map((one) => ({ value: one.field_id, label: said(one.label, words.language) })),
    ...(gone ? [{ value: draft.about, label: t("contacts.field_gone") }] : []),
  ];
  return (
    <fieldset className={css.condition}>
      <legend className="sr-only">{t("contacts.condition_no", { no })}</legend>
      <NativeSelect
        className={css.about}
        aria-label={t("contacts.about")}
        data={abouts}
        value={draft.about}
        onChange={(event) => change(changeAbout(draft, event.currentTarget.value, fields))}
      />
      {gone ? (
        <p className={css.gone}>{t("fields.gone")}</p>
      ) : (
        <NativeSelect
          className={css.test}
          aria-label={t("contacts.test")}
          data={tests.map((test) => ({ value: test, label: t(`contact_test.${wordOf(test, draft.about, fields)}`) }))}
          value={draft.test}
          onChange={(event) => {
            const test = tests.find((one) => one === event.currentTarget.value);
            if (test) change(changeTest(draft, test, fields));
          }}
        />
      )}
      <div className={css.value}>
        <Value draft={draft} fields={fields} error={isUnclear(draft, fields) ? t("fields.ambiguous") : error} change={change} />
      </div>
      <ActionIcon className={css.remove} aria-label={t("contacts.remove_condition", { no })} onClick={remove}>
        <CloseIcon size={16} />
      </ActionIcon>
    </fieldset>
  );
}

type ValueProps = Pick<ConditionProps, "draft" | "fields" | "error" | "change">;

function Value({ draft, fields, error, change }: ValueProps) {
  const words = useWords();
  const { t } = words;
  const input = inputOf(draft, fields);
  const { entry } = draft;
  const set = (next: typeof entry) => change({ ...draft, entry: next });
  if (input === "none") return error ? <p className={css.error}>{error}</p> : null;
  if (input === "words" || input === "day") {
    return (
      <TextInput
        type={input === "day" ? "date" : "text"}
        aria-label={t("contacts.value")}
        error={error}
        maxLength={200}
        value={entry.text}
        onChange={(event) => set({ ...entry, text: event.currentTarget.value })}
        autoComplete="off"
        spellCheck={false}
      />
    );
  }
  if (input === "options") {
    const options = fields.find((one) => one.field_id === draft.about)?.options ?? [];
    return (
      <Checkbox.Group
        aria-label={t("contacts.value")}
        error={error}
        value={entry.chosen}
        onChange={(chosen) => set({ ...entry, chosen })}
      >
        <div className={css.options}>
          {asTree(options)
            .filter(({ option }) => !option.archived || entry.chosen.includes(String(option.no)))
            .map(({ option, depth }) => (
              <Checkbox
                key={option.no}
                value={String(option.no)}
                label={said(option.label, words.language)}
                style={{ marginInlineStart: depth * 20 }}
              />
            ))}
        </div>
      </Checkbox.Group>
    );
  }
  // The input of the field itself; what it is about stands beside it already.
  const label = { nl: t("contacts.value"), en: t("contacts.value") };
  return (
    <div className={css.own}>
      <FieldInput field={{ ...input, label, help: {}, required: false }} entry={entry} change={set} error={error} />
    </div>
  );
}
