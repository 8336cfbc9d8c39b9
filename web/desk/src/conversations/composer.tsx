// SPDX-License-Identifier: EUPL-1.2

import { type Attachment, ApiError, type Conversation, type Message, type CreateMessage, type Upload, type Uuid } from "@belofte/api-client";
import { Button, Menu, TextInput, Tooltip } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type ClipboardEvent, type KeyboardEvent, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { api, newKey } from "../app/api";
import { keep, kept } from "../app/private-store";
import { keys, queryClient } from "../app/queries";
import { useSession } from "../app/session";
import { explainShort, FailureLine } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { ClipIcon, CloseIcon, DownIcon, FileIcon, LockIcon, ReplyIcon } from "../ui/icons";
import { findRow, show } from "./actions";
import { join, type Kind } from "./compose";
import css from "./composer.module.css";
import { appendMessage } from "./message-cache";

interface Draft {
  kind: Kind;
  reply: string;
  note: string;
  to: string;
  cc: string;
  files: Attachment[];
}

interface Sending {
  local: string;
  name: string;
  size: number;
  fraction: number;
  error: unknown;
  upload: Upload;
  file: File;
}

const MAX_HEIGHT = 320;
/** The id of the messages above, where the focus goes when it came from nowhere. */
export const MESSAGES = "messages";

function readDraft(id: string): Draft {
  const empty: Draft = { kind: "reply", reply: "", note: "", to: "", cc: "", files: [] };
  const text = kept(`draft.${id}`);
  if (!text) return empty;
  try {
    return { ...empty, ...(JSON.parse(text) as Partial<Draft>) };
  } catch {
    return empty;
  }
}

function writeDraft(id: string, draft: Draft) {
  const bare = !draft.reply && !draft.note && !draft.to && !draft.cc && draft.files.length === 0;
  keep(`draft.${id}`, bare ? null : JSON.stringify(draft));
}

export const splitAddresses = (text: string): string[] =>
  text
    .split(/[,;\s]+/)
    .map((one) => one.replace(/^<|>$/g, ""))
    .filter(Boolean);

interface Props {
  id: Uuid;
  /** Null while it is on its way: one can write already, and send when it is there. */
  conversation: Conversation | null;
  messages: readonly Message[];
  onNext: () => void;
}

export function Composer({ id, conversation, messages, onNext }: Props) {
  const words = useWords();
  const { t, bytes } = words;
  const session = useSession();
  const [draft, setDraft] = useState<Draft>(() => readDraft(id));
  const [sending, setSending] = useState<Sending[]>([]);
  const [addressing, setAddressing] = useState(Boolean(draft.to || draft.cc));
  const [over, setOver] = useState(false);
  const [started, setStarted] = useState(false);
  const [queued, setQueued] = useState<{ resolve: boolean } | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const attempt = useRef<{ body: string; key: string } | null>(null);
  const text = draft[draft.kind];

  const change = useCallback(
    (part: Partial<Draft>) =>
      setDraft((old) => {
        const next = { ...old, ...part };
        writeDraft(id, next);
        return next;
      }),
    [id],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight, MAX_HEIGHT)}px`;
  }, [text, draft.kind]);

  // Where the focus goes back to with Escape.
  const from = useRef<HTMLElement | null>(null);
  const begun = useRef(false);
  const write = useCallback(
    (kind: Kind, typed = "") => {
      const { activeElement } = document;
      if (activeElement instanceof HTMLElement && activeElement !== field.current) from.current = activeElement;
      setDraft((old) => {
        const next = { ...old, kind, [kind]: old[kind] + typed };
        writeDraft(id, next);
        return next;
      });
      // At once: the next key is the first letter of the text already. A draft goes on at its end.
      const element = field.current;
      element?.focus();
      if (!begun.current) element?.setSelectionRange(element.value.length, element.value.length);
      begun.current = true;
    },
    [id],
  );
  useLayoutEffect(() => join(id, write), [id, write]);
  const leave = () => {
    const back = from.current;
    if (back?.isConnected && back !== document.body) back.focus();
    else document.getElementById(MESSAGES)?.focus();
  };

  const lastIncoming = [...messages].reverse().find((one) => one.kind === "incoming");
  const answered = lastIncoming?.author.address ?? conversation?.contact.identities[0]?.value ?? "";

  const send = useMutation({
    mutationFn: ({ body }: { body: CreateMessage; resolve: boolean }) => {
      const print = JSON.stringify(body);
      // The same words sent again after a lost answer carry the same key, so
      // that the customer cannot get them twice.
      if (attempt.current?.body !== print) attempt.current = { body: print, key: newKey() };
      return api.conversations.send(id, body, attempt.current.key);
    },
    onSuccess: (message, { body, resolve }) => {
      attempt.current = null;
      const rest: Draft =
        body.kind === "note" ? { ...draft, note: "", files: [] } : { ...draft, reply: "", to: "", cc: "", files: [] };
      setDraft({ ...rest, kind: "reply" });
      writeDraft(id, { ...rest, kind: "reply" });
      setSending([]);
      setAddressing(false);
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
        toast(t("did.sent_resolved"));
        onNext();
      }
    },
  });

  const uploading = sending.some((one) => one.error === null);
  const coming = conversation === null;
  const filled = text.trim() !== "" || (draft.kind === "reply" && draft.files.length > 0);
  const ready = !coming && filled;
  const submit = (resolve: boolean) => {
    if (!filled || send.isPending) return;
    if (uploading || coming) {
      // Who sends while a file is still on its way means with that file; and who is faster than the conversation
      // is not told to press again.
      setQueued({ resolve });
      return;
    }
    setQueued(null);
    const to = splitAddresses(draft.to);
    const cc = splitAddresses(draft.cc);
    const body: CreateMessage = {
      kind: draft.kind,
      text: text.trim(),
      attachment_ids: draft.files.map((one) => one.id),
      ...(draft.kind === "reply" && to.length > 0 ? { to } : {}),
      ...(draft.kind === "reply" && cc.length > 0 ? { cc } : {}),
      ...(resolve ? { resolve: true } : {}),
    };
    send.mutate({ body, resolve });
  };

  const failedFile = sending.some((one) => one.error !== null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when the last file and the conversation are there, and only then
  useEffect(() => {
    if (!queued || uploading || coming) return;
    setQueued(null);
    if (!failedFile) submit(queued.resolve);
  }, [queued, uploading, failedFile, coming]);

  const start = useCallback(
    (files: Iterable<File>) => {
      for (const file of files) {
        const local = newKey();
        const update = (part: Partial<Sending>) =>
          setSending((list) => list.map((one) => (one.local === local ? { ...one, ...part } : one)));
        const upload = api.attachments.upload(file, (fraction) => update({ fraction }));
        setSending((list) => [
          ...list,
          { local, name: file.name, size: file.size, fraction: 0, error: null, upload, file },
        ]);
        upload.promise.then(
          (attachment) => {
            setSending((list) => list.filter((one) => one.local !== local));
            setDraft((old) => {
              const next = { ...old, files: [...old.files, attachment] };
              writeDraft(id, next);
              return next;
            });
          },
          (error: unknown) => {
            if (error instanceof DOMException && error.name === "AbortError") {
              setSending((list) => list.filter((one) => one.local !== local));
            } else update({ error });
          },
        );
      }
    },
    [id],
  );

  const onPaste = (event: ClipboardEvent) => {
    const files = [...event.clipboardData.files];
    if (files.length === 0) return;
    event.preventDefault();
    start(files);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      submit(event.shiftKey && draft.kind === "reply");
    }
    if (event.key === "Escape") leave();
  };

  const note = draft.kind === "note";
  return (
    <section
      className={css.composer}
      data-kind={draft.kind}
      data-over={over || undefined}
      data-filled={started || text !== "" || draft.files.length > 0 || sending.length > 0 || undefined}
      aria-label={t("composer.name")}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes("Files")) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        start(event.dataTransfer.files);
      }}
    >
      <div className={css.box}>
        <div className={css.top}>
          <div className={css.tabs} role="group" aria-label={t("composer.kind")}>
            <button type="button" aria-pressed={!note} onClick={() => write("reply")}>
              <ReplyIcon size={15} /> {t("composer.reply")}
            </button>
            <button type="button" aria-pressed={note} data-note onClick={() => write("note")}>
              <LockIcon size={15} /> {t("composer.note")}
            </button>
          </div>
          {note ? (
            <span className={css.who}>{t("message.note_band")}</span>
          ) : addressing || !answered ? null : (
            <button type="button" className={css.recipients} onClick={() => setAddressing(true)}>
              {t("composer.to_whom", { address: answered })}
            </button>
          )}
        </div>
        {!note && addressing && (
          <div className={css.addresses}>
            <TextInput
              label={t("composer.to")}
              value={draft.to}
              placeholder={answered}
              onChange={(event) => change({ to: event.currentTarget.value })}
              classNames={{ root: css.line ?? "", label: css.label ?? "" }}
              autoComplete="off"
              inputMode="email"
            />
            <TextInput
              label={t("composer.cc")}
              value={draft.cc}
              onChange={(event) => change({ cc: event.currentTarget.value })}
              classNames={{ root: css.line ?? "", label: css.label ?? "" }}
              autoComplete="off"
              inputMode="email"
            />
          </div>
        )}
        <textarea
          ref={field}
          className={css.field}
          rows={2}
          value={text}
          aria-label={note ? t("composer.note_field") : t("composer.reply_field")}
          placeholder={note ? t("composer.note_hint") : t("composer.reply_hint")}
          onChange={(event) => change({ [draft.kind]: event.currentTarget.value })}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
          onFocus={() => setStarted(true)}
        />
        {(draft.files.length > 0 || sending.length > 0) && (
          <ul className={css.files} aria-label={t("composer.files")}>
            {draft.files.map((one) => (
              <li key={one.id}>
                <FileIcon size={15} />
                <span className={css.file}>{one.name}</span>
                <span className={css.size}>{bytes(one.size_bytes)}</span>
                <button
                  type="button"
                  aria-label={t("composer.remove_file", { name: one.name })}
                  onClick={() => change({ files: draft.files.filter((file) => file.id !== one.id) })}
                >
                  <CloseIcon size={13} />
                </button>
              </li>
            ))}
            {sending.map((one) => (
              <li key={one.local} data-failed={one.error !== null || undefined}>
                <FileIcon size={15} />
                <span className={css.file}>{one.name}</span>
                {one.error ? (
                  <>
                    <span role="alert" className={css.size}>
                      {explainShort(one.error, words)}
                    </span>
                    <button
                      type="button"
                      className={css.retry}
                      onClick={() => {
                        setSending((list) => list.filter((other) => other.local !== one.local));
                        start([one.file]);
                      }}
                    >
                      {t("action.try_again")}
                    </button>
                  </>
                ) : (
                  <progress value={one.fraction} max={1} aria-label={t("composer.uploading", { name: one.name })} />
                )}
                <button
                  type="button"
                  aria-label={t("composer.remove_file", { name: one.name })}
                  onClick={() =>
                    one.error
                      ? setSending((list) => list.filter((other) => other.local !== one.local))
                      : one.upload.cancel()
                  }
                >
                  <CloseIcon size={13} />
                </button>
              </li>
            ))}
          </ul>
        )}
        {send.isError && (
          <div className={css.error}>
            <FailureLine error={send.error} retry={() => submit(send.variables?.resolve ?? false)} />
            {!(send.error instanceof ApiError) && <p>{t("composer.kept")}</p>}
          </div>
        )}
        <div className={css.foot}>
          <Tooltip label={t("composer.attach")}>
            <button
              type="button"
              className={css.icon}
              aria-label={t("composer.attach")}
              onClick={() => picker.current?.click()}
            >
              <ClipIcon />
            </button>
          </Tooltip>
          <input
            ref={picker}
            type="file"
            multiple
            hidden
            onChange={(event) => {
              start(event.currentTarget.files ?? []);
              event.currentTarget.value = "";
            }}
          />
          <span className={css.hint}>{t("composer.send_hint")}</span>
          <span className={css.send}>
            <Button
              disabled={!ready}
              loading={send.isPending || queued !== null}
              onClick={() => submit(false)}
              className={note ? css.noteButton : undefined}
              data-joined={!note || undefined}
            >
              {note ? t("composer.add_note") : t("composer.send")}
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
