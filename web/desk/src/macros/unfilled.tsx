// SPDX-License-Identifier: EUPL-1.2
//! What a macro left open in a draft: said while it is written, and once more before it goes out.

import { type RefObject, useCallback, useMemo, useRef, useState } from "react";
import type { Draft } from "../conversations/draft";
import css from "../conversations/draft-line.module.css";
import type { RichField } from "../conversations/rich";
import { useWords } from "../i18n";
import { WarnIcon } from "../ui/icons";
import { unfilled, unfilledHtml } from "./placeholders";

export interface Unfilled {
  open: string[];
  /** Whether somebody tried to send it as it is. */
  tried: boolean;
  /** Whether it may go out: nothing is open, or what is was meant. */
  passes: () => boolean;
  /** What is open now is meant so. */
  mean: () => void;
}

/** What is open of a mail; a note is read by colleagues alone. */
export function useUnfilled(draft: Draft): Unfilled {
  const { noting, text, html, subject } = draft;
  const open = useMemo(
    () => (noting ? [] : [...new Set([...unfilled(subject), ...(html === null ? unfilled(text) : unfilledHtml(html))])]),
    [noting, text, html, subject],
  );
  const print = open.join("\n");
  const meant = useRef("");
  const [triedWith, setTried] = useState("");
  const passes = useCallback(() => {
    if (print === "" || print === meant.current) return true;
    setTried(print);
    return false;
  }, [print]);
  const mean = useCallback(() => {
    meant.current = print;
  }, [print]);
  return { open, tried: print !== "" && triedWith === print && meant.current !== print, passes, mean };
}

interface Props {
  unfilled: Unfilled;
  field: RefObject<HTMLTextAreaElement | null>;
  rich: RefObject<RichField | null>;
  send: () => void;
}

export function UnfilledLine({ unfilled: { open, tried, mean }, field, rich, send }: Props) {
  const { t } = useWords();
  const [first] = open;
  if (!first) return null;
  const go = () => {
    const element = field.current;
    if (!element) return rich.current?.find(first);
    const at = element.value.indexOf(first);
    element.focus();
    if (at >= 0) element.setSelectionRange(at, at + first.length);
  };
  return (
    <div className={css.bar} role={tried ? "alert" : "status"}>
      <WarnIcon size={15} />
      <span className={css.text}>
        {t(tried ? "macro.open_sending" : "macro.open_in", { what: open.slice(0, 3).join(", "), count: open.length })}
      </span>
      <span className={css.acts}>
        <button type="button" onClick={go}>
          {t("macro.go_there")}
        </button>
        {tried && (
          <button
            type="button"
            onClick={() => {
              mean();
              send();
            }}
          >
            {t("macro.send_anyway")}
          </button>
        )}
      </span>
    </div>
  );
}
