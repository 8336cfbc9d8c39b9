// SPDX-License-Identifier: EUPL-1.2
//! A composer as a place where macros put their words: at its cursor.

import { type RefObject, useEffect, useRef } from "react";
import type { Draft } from "../conversations/draft";
import type { RichField } from "../conversations/rich";
import { below, inlineOf, into, type Piece } from "./insertion";
import { joinPlace } from "./macros";

interface Composer {
  id: string;
  draft: Draft;
  update: (make: (old: Draft) => Draft) => void;
  field: RefObject<HTMLTextAreaElement | null>;
  rich: RefObject<RichField | null>;
  /** Who else writes there. */
  taken: string | null;
  /** The draft is another one than was typed. */
  anew: (draft: Draft) => void;
}

/** Fields that somebody has been in: in another one the cursor says nothing. */
const visited = new WeakSet<EventTarget>();
if (typeof document !== "undefined") document.addEventListener("focusin", (event) => event.target && visited.add(event.target));

export function usePlace(composer: Composer) {
  const latest = useRef(composer);
  latest.current = composer;
  const { id, taken } = composer;
  // Where the cursor was: a field that is covered by a dialogue need not remember it.
  const cursor = useRef<[number, number] | null>(null);
  useEffect(() => {
    const insert = (piece: Piece) => {
      const { draft, field, rich, update } = latest.current;
      if (!draft.noting && draft.html !== null) {
        if (rich.current) rich.current.put(inlineOf(piece));
        else update((old) => below(old, piece));
        return;
      }
      const element = field.current;
      const text = draft.noting ? draft.note : draft.text;
      const [from, to] = element && visited.has(element) ? [element.selectionStart, element.selectionEnd] : [text.length, text.length];
      update((old) => into(old, piece, from, to));
      cursor.current = [from + piece.text.length, from + piece.text.length];
    };
    const focus = () => {
      const { field, rich } = latest.current;
      if (!field.current) return rich.current?.focus();
      field.current.focus();
      if (cursor.current) field.current.setSelectionRange(...cursor.current);
      cursor.current = null;
    };
    return joinPlace(id, { taken, insert, focus, show: (draft) => latest.current.anew(draft) });
  }, [id, taken]);
}
