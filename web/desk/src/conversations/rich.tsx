// SPDX-License-Identifier: EUPL-1.2
//! The editor of formatted text. Fetched when somebody asks for it: who writes plain text never waits for it.

import type { Attachment } from "@belofte/api-client";
import Image from "@tiptap/extension-image";
import { type Editor, EditorContent, useEditor, useEditorState } from "@tiptap/react";
import StarterKit from "@tiptap/starter-kit";
import { type ReactNode, type Ref, useId, useImperativeHandle, useRef, useState } from "react";
import { api } from "../app/api";
import { useWords } from "../i18n";
import { OpenPlaces, select } from "../macros/open-places";
import { BulletsIcon, LinkIcon, NumbersIcon, QuoteIcon } from "../ui/icons";
import css from "./rich.module.css";

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** An image of the mail itself: an upload, by its id. Whatever is pasted, no other place is ever asked for a picture. */
const Picture = Image.extend({
  addAttributes() {
    return {
      attachment: {
        default: null,
        parseHTML: (element: HTMLElement) => element.getAttribute("data-attachment"),
        renderHTML: ({ attachment }: { attachment?: string }) =>
          attachment && ID.test(attachment) ? { "data-attachment": attachment, src: api.attachments.url(attachment) } : {},
      },
      alt: { default: "" },
    };
  },
  parseHTML: () => [{ tag: "img[data-attachment]" }],
});

const EXTENSIONS = [
  StarterKit.configure({
    heading: false,
    horizontalRule: false,
    link: { openOnClick: false, autolink: true, defaultProtocol: "https", protocols: ["mailto"], HTMLAttributes: { target: null, rel: null } },
  }),
  Picture,
  OpenPlaces,
];

const isPicture = (file: File) => /^image\/(png|jpeg|gif|webp)$/.test(file.type);

export interface RichField {
  focus: () => void;
  insert: (text: string) => void;
  /** Puts markup where the cursor is. */
  put: (html: string) => void;
  /** Goes to the first place of a text and selects it. */
  find: (text: string) => void;
}

interface Props {
  html: string;
  label: string;
  change: (html: string, text: string) => void;
  /** Takes files that were pasted or dropped; `then` gets each that is there. */
  take: (files: File[], then?: (file: Attachment) => void) => void;
  field?: Ref<RichField>;
  /** Takes the focus only when it is asked to. */
  quiet?: boolean;
}

export default function Rich({ html, label, change, take, field, quiet }: Props) {
  const { t } = useWords();
  const latest = useRef({ change, take });
  latest.current = { change, take };
  const editor = useEditor({
    extensions: EXTENSIONS,
    content: html,
    autofocus: quiet ? false : "end",
    // The policy of the desk allows no styles but those of its own sheets; they stand in rich.module.css.
    injectCSS: false,
    editorProps: {
      attributes: { role: "textbox", "aria-multiline": "true", "aria-label": label },
      // Sends, and is no line break before it.
      handleKeyDown: (_, event) => event.key === "Enter" && (event.ctrlKey || event.metaKey),
      handlePaste: (_, event) => place([...(event.clipboardData?.files ?? [])]),
      handleDrop: (_, event) => {
        const taken = place([...(event.dataTransfer?.files ?? [])]);
        // Else the whole field would attach them once more.
        if (taken) event.stopPropagation();
        return taken;
      },
    },
    onUpdate: ({ editor: now }) => latest.current.change(now.getHTML(), now.getText({ blockSeparator: "\n\n" })),
  });

  /** Pictures go where the cursor is, other files beside the text. */
  function place(files: File[]): boolean {
    if (files.length === 0) return false;
    const { take: send } = latest.current;
    send(files.filter(isPicture), (file) =>
      editor?.chain().insertContent({ type: "image", attrs: { attachment: file.id, alt: file.name } }).run(),
    );
    send(files.filter((one) => !isPicture(one)));
    return true;
  }

  useImperativeHandle(
    field,
    () => ({
      focus: () => void editor?.commands.focus(),
      insert: (text) => void editor?.chain().focus("end").insertContent(text).run(),
      put: (html) => void editor?.chain().focus().insertContent(html).run(),
      find: (text) => editor && select(editor, text),
    }),
    [editor],
  );

  return (
    <div className={css.rich}>
      {editor && <Toolbar editor={editor} name={t("rich.tools")} />}
      <EditorContent editor={editor} className={css.text} />
    </div>
  );
}

function Toolbar({ editor, name }: { editor: Editor; name: string }) {
  const { t } = useWords();
  const id = useId();
  const [link, setLink] = useState<string | null>(null);
  const on = useEditorState({
    editor,
    selector: ({ editor: now }) => ({
      bold: now.isActive("bold"),
      italic: now.isActive("italic"),
      bullets: now.isActive("bulletList"),
      numbers: now.isActive("orderedList"),
      quote: now.isActive("blockquote"),
      code: now.isActive("code"),
      link: now.isActive("link"),
    }),
  });
  const chain = () => editor.chain().focus();
  const tool = (label: string, active: boolean, run: () => void, sign: ReactNode) => (
    <button
      type="button"
      aria-label={label}
      title={label}
      aria-pressed={active}
      // The selection stays where it is.
      onMouseDown={(event) => event.preventDefault()}
      onClick={run}
    >
      {sign}
    </button>
  );
  const apply = () => {
    const address = (link ?? "").trim();
    setLink(null);
    if (!address) return void chain().extendMarkRange("link").unsetLink().run();
    const href = /^[a-z]+:/i.test(address) ? address : address.includes("@") ? `mailto:${address}` : `https://${address}`;
    if (editor.state.selection.empty && !on.link) {
      chain().insertContent({ type: "text", text: address, marks: [{ type: "link", attrs: { href } }] }).run();
    } else chain().extendMarkRange("link").setLink({ href }).run();
  };
  return (
    <div className={css.tools} role="toolbar" aria-label={name}>
      {tool(t("rich.bold"), on.bold, () => chain().toggleBold().run(), <b>B</b>)}
      {tool(t("rich.italic"), on.italic, () => chain().toggleItalic().run(), <i>I</i>)}
      {tool(t("rich.bullets"), on.bullets, () => chain().toggleBulletList().run(), <BulletsIcon size={16} />)}
      {tool(t("rich.numbers"), on.numbers, () => chain().toggleOrderedList().run(), <NumbersIcon size={16} />)}
      {tool(t("rich.quote"), on.quote, () => chain().toggleBlockquote().run(), <QuoteIcon size={16} />)}
      {tool(t("rich.code"), on.code, () => chain().toggleCode().run(), <code>{"<>"}</code>)}
      {tool(t("rich.link"), on.link, () => setLink(link === null ? (editor.getAttributes("link").href ?? "") : null), <LinkIcon size={16} />)}
      {link !== null && (
        <span className={css.link}>
          <label htmlFor={id} className="sr-only">
            {t("rich.link_address")}
          </label>
          <input
            id={id}
            // biome-ignore lint/a11y/noAutofocus: it was just asked for
            autoFocus
            value={link}
            placeholder="https://"
            inputMode="url"
            autoComplete="off"
            onChange={(event) => setLink(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.ctrlKey || event.metaKey) return;
              if (event.key === "Enter") {
                event.preventDefault();
                apply();
              } else if (event.key === "Escape") {
                event.stopPropagation();
                setLink(null);
                chain().run();
              }
            }}
          />
          <button type="button" onClick={apply}>
            {t("rich.link_apply")}
          </button>
        </span>
      )}
    </div>
  );
}
