// SPDX-License-Identifier: EUPL-1.2
//! A draft as the server keeps it, and as the composer has it.

import type { Draft as Kept, DraftContent } from "@belofte/api-client";
import { type Draft, EMPTY } from "./draft";
import { chosenIn, namings } from "./mentions";

export type Kind = Kept["kind"];

/** What one of the two says to the server; null when there is nothing to keep. */
export function contentOf(kind: Kind, draft: Draft): DraftContent | null {
  const { noting, note, named, text, html, way, answers, to, cc, bcc, subject, account, signed, quoted, copies, files } = draft;
  if (kind === "note") {
    const own = noting ? files : [];
    if (note === "" && own.length === 0) return null;
    return { text: note, unsigned: false, bcc: [], subject: "", attachment_ids: own.map((one) => one.id), copied_attachment_ids: [], mentions: namings(note, named) };
  }
  const own = noting ? [] : files;
  const bare = text === "" && html === null && to === null && cc === null && bcc.length === 0 && subject === "" && quoted === null && copies.length === 0;
  if (bare && own.length === 0 && account === null) return null;
  return {
    text,
    ...(html === null ? {} : { html }),
    way,
    ...(answers ? { answers_id: answers } : {}),
    ...(to ? { to } : {}),
    ...(cc ? { cc } : {}),
    bcc,
    subject,
    ...(account ? { account_id: account } : {}),
    unsigned: !signed,
    ...(quoted === null ? {} : { quoted }),
    attachment_ids: own.map((one) => one.id),
    copied_attachment_ids: copies.map((one) => one.id),
    mentions: [],
  };
}

/** The draft that the server keeps, in parts, as the composer has it. */
export function draftFrom(items: readonly Kept[]): Draft {
  const note = items.find((one) => one.kind === "note");
  const other = items.find((one) => one.kind !== "note");
  const words = note?.content.text ?? "";
  const draft: Draft = { ...EMPTY, note: words, named: chosenIn(words, note?.content.mentions ?? []), noting: note !== undefined && other === undefined };
  if (!other) return { ...draft, files: note?.attachments ?? [] };
  const { content } = other;
  return {
    ...draft,
    way: content.way ?? "reply",
    text: content.text ?? "",
    html: content.html ?? null,
    answers: content.answers_id ?? null,
    to: content.to?.map(({ name = "", address }) => ({ name, address })) ?? null,
    cc: content.cc?.map(({ name = "", address }) => ({ name, address })) ?? null,
    bcc: (content.bcc ?? []).map(({ name = "", address }) => ({ name, address })),
    subject: content.subject ?? "",
    account: content.account_id ?? null,
    signed: !content.unsigned,
    quoted: content.quoted ?? null,
    copies: other.copied_attachments,
    // The composer has one list; what lies with the note goes along with what is in front.
    files: [...other.attachments, ...(note?.attachments ?? [])],
    savedAt: other.saved_at,
  };
}

/** Both texts, the one that the server has above. */
export function both(theirs: Draft, mine: Draft): Draft {
  const texts = (one: string, other: string) => (one === other ? one : [one, other].filter((text) => text.trim()).join("\n\n"));
  const markup = theirs.html === null && mine.html === null ? null : texts(theirs.html ?? "", mine.html ?? "").replace("\n\n", "");
  const files = [...theirs.files, ...mine.files.filter((file) => !theirs.files.some((one) => one.id === file.id))];
  return {
    ...mine,
    text: texts(theirs.text, mine.text),
    note: texts(theirs.note, mine.note),
    named: [...theirs.named, ...mine.named],
    html: markup,
    subject: mine.subject || theirs.subject,
    to: mine.to ?? theirs.to,
    cc: mine.cc ?? theirs.cc,
    bcc: mine.bcc.length > 0 ? mine.bcc : theirs.bcc,
    files,
  };
}
