// SPDX-License-Identifier: EUPL-1.2
//! What a mail says as it goes out: the words, the signature, and what is passed on.

import type { Conversation, Message, Sender, Uuid } from "@belofte/api-client";
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

/** The account that a message came or went through. */
export function accountOf(message: Message | undefined, conversation: Conversation | null): Uuid | undefined {
  const thread = conversation?.threads.find((one) => one.id === message?.thread_id);
  return thread?.channel_account_id ?? conversation?.channel_account_id;
}
