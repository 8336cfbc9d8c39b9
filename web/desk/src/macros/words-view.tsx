// SPDX-License-Identifier: EUPL-1.2
//! What a macro says, as it will stand in the draft. Of its markup only what the editor knows is drawn, element by
//! element: nothing is put into the page as it came.

import { Fragment, type ReactNode } from "react";
import { useWords } from "../i18n";
import css from "./words-view.module.css";
import type { Piece } from "./insertion";
import { places } from "./placeholders";

const TAGS = new Set(["p", "br", "b", "strong", "i", "em", "u", "s", "ul", "ol", "li", "blockquote", "pre", "code"]);

/** A text with what still waits for something marked. */
function Marked({ text }: { text: string }) {
  const { t } = useWords();
  const parts: ReactNode[] = [];
  let at = 0;
  for (const { from, to } of places(text)) {
    parts.push(text.slice(at, from));
    parts.push(
      <mark key={from} className={css.open} title={t("macro.not_filled")}>
        {text.slice(from, to)}
      </mark>,
    );
    at = to;
  }
  parts.push(text.slice(at));
  return parts;
}

function drawn(node: Node, key: number): ReactNode {
  if (node.nodeType === Node.TEXT_NODE) return <Marked key={key} text={node.textContent ?? ""} />;
  const children = [...node.childNodes].map(drawn);
  const name = node.nodeName.toLowerCase();
  if (name === "br") return <br key={key} />;
  if (name === "a") {
    return (
      <span key={key} className={css.link}>
        {children}
      </span>
    );
  }
  if (!TAGS.has(name)) return <Fragment key={key}>{children}</Fragment>;
  const Tag = name as "p";
  return <Tag key={key}>{children}</Tag>;
}

export function WordsView({ piece }: { piece: Piece }) {
  if (piece.html === null) {
    return (
      <p className={css.plain}>
        <Marked text={piece.text} />
      </p>
    );
  }
  const { body } = new DOMParser().parseFromString(piece.html, "text/html");
  return <div className={css.words}>{[...body.childNodes].map(drawn)}</div>;
}
