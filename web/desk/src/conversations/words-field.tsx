// SPDX-License-Identifier: EUPL-1.2
//! The field of plain words. In a note an `@` opens the list of colleagues who can be named. It is one field for
//! both, so that who goes from one to the other types on at once.

import type { UserRef, Uuid } from "@belofte/api-client";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, type RefObject, type TextareaHTMLAttributes, useId, useLayoutEffect, useRef, useState } from "react";
import { mentionableQuery } from "../app/queries";
import { useWords } from "../i18n";
import { AtIcon } from "../ui/icons";
import { Monogram } from "../ui/monogram";
import { MOST, type Named, namings, suggested, typedName } from "./mentions";
import css from "./words-field.module.css";

interface Props extends Pick<TextareaHTMLAttributes<HTMLTextAreaElement>, "aria-label" | "className" | "onPaste" | "onFocus" | "placeholder" | "readOnly"> {
  id: Uuid;
  field: RefObject<HTMLTextAreaElement | null>;
  text: string;
  /** Who was chosen for a note; null where nobody is named. */
  named: readonly Named[] | null;
  change: (text: string, named: Named[]) => void;
  onLeave: () => void;
}

const NOBODY: readonly Named[] = [];

export function WordsField({ id, field, text, named: asked, change, onLeave, ...rest }: Props) {
  const named = asked ?? NOBODY;
  const { t } = useWords();
  const list = useId();
  const [caret, setCaret] = useState(0);
  const [focused, setFocused] = useState(false);
  const [at, setAt] = useState(0);
  // The `@` whose list was closed: it stays so until another one is typed.
  const [closed, setClosed] = useState<number | null>(null);
  const typed = asked && focused ? typedName(text, caret) : null;
  const wanted = typed !== null && typed.at !== closed;
  const known = useQuery({ ...mentionableQuery(id), enabled: wanted }).data?.items;
  const full = namings(text, named).length >= MOST;
  const found = wanted && known && !full ? suggested(known, typed.q) : [];
  const open = found.length > 0;
  const chosen = Math.min(at, found.length - 1);
  const told = namings(text, named)
    .map((one) => named.find((other) => other.id === one.user_id)?.name ?? "")
    .filter((name, index, all) => all.indexOf(name) === index);

  // Where the caret goes once the name stands in the field.
  const place = useRef<number | null>(null);
  useLayoutEffect(() => {
    if (place.current === null) return;
    field.current?.setSelectionRange(place.current, place.current);
    setCaret(place.current);
    place.current = null;
  });

  const choose = (user: UserRef | undefined) => {
    if (!user || !typed) return;
    const name = `@${user.name} `;
    place.current = typed.at + name.length;
    setAt(0);
    const after = text.slice(caret).replace(/^ /, "");
    const others = named.some((one) => one.id === user.id && one.name === user.name) ? named : [...named, { id: user.id, name: user.name }];
    change(text.slice(0, typed.at) + name + after, [...others]);
    field.current?.focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (!open || event.ctrlKey || event.metaKey || event.altKey || event.nativeEvent.isComposing) return;
    if (event.key === "ArrowDown") setAt((chosen + 1) % found.length);
    else if (event.key === "ArrowUp") setAt((chosen - 1 + found.length) % found.length);
    else if (event.key === "Enter" || (event.key === "Tab" && !event.shiftKey)) choose(found[chosen]);
    else if (event.key === "Escape") setClosed(typed?.at ?? null);
    else return;
    event.preventDefault();
    // Escape closes the list, and leaves the field only when it is pressed again.
    event.stopPropagation();
  };

  return (
    <div className={css.place}>
      <textarea
        ref={field}
        rows={2}
        value={text}
        {...(asked ? { "aria-autocomplete": "list" as const, "aria-haspopup": "listbox" as const } : {})}
        aria-controls={open ? list : undefined}
        aria-activedescendant={open ? `${list}-${chosen}` : undefined}
        onChange={(event) => {
          const { value, selectionStart } = event.currentTarget;
          setCaret(selectionStart);
          setAt(0);
          const now = typedName(value, selectionStart);
          // Another `@` than the one whose list was closed.
          if (now?.at !== closed) setClosed(null);
          change(value, [...named]);
        }}
        onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
        onKeyDown={onKeyDown}
        onBlur={() => {
          setFocused(false);
          onLeave();
        }}
        {...rest}
        onFocus={(event) => {
          setFocused(true);
          rest.onFocus?.(event);
        }}
      />
      {asked && <div id={list} role="listbox" aria-label={t("mentions.list")} className={css.list} hidden={!open}>
        {found.map((user, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above holds the focus and the keys
          <div
            key={user.id}
            id={`${list}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === chosen}
            className={css.option}
            // The field keeps the focus.
            onPointerDown={(event) => event.preventDefault()}
            onPointerMove={() => setAt(index)}
            onClick={() => choose(user)}
          >
            <Monogram name={user.name} size={22} />
            <bdi>{user.name}</bdi>
          </div>
        ))}
      </div>}
      <span className="sr-only" aria-live="polite">
        {open ? t("mentions.found", { count: found.length }) : wanted && known && typed.q ? t("mentions.nobody") : ""}
      </span>
      {(told.length > 0 || full) && (
        <p className={css.told}>
          <AtIcon size={14} /> <span>{t("mentions.told", { names: told.join(", ") })}</span>
          {full && <span> {t("mentions.full", { count: MOST })}</span>}
        </p>
      )}
    </div>
  );
}
