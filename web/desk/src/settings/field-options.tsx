// SPDX-License-Identifier: EUPL-1.2
//! What can be chosen in a field: values name an option by its number, so that it can be renamed and never taken away.

import type { FieldOption } from "@belofte/api-client";
import { ActionIcon, Button, NativeSelect, TextInput } from "@mantine/core";
import { asTree, said } from "../fields/value";
import { useWords } from "../i18n";
import { ArchiveIcon, CloseIcon, DownIcon, RestoreIcon, UpIcon } from "../ui/icons";
import css from "./field-options.module.css";

export interface OptionFaults {
  nl?: string | undefined;
  en?: string | undefined;
  within?: string | undefined;
}

interface Props {
  options: FieldOption[];
  /** The lowest number that a new one can have. */
  next: number;
  tree: boolean;
  /** Those that the server has: they are archived, and not taken away. */
  fixed: FieldOption[];
  error?: string | undefined;
  /** What is wrong with each option, by its place. */
  wrong: OptionFaults[];
  change: (options: FieldOption[]) => void;
}

/** An option at another place of the tree. */
function laid(option: FieldOption, within: number | null | undefined): FieldOption {
  const { within: _, ...alone } = option;
  return within == null ? alone : { ...alone, within };
}

export function FieldOptions({ options, next, tree, fixed, error, wrong, change }: Props) {
  const words = useWords();
  const { t } = words;
  const set = (at: number, part: Partial<FieldOption>) =>
    change(options.map((one, place) => (place === at ? { ...one, ...part } : one)));
  const add = () => {
    const no = Math.max(next - 1, ...options.map((one) => one.no), 0) + 1;
    change([...options, { no, label: { nl: "", en: "" }, archived: false }]);
  };
  const take = (option: FieldOption) => {
    // What lies within it is kept, and lies where it lay.
    const left = options.filter((one) => one !== option);
    change(left.map((one) => (one.within === option.no ? laid(one, option.within) : one)));
  };
  const swap = (at: number, step: 1 | -1) => {
    const moved = [...options];
    const [one] = moved.splice(at, 1);
    if (!one) return;
    moved.splice(at + step, 0, one);
    change(moved);
  };
  const name = (option: FieldOption) =>
    said(option.label, words.language) || t("fields.option_unnamed", { no: option.no });
  /** Where one can lie: not within itself, nor within what lies within it. */
  const places = (option: FieldOption) => {
    const inner = new Set([option.no]);
    for (const _ of options)
      for (const one of options) if (one.within != null && inner.has(one.within)) inner.add(one.no);
    return asTree(options).filter((row) => !inner.has(row.option.no));
  };
  return (
    <fieldset className={css.options}>
      <legend>{t("fields.options")}</legend>
      {options.map((option, at) => (
        <div key={option.no} className={css.option} data-archived={option.archived || undefined}>
          <TextInput
            aria-label={t("fields.option_nl", { no: at + 1 })}
            placeholder={t("fields.in_dutch")}
            maxLength={80}
            value={option.label.nl ?? ""}
            error={wrong[at]?.nl}
            onChange={(event) =>
              set(at, { label: { ...option.label, nl: event.currentTarget.value } })
            }
            autoComplete="off"
          />
          <TextInput
            aria-label={t("fields.option_en", { no: at + 1 })}
            placeholder={t("fields.in_english")}
            maxLength={80}
            value={option.label.en ?? ""}
            error={wrong[at]?.en}
            onChange={(event) =>
              set(at, { label: { ...option.label, en: event.currentTarget.value } })
            }
            autoComplete="off"
          />
          {tree && (
            <NativeSelect
              className={css.within}
              aria-label={t("fields.option_within", { option: name(option) })}
              value={option.within == null ? "" : String(option.within)}
              error={wrong[at]?.within}
              onChange={(event) => {
                const { value } = event.currentTarget;
                const moved = laid(option, value === "" ? null : Number(value));
                change(options.map((one, place) => (place === at ? moved : one)));
              }}
              data={[
                { value: "", label: t("fields.option_top") },
                ...places(option).map((row) => ({
                  value: String(row.option.no),
                  label: `${"\u2003".repeat(row.depth)}${name(row.option)}`,
                })),
              ]}
            />
          )}
          <div className={css.tools}>
            <ActionIcon
              size={32}
              aria-label={t("fields.option_up", { option: name(option) })}
              disabled={at === 0}
              onClick={() => swap(at, -1)}
            >
              <UpIcon size={16} />
            </ActionIcon>
            <ActionIcon
              size={32}
              aria-label={t("fields.option_down", { option: name(option) })}
              disabled={at === options.length - 1}
              onClick={() => swap(at, 1)}
            >
              <DownIcon size={16} />
            </ActionIcon>
            {fixed.some((one) => one.no === option.no) ? (
              <ActionIcon
                size={32}
                aria-label={t(option.archived ? "fields.option_restore" : "fields.option_archive", {
                  option: name(option),
                })}
                onClick={() => set(at, { archived: !option.archived })}
              >
                {option.archived ? <RestoreIcon size={16} /> : <ArchiveIcon size={16} />}
              </ActionIcon>
            ) : (
              <ActionIcon
                size={32}
                aria-label={t("fields.option_remove", { option: name(option) })}
                onClick={() => take(option)}
              >
                <CloseIcon size={16} />
              </ActionIcon>
            )}
          </div>
        </div>
      ))}
      {error && <p className={css.error}>{error}</p>}
      <div>
        <Button variant="default" onClick={add}>
          {t("fields.option_add")}
        </Button>
      </div>
    </fieldset>
  );
}
