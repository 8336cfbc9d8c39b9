// SPDX-License-Identifier: EUPL-1.2
//! The address fields of a mail: people as chips, with those who are known suggested.

import type { Mailbox } from "@belofte/api-client";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type ClipboardEvent, type KeyboardEvent, type MouseEvent, type Ref, useEffect, useId, useState } from "react";
import { api } from "../app/api";
import { useWords } from "../i18n";
import { CloseIcon, WarnIcon } from "../ui/icons";
import { isAddress, once, parseMailboxes, sameAddress, written } from "./people";
import css from "./recipients.module.css";

/** From so many letters on people are suggested: fewer would name half the town. */
const LEAST = 3;

/** Whether what is typed ends an address: a comma within quotes, or before any address, belongs to a name. */
const ends = (text: string): boolean =>
  /[,;]\s*$/.test(text) && text.includes("@") && (text.match(/"/g) ?? []).length % 2 === 0;

interface FieldProps {
  label: string;
  people: readonly Mailbox[];
  change: (people: Mailbox[]) => void;
  input?: Ref<HTMLInputElement> | undefined;
  /** What was typed for it before it was there. */
  typed?: string | undefined;
}

function PeopleField({ label, people, change, input, typed }: FieldProps) {
  const { t } = useWords();
  const id = useId();
  const [text, setText] = useState("");
  const [at, setAt] = useState(-1);
  const [focused, setFocused] = useState(false);
  const [said, setSaid] = useState("");
  const [q] = useDebouncedValue(text.trim(), 120);
  const found = useQuery({
    queryKey: ["palette-people", q],
    queryFn: ({ signal }) => api.search.suggest(q, signal),
    enabled: q.length >= LEAST && !q.includes("<"),
    placeholderData: keepPreviousData,
    gcTime: 30_000,
  });
  const typing = focused && text.trim().length >= LEAST;
  const known = typing ? (found.data?.contacts ?? []) : [];
  const suggested = known.filter((one) => isAddress(one.address) && !people.some((other) => sameAddress(one, other)));
  const chosen = Math.min(at, suggested.length - 1);
  const bad = people.filter((one) => !isAddress(one.address));

  const add = (more: Mailbox[]) => {
    setText("");
    setAt(-1);
    if (more.length === 0) return;
    change(once([...people, ...more]));
    setSaid(t("recipients.added", { names: more.map((one) => one.name || one.address).join(", ") }));
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when it is there, and only then
  useEffect(() => {
    if (!typed) return;
    if (ends(typed)) add(parseMailboxes(typed));
    else setText(typed);
  }, [typed]);
  const remove = (one: Mailbox) => {
    change(people.filter((other) => other !== one));
    setSaid(t("recipients.removed", { name: one.name || one.address }));
  };
  const suggestedAt = (index: number): Mailbox[] => {
    const one = suggested[index];
    return one ? [{ name: one.name, address: one.address }] : [];
  };

  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    const { key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key === "Backspace" && text === "") {
      const last = people.at(-1);
      if (last) remove(last);
    } else if (key === "ArrowDown" && suggested.length > 0) setAt((chosen + 1) % suggested.length);
    else if (key === "ArrowUp" && suggested.length > 0) setAt((chosen <= 0 ? suggested.length : chosen) - 1);
    else if (key === "Enter" && chosen >= 0) add(suggestedAt(chosen));
    else if (key === "Enter") add(parseMailboxes(text));
    else if (key === "Escape" && suggested.length > 0) {
      setText("");
      event.stopPropagation();
      return;
    } else return;
    event.preventDefault();
  };

  const onPaste = (event: ClipboardEvent) => {
    const pasted = event.clipboardData.getData("text/plain");
    // A part of an address goes on where it is typed.
    if (!/[@,;\n]/.test(pasted) || text.trim() !== "") return;
    event.preventDefault();
    add(parseMailboxes(pasted));
  };

  return (
    <div className={css.line}>
      <label htmlFor={id} className={css.label}>
        {label}
      </label>
      <div className={css.box}>
        {people.length > 0 && (
          <ul className={css.people} aria-label={t("recipients.list", { field: label })}>
            {people.map((one) => {
              const odd = !isAddress(one.address);
              const name = one.name || one.address;
              return (
                <li key={one.address.toLowerCase()} data-bad={odd || undefined} title={written(one)}>
                  {odd && <WarnIcon size={13} />}
                  <span>{name}</span>
                  <button type="button" aria-label={t("recipients.remove", { name })} onClick={() => remove(one)}>
                    <CloseIcon size={12} />
                  </button>
                </li>
              );
            })}
          </ul>
        )}
        <input
          ref={input}
          id={id}
          role="combobox"
          aria-expanded={suggested.length > 0}
          aria-controls={`${id}-known`}
          aria-autocomplete="list"
          aria-activedescendant={chosen >= 0 ? `${id}-${chosen}` : undefined}
          aria-invalid={bad.length > 0 || undefined}
          aria-describedby={bad.length > 0 ? `${id}-bad` : undefined}
          value={text}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          inputMode="email"
          onChange={(event) => {
            const { value } = event.currentTarget;
            if (ends(value)) return add(parseMailboxes(value));
            setText(value);
            setAt(-1);
          }}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
          onFocus={() => setFocused(true)}
          onBlur={() => {
            setFocused(false);
            add(parseMailboxes(text));
          }}
        />
        <div id={`${id}-known`} role="listbox" aria-label={t("recipients.known")} className={css.known} hidden={suggested.length === 0}>
          {suggested.map((one, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the field above holds the focus and the keys
            <div
              key={one.id}
              id={`${id}-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === chosen}
              className={css.option}
              // Before the field loses the focus, which would take what was typed for an address.
              onPointerDown={(event) => event.preventDefault()}
              onPointerMove={() => setAt(index)}
              onClick={() => add(suggestedAt(index))}
            >
              <span>{one.name || one.address}</span>
              {one.name && <small>{one.address}</small>}
            </div>
          ))}
        </div>
      </div>
      {bad.length > 0 && (
        <p id={`${id}-bad`} className={css.bad}>
          {t("recipients.bad", { count: bad.length, names: bad.map((one) => one.address).join(", ") })}
        </p>
      )}
      <span className="sr-only" aria-live="polite">
        {said}
      </span>
    </div>
  );
}

export interface People {
  to: readonly Mailbox[];
  cc: readonly Mailbox[];
  bcc: readonly Mailbox[];
}

/** The focus stays while it is pressed: leaving the field ends what is typed there, and the button would move away. */
const stay = (event: MouseEvent) => event.preventDefault();

/** A field that was asked for is where one goes on; the button that brought it is gone. */
const goOn = (field: HTMLInputElement | null) => field?.focus();

/** Whether everybody can be written to. */
export const allGood = ({ to, cc, bcc }: People): boolean => [...to, ...cc, ...bcc].every((one) => isAddress(one.address));

interface Props {
  people: People;
  change: (part: { to?: Mailbox[]; cc?: Mailbox[]; bcc?: Mailbox[] }) => void;
  /** The field of the recipients themselves. */
  first?: Ref<HTMLInputElement>;
  /** What was typed for the recipients before their field was there. */
  typed?: string;
  /** Whether suggestions open upwards: the fields stand at the bottom of the view. */
  up?: boolean;
}

export function Recipients({ people, change, first, typed, up }: Props) {
  const { t } = useWords();
  const [copies, setCopies] = useState(people.cc.length > 0);
  const [blind, setBlind] = useState(people.bcc.length > 0);
  const showCc = copies || people.cc.length > 0;
  const showBcc = blind || people.bcc.length > 0;
  return (
    <div className={css.fields} data-up={up || undefined} role="group" aria-label={t("recipients.name")}>
      <div className={css.first}>
        <PeopleField label={t("composer.to")} people={people.to} change={(to) => change({ to })} input={first} typed={typed} />
        {(!showCc || !showBcc) && (
          <span className={css.more}>
            {!showCc && (
              <button type="button" onMouseDown={stay} onClick={() => setCopies(true)} aria-label={t("recipients.add_cc")}>
                {t("composer.cc")}
              </button>
            )}
            {!showBcc && (
              <button type="button" onMouseDown={stay} onClick={() => setBlind(true)} aria-label={t("recipients.add_bcc")}>
                {t("composer.bcc")}
              </button>
            )}
          </span>
        )}
      </div>
      {showCc && <PeopleField label={t("composer.cc")} people={people.cc} change={(cc) => change({ cc })} input={people.cc.length === 0 ? goOn : undefined} />}
      {showBcc && <PeopleField label={t("composer.bcc")} people={people.bcc} change={(bcc) => change({ bcc })} input={people.bcc.length === 0 ? goOn : undefined} />}
    </div>
  );
}
