// SPDX-License-Identifier: EUPL-1.2
//! What a mail says as it goes out: the words, the signature, and what is passed on.

import type { Attachment, Conversation, Message, Sender, Uuid } from "@belofte/api-client";
import type { Words } from "../i18n";
import type { Draft } from "./draft";
import { written } from "./people";

/** A message in words for somebody who has not seen it, with a head in the language of this desk. */
export function quote(message: Message, subject: string, words: Words): string {
  const { t } = words;
  const { name, address } = message.author;
  const head: [string, string][] = [
    [t("forward.from"), address ? written({ name, address }) : name],
    [t("forward.date"), words.fullTime(message.sent_at ?? message.created_at)],
    [t("forward.subject"), message.subject ?? subject],
    [t("forward.to"), message.to.map(written).join(", ")],
    [t("forward.cc"), message.cc.map(written).join(", ")],
  ];
  const lines = head.filter(([, value]) => value).map(([label, value]) => `${label}: ${value}`);
  return [`---------- ${t("forward.head")} ----------`, ...lines, "", message.text.trim()].join("\n");
}

/** The whole text: what was written, the signature below it, and last what is passed on. */
export const wholeText = (draft: Draft, sender: Sender | undefined): string =>
  [draft.text.trim(), draft.signed ? (sender?.signature ?? "") : "", draft.quoted ?? ""].filter(Boolean).join("\n\n");

/** Text as markup that shows it. */
export const escaped = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** Plain text as markup: its paragraphs and lines. */
export const htmlOf = (text: string): string =>
  text
    .split(/\n{2,}/)
    .map((part) => `<p>${escaped(part).replace(/\n/g, "<br>")}</p>`)
    .join("");

/** Whether a formatted draft shows this upload in its place. */
export const shows = (html: string | null, file: Attachment): boolean => html?.includes(`data-attachment="${file.id}"`) ?? false;

/** Whether there is anything to send: words, or a picture. */
export const says = (draft: Draft): boolean => draft.text.trim() !== "" || (draft.html?.includes("<img") ?? false);

/** As `wholeText`, with markup; nothing where the draft has none. Uploads are named as the mail will name them. */
export function wholeHtml(draft: Draft, sender: Sender | undefined): string | null {
  if (draft.html === null) return null;
  const { body } = new DOMParser().parseFromString(draft.html, "text/html");
  for (const image of body.querySelectorAll("img[data-attachment]")) {
    image.setAttribute("src", `cid:${image.getAttribute("data-attachment")}@inline`);
    image.removeAttribute("data-attachment");
  }
  const signature = draft.signed ? (sender?.signature ?? "") : "";
  return [
    body.innerHTML,
    signature ? htmlOf(signature) : "",
    draft.quoted ? `<blockquote>${htmlOf(draft.quoted)}</blockquote>` : "",
  ].join("");
}

/** What goes to the server: the text, or the markup, of which it makes the text. */
export function content(draft: Draft, sender: Sender | undefined): { text: string; html?: string } {
  const html = wholeHtml(draft, sender);
  return html === null ? { text: wholeText(draft, sender) } : { text: "", html };
}

/** The account that a message came or went through. */
export function accountOf(message: Message | undefined, conversation: Conversation | null): Uuid | undefined {
  const thread = conversation?.threads.find((one) => one.id === message?.thread_id);
  // One that was moved is answered from where it is now.
  if (conversation?.answers_from) return conversation.answers_from;
  return thread?.channel_account_id ?? conversation?.channel_account_id;
}
