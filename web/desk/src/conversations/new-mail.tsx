// SPDX-License-Identifier: EUPL-1.2
//! A mail that begins a conversation.

import { type Attachment, ApiError, type CreateConversation } from "@belofte/api-client";
import { ActionIcon, Button, Tooltip } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type ClipboardEvent, type KeyboardEvent, useCallback, useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import { api, newKey } from "../app/api";
import { NEW } from "../app/here";
import { arrive } from "../app/hold";
import { keys, queryClient, sendersQuery } from "../app/queries";
import { Blank, Failure, FailureLine } from "../app/states";
import { useTitle } from "../app/title";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { asksForMacros, MacroButton } from "../macros/macro-button";
import { askForMacros } from "../macros/offer";
import { UnfilledLine, useUnfilled } from "../macros/unfilled";
import { usePlace } from "../macros/use-place";
import { BackIcon, ClipIcon, MailIcon } from "../ui/icons";
import composer from "./composer.module.css";
import { type Draft, EMPTY, readDraft } from "./draft";
import { DraftConflict, DraftState } from "./draft-line";
import { flush, hold, release } from "./draft-sync";
import css from "./new-mail.module.css";
import { FormatButton, Formatted } from "./mail-text";
import { content, says, shows } from "./outgoing";
import { written } from "./people";
import { allGood, Recipients } from "./recipients";
import type { RichField } from "./rich";
import { SenderField, Signature } from "./sender";
import { offerUndo, undoSeconds } from "./undo";
import { FileList, useDrop, useUploads } from "./uploads";
import { useDraft } from "./use-draft";
import { awaited, received, withRecipient } from "./write-to";

export default function NewMail({ onBack }: { onBack: () => void }) {
  const words = useWords();
  const { t } = words;
  const navigate = useNavigate();
  const found = useQuery(sendersQuery);
  const { draft, update, change, anew, shownAnew, opened } = useDraft(NEW);
  const [queued, setQueued] = useState(false);
  const [typed, setTyped] = useState("");
  const first = useRef<HTMLInputElement>(null);
  const subject = useRef<HTMLInputElement>(null);
  const whom = useRef(awaited());
  const field = useRef<HTMLTextAreaElement>(null);
  const rich = useRef<RichField>(null);
  const picker = useRef<HTMLInputElement>(null);
  const attempt = useRef<{ print: string; body: CreateConversation; key: string } | null>(null);
  const id = useId();
  useTitle(t("new_mail.title"));

  const uploads = useUploads(
    useCallback((file: Attachment) => update((old) => ({ ...old, files: [...old.files, file] })), [update]),
  );
  const { over, listens } = useDrop(uploads.start);
  usePlace({ id: NEW, draft, update, field, rich, taken: null, anew });
  const unfilled = useUnfilled(draft);

  const senders = found.data?.items ?? [];
  const able = senders.filter((one) => one.can_send);
  const sender = able.find((one) => one.id === draft.account) ?? able[0];
  const people = { to: draft.to ?? [], cc: draft.cc ?? [], bcc: draft.bcc };

  // To whom, first of all; a draft goes on where its text ends.
  const there = sender !== undefined;
  useLayoutEffect(() => {
    if (!there) return;
    const text = arrive("new mail") ?? "";
    if (whom.current) {
      // They are filled in: one goes on with what it is about.
      subject.current?.focus();
      if (text) update((old) => ({ ...old, subject: old.subject + text.replaceAll("\n", " ") }));
    } else if (readDraft(NEW).to === null) {
      first.current?.focus();
      setTyped(text);
    } else {
      field.current?.focus();
      if (text) update((old) => ({ ...old, text: old.text + text }));
    }
  }, [there, update]);

  useEffect(() => {
    if (!opened || !whom.current) return;
    received();
    const { draft: next, joined } = withRecipient(readDraft(NEW), whom.current);
    update(() => next);
    if (joined) toast(t("did.recipient_added", { who: whom.current.name || whom.current.address }));
  }, [opened, update, t]);

  const send = useMutation({
    mutationFn: async ({ body }: { body: CreateConversation; draft: Draft }) => {
      const print = JSON.stringify(body);
      const version = await hold(NEW, "mail");
      // Sent again after a lost answer it is the same mail, and begins no second conversation.
      if (attempt.current?.print !== print) {
        attempt.current = { print, key: newKey(), body: version ? { ...body, draft_version: version } : body };
      }
      return api.conversations.create(attempt.current.body, attempt.current.key);
    },
    onError: () => release(NEW, "mail", null),
    onSuccess: (message, { draft: was }) => {
      const along = attempt.current?.body.draft_version ?? undefined;
      attempt.current = null;
      update(() => EMPTY);
      release(NEW, "mail", { draft: along });
      uploads.clear();
      void queryClient.invalidateQueries({ queryKey: keys.lists });
      void queryClient.invalidateQueries({ queryKey: keys.counts });
      if (undoSeconds() === 0) toast(t("did.sent"));
      void navigate({
        to: "/inbox/$view/$conversation",
        params: { view: "waiting", conversation: message.conversation_id },
        replace: true,
      });
      offerUndo(message, NEW, was, words, () => {
        void navigate({ to: "/inbox/$view/$conversation", params: { view: "mine", conversation: NEW }, replace: true });
      });
    },
  });

  const uploading = uploads.sending.some((one) => one.error === null);
  const failedFile = uploads.sending.some((one) => one.error !== null);
  const filled = says(draft) || draft.files.length > 0;
  const ready = sender && filled && draft.subject.trim() !== "" && people.to.length > 0 && allGood(people);
  const submit = () => {
    if (!sender || !ready || send.isPending || !unfilled.passes()) return;
    if (uploading) {
      setQueued(true);
      return;
    }
    const body: CreateConversation = {
      account_id: sender.id,
      to: people.to.map(written),
      ...(people.cc.length > 0 ? { cc: people.cc.map(written) } : {}),
      ...(people.bcc.length > 0 ? { bcc: people.bcc.map(written) } : {}),
      subject: draft.subject.trim(),
      ...content(draft, sender),
      attachment_ids: draft.files.map((one) => one.id),
      ...(undoSeconds() > 0 ? { undo_seconds: undoSeconds() } : {}),
    };
    send.mutate({ body, draft });
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when the last file is there, and only then
  useEffect(() => {
    if (!queued || uploading) return;
    setQueued(false);
    if (!failedFile) submit();
  }, [queued, uploading, failedFile]);

  const onPaste = (event: ClipboardEvent) => {
    const files = [...event.clipboardData.files];
    if (files.length === 0) return;
    event.preventDefault();
    uploads.start(files);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (asksForMacros(event)) {
      event.preventDefault();
      askForMacros([NEW]);
      return;
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      submit();
    }
    // What was written is kept: Escape costs nothing.
    if (event.key === "Escape") onBack();
  };

  return (
    <section className={css.place} aria-label={t("new_mail.title")} onKeyDown={onKeyDown} {...listens}>
      <header className={css.head}>
        <ActionIcon className={css.back} aria-label={t("action.back")} onClick={onBack}>
          <BackIcon />
        </ActionIcon>
        <h2>{t("new_mail.title")}</h2>
      </header>
      {found.isError && !found.data ? (
        <Failure error={found.error} retry={() => void found.refetch()} />
      ) : found.data && !sender ? (
        <Blank icon={MailIcon} title={t("new_mail.no_sender")} text={t("new_mail.no_sender_text")} />
      ) : sender ? (
        <div className={css.form}>
          <DraftConflict id={NEW} />
          <SenderField senders={able} account={sender.id} change={(account) => change({ account })} />
          <Recipients people={people} change={change} first={first} typed={typed} />
          <div className={css.subject}>
            <label htmlFor={id}>{t("new_mail.subject")}</label>
            <input
              ref={subject}
              id={id}
              value={draft.subject}
              maxLength={500}
              autoComplete="off"
              onChange={(event) => change({ subject: event.currentTarget.value })}
            />
          </div>
          {draft.html !== null ? (
            <div className={css.rich}>
              <Formatted key={shownAnew} html={draft.html} label={t("new_mail.text")} change={change} uploads={uploads} field={rich} />
            </div>
          ) : (
            <textarea
              ref={field}
              className={css.text}
              value={draft.text}
              aria-label={t("new_mail.text")}
              placeholder={t("new_mail.hint")}
              onChange={(event) => change({ text: event.currentTarget.value })}
              onPaste={onPaste}
              onBlur={() => flush(NEW)}
            />
          )}
          <div className={css.below}>
            <Signature text={sender.signature} signed={draft.signed} change={(signed) => change({ signed })} />
            <FileList
              files={draft.files.filter((one) => !shows(draft.html, one))}
              remove={(one) => change({ files: draft.files.filter((file) => file !== one) })}
              uploads={uploads}
            />
          </div>
          <UnfilledLine unfilled={unfilled} field={field} rich={rich} send={submit} />
          {send.isError && (
            <div className={composer.error}>
              <FailureLine error={send.error} retry={submit} />
              {!(send.error instanceof ApiError) && <p>{t("composer.kept")}</p>}
            </div>
          )}
          <div className={composer.foot}>
            <Tooltip label={t("composer.attach")}>
              <button type="button" className={composer.icon} aria-label={t("composer.attach")} onClick={() => picker.current?.click()}>
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
            <MacroButton id={NEW} />
            <FormatButton draft={draft} change={change} />
            <DraftState id={NEW} />
            <span className={composer.hint}>{t("composer.send_hint")}</span>
            <Button disabled={!ready} loading={send.isPending || queued} onClick={submit}>
              {t("composer.send")}
            </Button>
          </div>
        </div>
      ) : null}
      {over && <div className={css.drop}>{t("composer.drop")}</div>}
    </section>
  );
}
