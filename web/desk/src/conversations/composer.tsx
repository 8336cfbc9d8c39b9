// SPDX-License-Identifier: EUPL-1.2

import { type Attachment, ApiError, type Conversation, type CreateMessage, type Message, type Uuid } from "@belofte/api-client";
import { Button, Menu, Tooltip } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type ClipboardEvent, type KeyboardEvent, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { api, newKey } from "../app/api";
import { useHere } from "../app/here";
import { keys, queryClient, sendersQuery } from "../app/queries";
import { useSession } from "../app/session";
import { explainShort, FailureLine } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { type After, afterOf, keepAfter } from "../macros/after";
import { asksForMacros, MacroButton } from "../macros/macro-button";
import { askForMacros } from "../macros/offer";
import { UnfilledLine, useUnfilled } from "../macros/unfilled";
import { usePlace } from "../macros/use-place";
import { ClipIcon, DownIcon, LockIcon, PassOnIcon, ReplyAllIcon, ReplyIcon } from "../ui/icons";
import { findRow, show } from "./actions";
import { join, type Kind } from "./compose";
import css from "./composer.module.css";
import { type Draft, sent, turned } from "./draft";
import { DraftConflict, DraftState, Overtaken, WriterBar } from "./draft-line";
import { flush, hold, release } from "./draft-sync";
import { namings } from "./mentions";
import { appendMessage, refreshMessages } from "./message-cache";
import { accountOf, content, quote, says as hasWords, shows } from "./outgoing";
import { FormatButton, Formatted } from "./mail-text";
import { answerAll, answerTo, canBeAnswered, ownAddresses, usuallyAnswered, written, writtenTo } from "./people";
import { useHereIn, wroteIt } from "./presence";
import { useColleagues } from "./present";
import { allGood, type People, Recipients } from "./recipients";
import type { RichField } from "./rich";
import { SenderField, Signature } from "./sender";
import { awaitDraft, joined, offerUndo, undoSeconds } from "./undo";
import { FileList, useDrop, useUploads } from "./uploads";
import { useDraft } from "./use-draft";
import { WordsField } from "./words-field";

const MAX_HEIGHT = 320;
/** The id of the messages above, where the focus goes when it came from nowhere. */
export const MESSAGES = "messages";

interface Props {
  id: Uuid;
  /** Null while it is on its way: one can write already, and send when it is there. */
  conversation: Conversation | null;
  messages: readonly Message[];
  onNext: () => void;
}

const KINDS = [
  { kind: "reply", name: "composer.reply", icon: ReplyIcon },
  { kind: "all", name: "composer.reply_all", icon: ReplyAllIcon },
  { kind: "forward", name: "composer.forward", icon: PassOnIcon },
  { kind: "note", name: "composer.note", icon: LockIcon },
] as const;

export function Composer({ id, conversation, messages, onNext }: Props) {
  const words = useWords();
  const { t } = words;
  const session = useSession();
  const here = useHere();
  const navigate = useNavigate();
  const { draft, update, change, anew, shownAnew } = useDraft(id);
  const [addressing, setAddressing] = useState(false);
  const [started, setStarted] = useState(false);
  const [queued, setQueued] = useState<{ resolve: boolean } | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const rich = useRef<RichField>(null);
  const first = useRef<HTMLInputElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const attempt = useRef<{ print: string; body: CreateMessage; key: string } | null>(null);
  const senders = useQuery(sendersQuery).data?.items;
  const note = draft.noting;
  const kind: Kind = note ? "note" : draft.way;
  const text = note ? draft.note : draft.text;

  const uploads = useUploads(
    useCallback((file: Attachment) => update((old) => ({ ...old, files: [...old.files, file] })), [update]),
  );
  const { over, listens } = useDrop(uploads.start);

  const { writer } = useColleagues(id);
  const locked = !note && writer !== null;
  usePlace({ id, draft, update, field, rich, taken: locked ? writer.name : null, anew });
  const unfilled = useUnfilled(draft);
  // What a macro that wrote the answer makes of the conversation holds after the answer, too.
  const after = note ? null : afterOf(id, conversation?.status);
  // Whoever was overtaken while they wrote is told so; until then they may not have written at all.
  const [begunHere, setBegunHere] = useState(false);
  useHereIn(id, note ? "" : draft.text, writer !== null);
  // What was the newest when the writing began: a colleague's answer after it may not have been read.
  const newest = messages.at(-1)?.id;
  const begunAt = draft.text !== "" && draft.seen === null && draft.savedAt === null;
  useEffect(() => {
    if (begunAt && newest) change({ seen: newest });
  }, [begunAt, newest, change]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight, MAX_HEIGHT)}px`;
  }, [text, note]);

  // Where the focus goes back to with Escape.
  const from = useRef<HTMLElement | null>(null);
  const begun = useRef(false);
  const section = useRef<HTMLElement>(null);
  const toAddress = useRef(false);
  const write = useCallback(
    (wanted: Kind, typed = "", message: Uuid | null = null) => {
      const { activeElement } = document;
      if (activeElement instanceof HTMLElement && !section.current?.contains(activeElement)) from.current = activeElement;
      update((old) =>
        wanted === "note"
          ? { ...old, noting: true, note: old.note + typed }
          : { ...turned(old, wanted, message), text: old.text + typed },
      );
      // Who passes something on says first to whom; the field is there after the next drawing.
      if (wanted === "forward") toAddress.current = true;
      // At once: the next key is the first letter of the text already. A draft goes on at its end.
      const element = field.current;
      if (!element && wanted !== "note") {
        if (typed) rich.current?.insert(typed);
        else rich.current?.focus();
      }
      element?.focus();
      if (!begun.current) element?.setSelectionRange(element.value.length, element.value.length);
      begun.current = true;
    },
    [update],
  );
  useLayoutEffect(() => join(id, write), [id, write]);
  useLayoutEffect(() => {
    if (!toAddress.current || !first.current) return;
    toAddress.current = false;
    if (text === "") first.current.focus();
  });
  useLayoutEffect(() => awaitDraft(id, (back) => update((now) => joined(back, now))), [id, update]);
  const leave = () => {
    const back = from.current;
    if (back?.isConnected && back !== document.body) back.focus();
    else document.getElementById(MESSAGES)?.focus();
  };

  const answered = useMemo(() => {
    if (draft.answers) return messages.find((one) => one.id === draft.answers);
    const usually = usuallyAnswered(messages);
    // What nobody answers can be passed on.
    return draft.way === "forward" ? (usually ?? [...messages].reverse().find((one) => one.kind !== "note")) : usually;
  }, [messages, draft.answers, draft.way]);
  const own = useMemo(() => ownAddresses(senders ?? []), [senders]);
  const everybody = useMemo(() => (answered ? answerAll(answered, own) : { to: [], cc: [] }), [answered, own]);
  const usual: People = useMemo(() => {
    if (draft.way === "all") return { ...everybody, bcc: [] };
    if (draft.way === "forward") return { to: [], cc: [], bcc: [] };
    if (answered) return { to: answerTo(answered, own), cc: [], bcc: [] };
    const address = conversation?.contact.identities[0]?.value ?? "";
    return { to: writtenTo({ name: conversation?.contact.name ?? "", address }, messages), cc: [], bcc: [] };
  }, [draft.way, everybody, answered, own, conversation, messages]);
  const people: People = { to: draft.to ?? usual.to, cc: draft.cc ?? usual.cc, bcc: draft.bcc };
  // Nobody answers a report of the mail system: whoever writes all the same says to whom.
  const whole = conversation !== null && messages.length >= conversation.message_count;
  const reported = answered ? !canBeAnswered(answered) : whole && draft.answers === null;
  const nobody = draft.way !== "forward" && reported && usual.to.length === 0;
  const others = everybody.to.length + everybody.cc.length > 1;
  const account = draft.account ?? accountOf(answered, conversation);
  const sender = senders?.find((one) => one.id === account);
  const choosing = addressing || nobody || draft.way === "forward" || (draft.to ?? draft.cc) !== null || draft.bcc.length > 0;

  // What is passed on is put in words once the message is there; from then on it is the writer's.
  useEffect(() => {
    if (draft.way !== "forward" || draft.quoted !== null || !answered || !conversation) return;
    change({
      answers: answered.id,
      quoted: quote(answered, conversation.subject, words),
      copies: answered.attachments.filter((one) => !one.inline),
    });
  }, [draft.way, draft.quoted, answered, conversation, change, words]);

  const send = useMutation({
    mutationFn: async ({ body }: { body: CreateMessage; resolve: boolean; draft: Draft; standing: After | null }) => {
      const print = JSON.stringify(body);
      const version = await hold(id, body.kind === "note" ? "note" : "reply");
      // The same words sent again after a lost answer carry the same key, so
      // that the customer cannot get them twice.
      if (attempt.current?.print !== print) {
        attempt.current = { print, key: newKey(), body: version ? { ...body, draft_version: version } : body };
      }
      return api.conversations.send(id, attempt.current.body, attempt.current.key);
    },
    onError: (error, { body }) => {
      release(id, body.kind === "note" ? "note" : "reply", null);
      // Refused it was not stored: the next try may say something else of what was seen.
      if (error instanceof ApiError && error.code === "answered_meanwhile") {
        attempt.current = null;
        void refreshMessages(id, new Set());
      }
    },
    onSuccess: (message, { body, resolve, draft: was, standing }) => {
      const along = attempt.current?.body.draft_version ?? undefined;
      attempt.current = null;
      update((old) => sent(old, body.kind === "note"));
      release(id, body.kind === "note" ? "note" : "reply", { draft: along });
      setBegunHere(false);
      wroteIt(id);
      uploads.clear();
      setAddressing(false);
      if (body.kind !== "note") {
        keepAfter(id, null);
        if (standing) void api.conversations.change(id, standing).catch((error: unknown) => toast(explainShort(error, words), { bad: true }));
      }
      appendMessage(message);
      const row = findRow(id);
      if (row) {
        show(
          {
            ...row,
            status: resolve ? "resolved" : row.status,
            preview: message.text.slice(0, 140),
            last_message_at: message.created_at,
            last_message_kind: message.kind,
            message_count: row.message_count + 1,
          },
          session.user.id,
        );
      }
      void queryClient.invalidateQueries({ queryKey: keys.conversation(id) });
      void queryClient.invalidateQueries({ queryKey: keys.counts });
      if (resolve) {
        if (undoSeconds() === 0) toast(t("did.sent_resolved"));
        onNext();
      }
      offerUndo(message, id, was, words, () => {
        // The words are there; whoever went on is brought back to them.
        if (here() !== id) void navigate({ to: "/inbox/$view/$conversation", params: { view: "open", conversation: id } });
      });
    },
  });

  const uploading = uploads.sending.some((one) => one.error === null);
  const forward = draft.way === "forward";
  // Whom an answer to all goes to, and what is passed on, is known when the messages are there.
  const coming = conversation === null || (!note && draft.way !== "reply" && !answered && !nobody) || (!note && forward && draft.quoted === null);
  const filled = (note ? text.trim() !== "" : hasWords(draft)) || (!note && (draft.files.length > 0 || forward));
  // An answer that was lost and whose draft has gone was sent: there is nothing to try again.
  // Of what was sent, not of what is written now: who turns to a note still has the answer to try again.
  const tried = send.isError ? send.variables?.body.kind : undefined;
  const bare = tried === "note" ? draft.note.trim() === "" : !hasWords(draft) && draft.files.length === 0 && draft.way !== "forward";
  const nothing = tried !== undefined && bare;
  const { reset } = send;
  useEffect(() => {
    if (!nothing) return;
    attempt.current = null;
    reset();
  }, [nothing, reset]);
  const addressed = note || (allGood(people) && ((!forward && !nobody) || people.to.length > 0));
  const ready = !coming && filled && addressed && !locked;
  const lastAsked = useRef(false);
  const submit = (asked: boolean, anyway = false) => {
    lastAsked.current = asked;
    if (!filled || !addressed || send.isPending || locked || !unfilled.passes()) return;
    const resolve = asked || after?.status === "resolved";
    if (uploading || coming) {
      // Who sends while a file is still on its way means with that file; and who is faster than the conversation
      // is not told to press again.
      setQueued({ resolve });
      return;
    }
    setQueued(null);
    // Left to the server where nobody chose: it knows whom also when addresses are not shown here.
    const chose = draft.way !== "reply" || draft.to !== null || reported;
    const says = draft.way !== "reply" || draft.answers !== null || (answered !== undefined && answered.kind !== "incoming");
    // One further up than what is loaded is known to the server, which then says to whom.
    const answers = answered?.id ?? draft.answers;
    // What comes in meanwhile changes neither whom it goes to nor what it answers: sent again it is the same.
    if (!note && says && answered) change({ answers: answered.id, ...(chose ? { to: [...people.to], cc: [...people.cc] } : {}) });
    const before = draft.savedAt === null ? null : messages.filter((one) => one.created_at <= (draft.savedAt ?? "")).at(-1);
    const seen = anyway ? newest : (draft.seen ?? before?.id ?? newest);
    if (anyway && newest) change({ seen: newest });
    const body: CreateMessage = note
      ? {
          kind: "note",
          text: draft.note.trim(),
          mentions: namings(draft.note.trim(), draft.named),
          attachment_ids: draft.files.map((one) => one.id),
        }
      : {
          kind: forward ? "forward" : "reply",
          ...content(draft, sender),
          attachment_ids: draft.files.map((one) => one.id),
          ...(chose ? { to: people.to.map(written) } : {}),
          ...(people.cc.length > 0 ? { cc: people.cc.map(written) } : {}),
          ...(people.bcc.length > 0 ? { bcc: people.bcc.map(written) } : {}),
          ...(says && answers ? { answers_id: answers } : {}),
          ...(draft.account ? { account_id: draft.account } : {}),
          ...(seen && !forward ? { seen_message_id: seen } : {}),
          ...(draft.copies.length > 0 ? { copied_attachment_ids: draft.copies.map((one) => one.id) } : {}),
          ...(resolve ? { resolve: true } : {}),
          ...(undoSeconds() > 0 ? { undo_seconds: undoSeconds() } : {}),
        };
    // One that is put off again needs a moment that is still to come.
    const passed = after?.snoozed_until !== undefined && new Date(after.snoozed_until) <= new Date();
    send.mutate({ body, resolve, draft, standing: resolve || passed || after?.status === "waiting" ? null : after });
  };

  const failedFile = uploads.sending.some((one) => one.error !== null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when the last file and the conversation are there, and only then
  useEffect(() => {
    if (!queued || uploading || coming) return;
    setQueued(null);
    if (!failedFile) submit(queued.resolve);
  }, [queued, uploading, failedFile, coming]);

  const onPaste = (event: ClipboardEvent) => {
    const files = [...event.clipboardData.files];
    if (files.length === 0) return;
    event.preventDefault();
    uploads.start(files);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // A menu that floats has keys of its own.
    if (!(event.target instanceof Node) || !section.current?.contains(event.target)) return;
    if (asksForMacros(event)) {
      event.preventDefault();
      askForMacros([id]);
      return;
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      submit(event.shiftKey && !note);
    }
    if (event.key === "Escape") leave();
  };

  const overtaken = send.error instanceof ApiError && send.error.code === "answered_meanwhile" && !send.isPending;
  const names = people.to.map((one) => one.name || one.address).join(", ");
  const copied = people.cc.map((one) => one.name || one.address).join(", ");
  return (
    <section
      ref={section}
      className={css.composer}
      data-kind={note ? "note" : "reply"}
      data-over={over || undefined}
      data-filled={started || text !== "" || forward || draft.files.length > 0 || uploads.sending.length > 0 || undefined}
      aria-label={t("composer.name")}
      onKeyDown={onKeyDown}
      {...listens}
    >
      <div className={css.box}>
        <div className={css.top}>
          <div className={css.tabs} role="group" aria-label={t("composer.kind")}>
            {KINDS.filter((one) => one.kind !== "all" || others || kind === "all").map((one) => (
              <button
                key={one.kind}
                type="button"
                aria-pressed={kind === one.kind}
                data-note={one.kind === "note" || undefined}
                onClick={() => write(one.kind)}
              >
                <one.icon size={15} /> <span>{t(one.name)}</span>
              </button>
            ))}
          </div>
          {note ? (
            <span className={css.who}>{t("message.note_band")}</span>
          ) : choosing || !names ? null : (
            <button
              type="button"
              className={css.recipients}
              title={[...people.to, ...people.cc].map((one) => one.address).join(", ")}
              onClick={() => setAddressing(true)}
            >
              {copied ? t("composer.to_whom_cc", { names, copied }) : t("composer.to_whom", { address: names })}
            </button>
          )}
        </div>
        {!note && choosing && (
          <div className={css.addresses}>
            <Recipients people={people} change={change} first={first} up />
            <SenderField senders={senders ?? []} account={account} change={(chosen) => change({ account: chosen })} />
          </div>
        )}
        <DraftConflict id={id} />
        {!note && <WriterBar id={id} begun={begunHere} taken={() => write(kind)} />}
        {!note && draft.html !== null ? (
          <div inert={locked}>
          <Formatted
            key={shownAnew}
            html={draft.html}
            label={forward ? t("composer.forward_field") : t("composer.reply_field")}
            change={change}
            uploads={uploads}
            field={rich}
          />
          </div>
        ) : (
          <WordsField
            id={id}
            field={field}
            readOnly={locked}
            className={css.field}
            text={text}
            named={note ? draft.named : null}
            aria-label={note ? t("composer.note_field") : forward ? t("composer.forward_field") : t("composer.reply_field")}
            placeholder={note ? t("composer.note_hint") : forward ? t("composer.forward_hint") : t("composer.reply_hint")}
            change={(words, named) => {
              if (!note) setBegunHere(true);
              change(note ? { note: words, named } : { text: words });
            }}
            onPaste={onPaste}
            onFocus={() => setStarted(true)}
            onLeave={() => flush(id)}
          />
        )}
        {!note && (started || text !== "") && (
          <Signature text={sender?.signature ?? ""} signed={draft.signed} change={(signed) => change({ signed })} />
        )}
        {!note && draft.quoted !== null && <Quoted text={draft.quoted} />}
        <FileList
          files={note ? draft.files : [...draft.copies, ...draft.files.filter((one) => !shows(draft.html, one))]}
          remove={(one) =>
            change({ files: draft.files.filter((file) => file !== one), copies: draft.copies.filter((file) => file !== one) })
          }
          uploads={uploads}
        />
        <UnfilledLine unfilled={unfilled} field={field} rich={rich} send={() => submit(lastAsked.current)} />
        {overtaken && (
          <Overtaken read={() => document.getElementById(MESSAGES)?.focus()} send={() => submit(send.variables?.resolve ?? false, true)} />
        )}
        {send.isError && !overtaken && (
          <div className={css.error}>
            <FailureLine error={send.error} retry={() => submit(send.variables?.resolve ?? false)} />
            {!(send.error instanceof ApiError) && <p>{t("composer.kept")}</p>}
          </div>
        )}
        <div className={css.foot}>
          <Tooltip label={t("composer.attach")}>
            <button type="button" className={css.icon} aria-label={t("composer.attach")} onClick={() => picker.current?.click()}>
              <ClipIcon />
            </button>
          </Tooltip>
          <input
            ref={picker}
            type="file"
            multiple
            hidden
            onChange={(event) => {
              uploads.start(event.currentTarget.files ?? []);
              event.currentTarget.value = "";
            }}
          />
          <MacroButton id={id} />
          {!note && <FormatButton draft={draft} change={change} />}
          <DraftState id={id} />
          <span className={css.hint}>{t("composer.send_hint")}</span>
          <span className={css.send}>
            <Button
              disabled={!ready}
              loading={send.isPending || queued !== null}
              onClick={() => submit(false)}
              className={note ? css.noteButton : undefined}
              data-joined={!note || undefined}
            >
              {note ? t("composer.add_note") : t(after?.status === "resolved" ? "composer.send_resolve" : "composer.send")}
            </Button>
            {!note && (
              <Menu width={250} position="top-end">
                <Menu.Target>
                  <Button
                    px={8}
                    className={css.split}
                    disabled={!ready || send.isPending || queued !== null}
                    aria-label={t("composer.send_more")}
                  >
                    <DownIcon size={14} />
                  </Button>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item onClick={() => submit(true)}>{t("composer.send_resolve")}</Menu.Item>
                </Menu.Dropdown>
              </Menu>
            )}
          </span>
        </div>
      </div>
      {over && <div className={css.drop}>{t("composer.drop")}</div>}
    </section>
  );
}

/** What is passed on, folded: it goes along whether it is looked at or not. */
function Quoted({ text }: { text: string }) {
  const { t } = useWords();
  return (
    <details className={css.quoted}>
      <summary>{t("composer.passed_on")}</summary>
      <p>{text}</p>
    </details>
  );
}
