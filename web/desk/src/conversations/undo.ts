// SPDX-License-Identifier: EUPL-1.2
//! Taking a message back while it waits to go out. The server decides whether it still does.

import { ApiError, type Mailbox, type Message } from "@belofte/api-client";
import { api } from "../app/api";
import { keys, queryClient } from "../app/queries";
import { explainShort } from "../app/states";
import { toast } from "../app/toasts";
import type { Words } from "../i18n";
import { type Draft, EMPTY, readDraft, writeDraft } from "./draft";
import { flush } from "./draft-sync";
import { chosenIn, namingsOf } from "./mentions";
import { removeMessage } from "./message-cache";
import { htmlOf } from "./outgoing";

const KEY = "belofte.undo";
/** So many seconds a message can wait before it goes out, on this device. */
export const WAITS = [0, 5, 10, 20] as const;

export function undoSeconds(): number {
  const kept = localStorage.getItem(KEY);
  return WAITS.find((one) => String(one) === kept) ?? 10;
}

export const keepUndoSeconds = (seconds: number) => localStorage.setItem(KEY, String(seconds));

type Place = (draft: Draft) => void;
const places = new Map<string, Place>();

/** Where a draft is written that comes back; returns how to leave. */
export function awaitDraft(id: string, place: Place): () => void {
  places.set(id, place);
  return () => {
    if (places.get(id) === place) places.delete(id);
  };
}

/** What came back, above what was begun since. */
export function joined(back: Draft, now: Draft): Draft {
  const { text, html, files, note, named } = now;
  if (back.noting) {
    const notes = [back.note, note].filter((one) => one.trim()).join("\n\n");
    return { ...now, noting: true, note: notes, named: [...back.named, ...named], files: [...back.files, ...files] };
  }
  const both = [back.text, text].filter((one) => one.trim()).join("\n\n");
  const marked = back.html ?? (html === null ? null : htmlOf(back.text));
  const more = html ?? (text.trim() ? htmlOf(text) : "");
  return { ...back, note, named, noting: false, text: both, html: marked === null ? null : marked + more, files: [...back.files, ...files] };
}

function giveBack(id: string, draft: Draft) {
  const place = places.get(id);
  if (place) place(draft);
  else writeDraft(id, joined(draft, readDraft(id)));
  // The message is no more: what it said is kept at once.
  queueMicrotask(() => queueMicrotask(() => flush(id)));
}

/** A draft of a message that was taken back, where nobody has kept what it was made of. */
export function draftOf(message: Message): Draft {
  const blind: Mailbox[] = message.deliveries.filter((one) => one.role === "bcc").map((one) => one.recipient);
  const { text, to, cc, attachments } = message;
  if (message.kind === "note") {
    return { ...EMPTY, noting: true, note: text, named: chosenIn(text, namingsOf(message.mentions)), files: attachments };
  }
  // Its signature is a part of its text by now.
  return { ...EMPTY, text, to, cc, bcc: blind, files: attachments, signed: false };
}

/** Takes `message` back; `draft` is what it was made of, and `id` where that was written. */
export async function takeBack(message: Message, id: string, draft: Draft | null, words: Words): Promise<boolean> {
  try {
    const was = await api.messages.undo(message.id);
    giveBack(id, draft ?? draftOf(was));
    await removeMessage(message);
    void queryClient.invalidateQueries({ queryKey: keys.lists });
    void queryClient.invalidateQueries({ queryKey: keys.counts });
    void queryClient.invalidateQueries({ queryKey: keys.activity(message.conversation_id) });
    void queryClient.invalidateQueries({ queryKey: keys.conversation(message.conversation_id) });
    toast(words.t(message.kind === "note" ? "did.note_taken_back" : "did.taken_back"));
    return true;
  } catch (error) {
    const late = error instanceof ApiError && (error.status === 409 || error.status === 404);
    toast(late ? words.t(message.kind === "note" ? "did.note_too_late" : "did.too_late") : explainShort(error, words), { bad: true });
    return false;
  }
}

/** Says that a message goes out, and lets it be taken back as long as that helps. */
export function offerUndo(message: Message, id: string, draft: Draft, words: Words, then: () => void) {
  const seconds = undoSeconds();
  if (seconds === 0) return;
  // A note is there at once; it is the way back that ends.
  toast(message.kind === "note" ? words.t("did.noted") : words.t("did.sending", { seconds }), {
    life: seconds * 1000,
    undo: () => void takeBack(message, id, draft, words).then((back) => back && then()),
  });
}

/** Whether a message waits only so that it can be taken back. */
export const waits = (message: Message): boolean =>
  message.deliveries.length > 0 && message.deliveries.every((one) => one.state === "queued" && one.attempts === 0 && Boolean(one.next_try_at));
