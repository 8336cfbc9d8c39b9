// SPDX-License-Identifier: EUPL-1.2
//! Which macros are offered over what, and what was used of one: the words in a draft, and the change at the
//! server. One undo takes both back. No drawing here.

import type { ConversationRow, Language, Macro, MacroActions, Message, Sender, Tag, UndoMacro, User, UserRef, Uuid } from "@belofte/api-client";
import { api } from "../app/api";
import { NEW } from "../app/here";
import { keys, queryClient } from "../app/queries";
import { explainShort } from "../app/states";
import { toast } from "../app/toasts";
import { findRow, show } from "../conversations/actions";
import type { Change } from "../conversations/changes";
import { type Draft, readDraft, writeDraft } from "../conversations/draft";
import { flush } from "../conversations/draft-sync";
import { inTurn } from "../conversations/turns";
import type { Words } from "../i18n";
import { keepAfter } from "./after";
import { below, into, type Piece, takenBack } from "./insertion";
import { languageOf } from "./language";
import { untilOf } from "./moments";
import { dayIn, fillHtml, fillText, firstName, type Values } from "./placeholders";

/** A place where words can be put: a composer on the screen. */
export interface Place {
  /** Who else writes there, so that nothing can be put in. */
  taken: string | null;
  insert: (piece: Piece) => void;
  /** Shows another draft than was typed there. */
  show: (draft: Draft) => void;
  focus: () => void;
}

const places = new Map<string, Place>();

/** A composer says how words come into it; returns how to leave. */
export function joinPlace(id: string, place: Place): () => void {
  places.set(id, place);
  return () => {
    if (places.get(id) === place) places.delete(id);
  };
}

export const placeOf = (id: string | undefined): Place | null => (id === undefined ? null : (places.get(id) ?? null));

/** Those that are used most first, and then by name. */
export const inOrder = (macros: readonly Macro[]): Macro[] =>
  [...macros].sort((a, b) => b.uses - a.uses || a.name.localeCompare(b.name));

/** Whether a macro changes anything. */
export const acts = ({ status, assignee, queue_id, add_tag_ids, remove_tag_ids }: MacroActions): boolean =>
  status !== undefined || (assignee ?? "any") !== "any" || queue_id !== undefined || (add_tag_ids?.length ?? 0) + (remove_tag_ids?.length ?? 0) > 0;

/** What the names in a macro stand for. */
export interface About {
  contact?: { name: string; address: string } | undefined;
  subject?: string | undefined;
  no?: number | undefined;
  agent: Pick<User, "name">;
  sender?: Sender | undefined;
}

export function valuesOf({ contact, subject, no, agent, sender }: About, language: Language, now: Date): Values {
  return {
    "contact.name": contact?.name ?? "",
    "contact.first_name": firstName(contact?.name ?? ""),
    "contact.email": contact?.address ?? "",
    "conversation.subject": subject ?? "",
    "conversation.number": no === undefined ? "" : String(no),
    "agent.name": agent.name,
    "mailbox.name": sender?.from_name || sender?.address || "",
    today: dayIn(language, now),
  };
}

/** What a macro says, filled in. */
export function pieceOf(text: { text?: string; html?: string | null | undefined }, values: Values): Piece {
  return { text: fillText(text.text ?? "", values), html: text.html ? fillHtml(text.html, values) : null };
}

/** The language to begin with: of the customer's latest message, or of who uses it; where there are words in it. */
export function languageFor(macro: Pick<Macro, "languages">, messages: readonly Message[], own: Language): { language: Language; instead: boolean } {
  const latest = [...messages].reverse().find((one) => one.kind === "incoming");
  const wanted = (latest && languageOf(latest.text)) ?? own;
  const other: Language = wanted === "nl" ? "en" : "nl";
  const has = macro.languages.includes(wanted) || !macro.languages.includes(other);
  return { language: has ? wanted : other, instead: !has };
}

interface Known {
  users: readonly UserRef[] | undefined;
  tags: readonly Tag[] | undefined;
  queues: readonly { id: Uuid; name: string }[] | undefined;
  me: User;
}

/** One thing that a macro does, in words; `gone` where it names what is not there any more. */
export interface Told {
  key: string;
  text: string;
  gone: boolean;
}

export function toldOf(actions: MacroActions, { users, tags, queues, me }: Known, words: Words, now: Date): Told[] {
  const { t } = words;
  const told: Told[] = [];
  const add = (key: string, text: string, gone = false) => told.push({ key, text, gone });
  if (actions.status === "snoozed" && actions.snooze) {
    add("status", t("status.snoozed_until", { time: words.moment(untilOf(actions.snooze, now).toISOString(), now) }));
  } else if (actions.status) {
    add("status", t("macro.does_status", { status: t(STATUSES[actions.status]) }));
  }
  if (actions.assignee === "me") add("assignee", t("macro.does_assign", { name: me.name }));
  else if (actions.assignee === "none") add("assignee", t("macro.does_release"));
  else if (actions.assignee && actions.assignee !== "any") {
    const user = users?.find((one) => one.id === actions.assignee);
    const gone = users !== undefined && user?.state !== "active";
    add("assignee", gone ? t("macro.gone_user", { name: user?.name ?? "" }) : t("macro.does_assign", { name: user?.name ?? "" }), gone);
  }
  if (actions.queue_id) {
    const queue = queues?.find((one) => one.id === actions.queue_id);
    const gone = queues !== undefined && !queue;
    add("queue", gone ? t("macro.gone_queue") : t("macro.does_move", { queue: queue?.name ?? "" }), gone);
  }
  for (const [ids, name, archived] of [
    [actions.add_tag_ids ?? [], "macro.does_tag", false],
    [actions.remove_tag_ids ?? [], "macro.does_untag", true],
  ] as const) {
    for (const id of ids) {
      const tag = tags?.find((one) => one.id === id);
      const gone = tags !== undefined && (!tag || (tag.archived && !archived));
      add(`${name} ${id}`, gone ? t("macro.gone_tag", { tag: tag?.name ?? "" }) : t(name, { tag: tag?.name ?? "" }), gone);
    }
  }
  return told;
}

export const STATUSES = { open: "status.open", waiting: "status.waiting", snoozed: "status.snoozed", resolved: "status.resolved" } as const;

/** What a macro does as a change of many; without what is gone. */
export function changeOf(actions: MacroActions, { users, tags, queues, me }: Known, now: Date): Change {
  const assignee = actions.assignee ?? "any";
  const user = assignee === "me" ? me : users?.find((one) => one.id === assignee && one.state === "active");
  const assigns = assignee === "none" || user !== undefined;
  const until = actions.snooze ? untilOf(actions.snooze, now).toISOString() : undefined;
  const queue = queues?.find((one) => one.id === actions.queue_id);
  const named = (ids: readonly Uuid[] | undefined, archived: boolean) => (tags ?? []).filter((one) => ids?.includes(one.id) && (archived || !one.archived));
  const [added, removed] = [named(actions.add_tag_ids, false), named(actions.remove_tag_ids, true)];
  return {
    patch: {
      ...(actions.status ? { status: actions.status } : {}),
      ...(until ? { snoozed_until: until } : {}),
      ...(assigns ? { assignee_id: user?.id ?? null } : {}),
      ...(queue ? { queue_id: queue.id } : {}),
      ...(added.length > 0 ? { add_tag_ids: added.map((one) => one.id) } : {}),
      ...(removed.length > 0 ? { remove_tag_ids: removed.map((one) => one.id) } : {}),
    },
    shown: (row) => {
      const { snoozed_until, woken_at, assignee: was, ...rest } = row;
      const kept = row.tags.filter((one) => ![...added, ...removed].some((tag) => tag.id === one.id));
      const standing = actions.status ? { snoozed_until: until } : { snoozed_until, woken_at };
      const more = { ...standing, assignee: assigns ? user : was };
      return {
        ...rest,
        ...Object.fromEntries(Object.entries(more).filter(([, value]) => value)),
        status: actions.status ?? row.status,
        queue: queue ? { id: queue.id, name: queue.name } : row.queue,
        tags: [...kept, ...added.map(({ id, name, colour }) => ({ id, name, colour }))].sort((a, b) => a.name.localeCompare(b.name)),
      };
    },
  };
}

interface Use {
  macro: Macro;
  /** The conversation, or the mail that begins one. */
  id: string;
  piece: Piece | null;
  /** Whether the rest is done where something it names is gone. */
  rest: boolean;
  me: User;
  words: Words;
}

/** Uses a macro on one conversation: first the change at the server, and with that the words. Throws when refused. */
export async function apply({ macro, id, piece, rest, me, words }: Use): Promise<void> {
  const { t } = words;
  const row = id === NEW ? null : findRow(id);
  let undo: UndoMacro | null = null;
  if (id !== NEW) {
    const until = macro.actions.snooze ? untilOf(macro.actions.snooze, new Date()).toISOString() : undefined;
    const used = await usedIn(id, row, macro, rest, until);
    if (used) {
      show(used.conversation, me.id);
      if (used.changed) {
        undo = used.undo;
        settle(id);
      }
      if (piece && macro.actions.status) {
        keepAfter(id, { status: macro.actions.status, ...(until ? { snoozed_until: until } : {}) });
      }
    }
  }
  const place = placeOf(id);
  const before = readDraft(id);
  let after: Draft | null = null;
  if (piece) {
    if (place) place.insert(piece);
    // Where the composer is still on its way, it opens with them.
    else writeDraft(id, before.html === null ? into(before, piece, before.text.length, before.text.length) : below(before, piece));
    // What was put in is drawn by then.
    setTimeout(() => {
      after = readDraft(id);
      flush(id);
    });
  }
  void queryClient.invalidateQueries({ queryKey: keys.macros });
  toast(t("did.macro", { name: macro.name }), {
    life: 12_000,
    undo: () => void takeBack(id, undo, after ? { before, after } : null, me, words),
  });
}

/** Asks the server; words alone are counted there, and wait for nobody. */
async function usedIn(id: Uuid, row: ConversationRow | null, macro: Macro, rest: boolean, until: string | undefined) {
  const ask = (version?: number) =>
    api.conversations.applyMacro(id, {
      macro_id: macro.id,
      macro_version: macro.version,
      skip_missing: rest,
      ...(until ? { snoozed_until: until } : {}),
      ...(version === undefined ? {} : { version }),
    });
  if (!acts(macro.actions)) {
    void ask().catch(() => undefined);
    return null;
  }
  if (!row) return ask();
  const done = await inTurn(id, row.version, async (version) => {
    const used = await ask(version);
    return { used, version: used.conversation.version };
  });
  return done.used;
}

function settle(id: Uuid) {
  void queryClient.invalidateQueries({ queryKey: keys.counts });
  void queryClient.invalidateQueries({ queryKey: keys.activity(id) });
  void queryClient.invalidateQueries({ queryKey: keys.lists });
}

async function takeBack(id: string, undo: UndoMacro | null, words_: { before: Draft; after: Draft } | null, me: User, words: Words) {
  const { t } = words;
  try {
    if (undo) {
      // What would have come back by now is open.
      const late = undo.status === "snoozed" && undo.snoozed_until && new Date(undo.snoozed_until) <= new Date();
      const { snoozed_until, ...others } = undo;
      const back = late ? { ...others, status: "open" as const } : undo;
      const row = await inTurn(id, findRow(id)?.version ?? 0, () => api.conversations.change(id, back));
      show(row, me.id);
      settle(id);
    }
  } catch (error) {
    toast(explainShort(error, words), { bad: true });
    return;
  }
  keepAfter(id, null);
  if (!words_) return;
  const left = takenBack(words_.before, words_.after, readDraft(id));
  if (!left) {
    toast(t("did.macro_words_stay"), { bad: true });
    return;
  }
  const place = placeOf(id);
  if (place) place.show(left);
  else writeDraft(id, left);
  queueMicrotask(() => flush(id));
}
