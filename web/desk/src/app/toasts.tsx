// SPDX-License-Identifier: EUPL-1.2
//! Short notes at the bottom, with an undo where there is one. They never take focus.

import { useSyncExternalStore } from "react";
import { useWords } from "../i18n";
import { CloseIcon } from "../ui/icons";
import css from "./toasts.module.css";

export interface Toast {
  id: number;
  text: string;
  bad: boolean;
  undo: (() => void) | null;
}

const LIFE_MS = 7000;
let toasts: Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();

function set(next: Toast[]) {
  toasts = next;
  for (const listener of listeners) listener();
}

export function toast(text: string, options: { bad?: boolean; undo?: () => void; life?: number } = {}) {
  last += 1;
  const id = last;
  set([...toasts.slice(-2), { id, text, bad: options.bad ?? false, undo: options.undo ?? null }]);
  setTimeout(() => dismiss(id), options.life ?? (options.bad ? LIFE_MS * 2 : LIFE_MS));
}

export function dismiss(id: number) {
  set(toasts.filter((t) => t.id !== id));
}

export function Toasts() {
  const { t } = useWords();
  const list = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <section className={css.place} aria-label={t("app.notices")} aria-live="polite">
      {list.map((one) => (
        <div key={one.id} className={css.toast} data-bad={one.bad || undefined}>
          <span>{one.text}</span>
          {one.undo && (
            <button
              type="button"
              className={css.undo}
              onClick={() => {
                one.undo?.();
                dismiss(one.id);
              }}
            >
              {t("action.undo")}
            </button>
          )}
          <button
            type="button"
            className={css.close}
            aria-label={t("action.close")}
            onClick={() => dismiss(one.id)}
          >
            <CloseIcon size={14} />
          </button>
        </div>
      ))}
    </section>
  );
}
