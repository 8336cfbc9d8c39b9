// SPDX-License-Identifier: EUPL-1.2
//! The dialogues of merging, linking, splitting and moving: each says before what it will do.

import type { Conversation, ConversationRow, Message, Uuid } from "@belofte/api-client";
import { Button, Checkbox, Modal, SegmentedControl, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import { api } from "../app/api";
import { rowOf } from "../app/lists";
import { conversationQuery, messagesQuery, sendersQuery } from "../app/queries";
import { recentConversations } from "../app/recent";
import { FailureLine } from "../app/states";
import { useWords } from "../i18n";
import { MailIcon, WarnIcon } from "../ui/icons";
import { type Arrangement, arrange, link, merge, split, toMailbox } from "./arrange";
import css from "./arrange-dialog.module.css";
import { StatusMark } from "./status";

const TITLES = {
  merge: "merge.title",
  link: "link.title",
  split: "split.title",
  mailbox: "mailbox.title",
} as const;

export default function ArrangeDialog({ what, id, message }: Arrangement) {
  const { t } = useWords();
  const conversation = useQuery(conversationQuery(id)).data;
  const close = () => arrange(null);
  return (
    <Modal
      opened
      onClose={close}
      title={t(TITLES[what])}
      size={520}
      closeButtonProps={{ "aria-label": t("action.close") }}
    >
      {conversation &&
        (what === "split" ? (
          <Split conversation={conversation} first={message} close={close} />
        ) : what === "mailbox" ? (
          <Mailboxes row={rowOf(conversation)} close={close} />
        ) : (
          <Pair what={what} conversation={conversation} close={close} />
        ))}
    </Modal>
  );
}

const nameOf = (row: ConversationRow) => row.contact.name || row.contact.address;

/** The conversations that one may mean: of the same person, looked at lately, by number or by words. */
function useCandidates(conversation: Conversation, text: string) {
  const [q] = useDebouncedValue(text.trim(), 150);
  const no = /^#?\d{1,15}$/.test(q) ? Number(q.replace("#", "")) : null;
  const numbered = useQuery({
    queryKey: ["numbered", no],
    queryFn: ({ signal }) => api.conversations.numbered(no ?? 0, signal),
    enabled: no !== null && no > 0,
    retry: false,
    gcTime: 30_000,
  });
  const found = useQuery({
    queryKey: ["pair", q],
    queryFn: ({ signal }) => api.search.find(q, undefined, signal, 8),
    enabled: q.length >= 2,
    placeholderData: keepPreviousData,
    gcTime: 30_000,
  });
  const rows = new Map<Uuid, ConversationRow>();
  const add = (row: ConversationRow) => row.id !== conversation.id && rows.set(row.id, row);
  if (q === "") {
    for (const row of conversation.other_conversations) add(row);
    for (const row of recentConversations(conversation.id)) add(row);
  } else {
    if (no !== null && numbered.data) add(numbered.data);
    for (const hit of q.length >= 2 ? (found.data?.items ?? []) : []) add(hit.conversation);
  }
  const waiting =
    text.trim() !== q ||
    (no !== null && numbered.isFetching) ||
    (q.length >= 2 && found.isFetching);
  return { rows: [...rows.values()], waiting, error: found.error };
}

function Pair({
  what,
  conversation,
  close,
}: {
  what: "merge" | "link";
  conversation: Conversation;
  close: () => void;
}) {
  const words = useWords();
  const { t } = words;
  const navigate = useNavigate();
  const { view } = useParams({ strict: false });
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState<ConversationRow | null>(null);
  const [keep, setKeep] = useState<"this" | "other">("this");
  const list = useRef<HTMLUListElement>(null);
  const { rows, waiting, error } = useCandidates(conversation, text);
  // Enter came before what it is meant for: it is meant for it all the same.
  const [entered, setEntered] = useState(false);
  const first = rows[0];
  useEffect(() => {
    if (!entered || waiting) return;
    setEntered(false);
    if (first) setChosen(first);
  }, [entered, waiting, first]);
  const own = rowOf(conversation);
  const act = useMutation({
    mutationFn: async (other: ConversationRow) => {
      if (what === "link") return link(own, other, true, words);
      const [target, part] = keep === "this" ? [own, other] : [other, own];
      await merge(target, part, words);
      if (target.id !== own.id) {
        await navigate({
          to: "/inbox/$view/$conversation",
          params: { view: view ?? "open", conversation: target.id },
        });
      }
    },
    onSuccess: close,
  });
  const walk = (event: KeyboardEvent, step: 1 | -1) => {
    const buttons = [...(list.current?.querySelectorAll("button") ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    event.preventDefault();
    buttons[Math.max(0, Math.min(at + step, buttons.length - 1))]?.focus();
  };
  if (chosen) {
    const [target, part] = keep === "this" ? [own, chosen] : [chosen, own];
    const others = what === "merge" && target.contact.id !== part.contact.id;
    const tags = part.tags
      .filter((tag) => !target.tags.some((one) => one.id === tag.id))
      .map((tag) => tag.name);
    return (
      <div className={css.form}>
        <div className={css.pair}>
          <Told row={target} />
          <Told row={part} />
        </div>
        {what === "merge" && (
          <>
            <SegmentedControl
              fullWidth
              aria-label={t("merge.keep")}
              value={keep}
              onChange={(value) => setKeep(value as "this" | "other")}
              data={[
                { value: "this", label: t("merge.keep_no", { no: String(own.no) }) },
                { value: "other", label: t("merge.keep_no", { no: String(chosen.no) }) },
              ]}
            />
            <p>
              {t("merge.what", {
                no: String(part.no),
                into: String(target.no),
                count: part.message_count + target.message_count,
              })}
            </p>
            {tags.length > 0 && (
              <p>{t("merge.tags", { tags: tags.join(", "), count: tags.length })}</p>
            )}
            {others && (
              <p className={css.warning} role="alert">
                <WarnIcon size={16} />
                <span>
                  {t("merge.other_contact", { one: nameOf(target), other: nameOf(part) })}
                </span>
              </p>
            )}
          </>
        )}
        {what === "link" && <p>{t("link.what")}</p>}
        {act.isError && <FailureLine error={act.error} />}
        <div className={css.row}>
          <Button variant="default" onClick={() => setChosen(null)}>
            {t("action.back")}
          </Button>
          <Button
            loading={act.isPending}
            onClick={() => act.mutate(chosen)}
            data-autofocus
            autoFocus
          >
            {what === "link" ? t("link.do") : others ? t("merge.do_others") : t("merge.do")}
          </Button>
        </div>
      </div>
    );
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: hands the arrow keys to the field and the buttons in it
    <div
      className={css.form}
      onKeyDown={(event) => {
        if (event.key === "ArrowDown") walk(event, 1);
        if (event.key === "ArrowUp") walk(event, -1);
      }}
    >
      <TextInput
        label={t(what === "merge" ? "merge.with" : "link.with")}
        placeholder={t("pair.hint")}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setEntered(false);
        }}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          setEntered(true);
        }}
        autoComplete="off"
        data-autofocus
      />
      <ul ref={list} className={css.list} aria-label={t("pair.found")}>
        {rows.map((row) => (
          <li key={row.id}>
            <button type="button" onClick={() => setChosen(row)}>
              <StatusMark status={row.status} />
              <span className={css.what}>
                <strong>{row.subject || t("row.no_subject")}</strong>
                <span>{t("pair.about", { no: String(row.no), who: nameOf(row) })}</span>
              </span>
              <time dateTime={row.last_message_at}>
                {words.shortTime(row.last_message_at, new Date())}
              </time>
            </button>
          </li>
        ))}
      </ul>
      {error && <FailureLine error={error} />}
      {rows.length === 0 && !waiting && (
        <p className={css.none}>{text.trim() ? t("pair.none") : t("pair.begin")}</p>
      )}
    </div>
  );
}

function Told({ row }: { row: ConversationRow }) {
  const { t } = useWords();
  return (
    <div className={css.told}>
      <strong>{row.subject || t("row.no_subject")}</strong>
      <span>{t("pair.about", { no: String(row.no), who: nameOf(row) })}</span>
      <span>{t("pair.messages", { count: row.message_count })}</span>
    </div>
  );
}

function Mailboxes({ row, close }: { row: ConversationRow; close: () => void }) {
  const words = useWords();
  const { t } = words;
  const senders = useQuery(sendersQuery);
  const act = useMutation({
    mutationFn: (id: Uuid) => {
      const mailbox = senders.data?.items.find((one) => one.id === id);
      return mailbox ? toMailbox(row, mailbox, words) : Promise.resolve();
    },
    onSuccess: close,
  });
  const others = (senders.data?.items ?? []).filter(
    (one) => one.id !== row.channel_account_id && one.can_send,
  );
  return (
    <div className={css.form}>
      <p>{t("mailbox.what")}</p>
      <ul className={css.list} aria-label={t("mailbox.title")}>
        {others.map((one) => (
          <li key={one.id}>
            <button type="button" disabled={act.isPending} onClick={() => act.mutate(one.id)}>
              <MailIcon size={16} />
              <span className={css.what}>
                <strong>{one.address}</strong>
                {one.from_name && <span>{one.from_name}</span>}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {senders.data && others.length === 0 && <p className={css.none}>{t("mailbox.none")}</p>}
      {senders.isError && (
        <FailureLine error={senders.error} retry={() => void senders.refetch()} />
      )}
      {act.isError && <FailureLine error={act.error} />}
    </div>
  );
}

/** The first words of a message in one line. */
const beginning = (message: Message) => message.text.replace(/\s+/g, " ").trim().slice(0, 90);

interface SplitProps {
  conversation: Conversation;
  first: Uuid | undefined;
  close: () => void;
}

function Split({ conversation, first, close }: SplitProps) {
  const words = useWords();
  const { t } = words;
  const navigate = useNavigate();
  const { view } = useParams({ strict: false });
  const pages = useInfiniteQuery(messagesQuery(conversation.id));
  const messages = [...(pages.data?.pages ?? [])].reverse().flatMap((page) => page.items);
  const [chosen, setChosen] = useState<Uuid[]>(first ? [first] : []);
  const [subject, setSubject] = useState(conversation.subject);
  const show = (id: Uuid) =>
    navigate({
      to: "/inbox/$view/$conversation",
      params: { view: view ?? "open", conversation: id },
    });
  const act = useMutation({
    mutationFn: () =>
      split(rowOf(conversation), chosen, subject.trim(), words, (id) => void show(id)),
    onSuccess: (made) => {
      close();
      return show(made.id);
    },
  });
  const mails = messages.filter((one) => one.kind !== "note");
  const out = mails.filter((one) => chosen.includes(one.id)).length;
  const left = conversation.message_count > messages.length || out < mails.length;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    act.mutate();
  };
  return (
    <form className={css.form} onSubmit={submit}>
      <p>{t("split.what")}</p>
      <fieldset className={css.messages}>
        <legend>{t("split.which")}</legend>
        {pages.hasNextPage && (
          <Button
            variant="subtle"
            loading={pages.isFetchingNextPage}
            onClick={() => void pages.fetchNextPage()}
          >
            {t("thread.older")}
          </Button>
        )}
        {messages.map((message) => (
          <Checkbox
            key={message.id}
            checked={chosen.includes(message.id)}
            onChange={(event) => {
              const on = event.currentTarget.checked;
              setChosen((all) =>
                on ? [...all, message.id] : all.filter((one) => one !== message.id),
              );
            }}
            label={
              <>
                <strong>
                  {message.author.name || message.author.address || t("message.unknown_author")}
                </strong>{" "}
                {words.shortTime(message.created_at, new Date())}
              </>
            }
            description={beginning(message)}
          />
        ))}
      </fieldset>
      <TextInput
        label={t("split.subject")}
        maxLength={500}
        value={subject}
        onChange={(event) => setSubject(event.currentTarget.value)}
        autoComplete="off"
      />
      {!left && <p className={css.none}>{t("split.left")}</p>}
      {act.isError && <FailureLine error={act.error} />}
      <div className={css.row}>
        <Button variant="default" onClick={close}>
          {t("action.cancel")}
        </Button>
        <Button
          type="submit"
          loading={act.isPending}
          disabled={out === 0 || !left || subject.trim() === ""}
        >
          {t("split.do", { count: chosen.length })}
        </Button>
      </div>
    </form>
  );
}
