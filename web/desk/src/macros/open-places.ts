// SPDX-License-Identifier: EUPL-1.2
//! Marks in the editor what still waits for something to be filled in.

import { type Editor, Extension } from "@tiptap/core";
import type { Node } from "@tiptap/pm/model";
import { Plugin, TextSelection } from "@tiptap/pm/state";
import { Decoration, DecorationSet } from "@tiptap/pm/view";
import css from "./open-places.module.css";
import { places } from "./placeholders";

/** Each line of text with where it begins; a placeholder may go through its marks. */
function* lines(doc: Node): Generator<{ text: string; at: number }> {
  const found: { text: string; at: number }[] = [];
  doc.descendants((node, at) => {
    if (!node.isTextblock) return true;
    // What is no text takes one place, as it does in the document.
    found.push({ text: node.textBetween(0, node.content.size, undefined, "\uFFFC"), at: at + 1 });
    return false;
  });
  yield* found;
}

function marked(doc: Node): DecorationSet {
  const all: Decoration[] = [];
  for (const { text, at } of lines(doc)) {
    for (const { from, to } of places(text)) all.push(Decoration.inline(at + from, at + to, { class: css.open ?? "" }));
  }
  return DecorationSet.create(doc, all);
}

export const OpenPlaces = Extension.create({
  name: "openPlaces",
  addProseMirrorPlugins: () => [
    new Plugin<DecorationSet>({
      state: {
        init: (_, { doc }) => marked(doc),
        apply: (change, old) => (change.docChanged ? marked(change.doc) : old),
      },
      props: {
        decorations(state) {
          return this.getState(state);
        },
      },
    }),
  ],
});

/** Selects the first place of a text. */
export function select(editor: Editor, text: string) {
  for (const line of lines(editor.state.doc)) {
    const found = line.text.indexOf(text);
    if (found < 0) continue;
    const { state, view } = editor;
    const selection = TextSelection.create(state.doc, line.at + found, line.at + found + text.length);
    view.dispatch(state.tr.setSelection(selection).scrollIntoView());
    break;
  }
  editor.commands.focus();
}
