// SPDX-License-Identifier: EUPL-1.2
//! A conversation on paper: its headers and its words, nothing that has to be fetched from anywhere. Notes are left
//! out unless somebody wants them.

import type { Message } from "@belofte/api-client";
import { Button, Checkbox } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { conversationQuery, messagesQuery } from "../app/queries";
import { Failure, Skeleton } from "../app/states";
import { useTitle } from "../app/title";
import { useWords, type Words } from "../i18n";
import { splitQuoted } from "../messages/quoted";
import { isolated } from "../ui/isolate";
import { PrintIcon } from "../ui/icons";
import { withNames } from "./mentions";
import css from "./print.module.css";

const person = (one: { name: string; address?: string | null }) =>
  isolated(one.name && one.address ? `${one.name} <${one.address}>` : one.name || one.address || "");

export function PrintConversation() {
  const words = useWords();
  const { t } = words;
  const { conversation: id = "" } = useParams({ strict: false });
  const [notes, setNotes] = useState(false);
  const [quoted, setQuoted] = useState(false);
  const [now] = useState(() => new Date().toISOString());
  const conversation = useQuery(conversationQuery(id));
  const messages = useInfiniteQuery(messagesQuery(id));
  const { hasNextPage, isFetchingNextPage, fetchNextPage, isError } = messages;
  // All of it goes on paper, however long it is.
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && !isError) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, isError, fetchNextPage]);
  const all = useMemo(() => [...(messages.data?.pages ?? [])].reverse().flatMap((page) => page.items), [messages.data]);
  const ready = conversation.isSuccess && messages.isSuccess && !hasNextPage;
  const title = conversation.data
    ? t("print.title", { no: String(conversation.data.no), subject: conversation.data.subject || t("row.no_subject") })
    : t("print.name");
  useTitle(title);
  const error = conversation.error ?? messages.error;
  return (
    <main className={css.paper}>
      <div className={css.bar}>
        <Button leftSection={<PrintIcon size={16} />} disabled={!ready} onClick={() => window.print()}>
          {t("print.now")}
        </Button>
        <Checkbox label={t("print.notes")} checked={notes} onChange={(event) => setNotes(event.currentTarget.checked)} />
        <Checkbox label={t("print.quoted")} checked={quoted} onChange={(event) => setQuoted(event.currentTarget.checked)} />
      </div>
      {error ? (
        <Failure error={error} retry={() => void (conversation.isError ? conversation.refetch() : messages.refetch())} />
      ) : !ready ? (
        <Skeleton rows={6} />
      ) : (
        <>
          <h1>{title}</h1>
          <p className={css.lead}>{t("print.lead", { time: words.fullTime(now) })}</p>
          {all
            .filter((one) => notes || one.kind !== "note")
            .map((one) => (
              <Printed key={one.id} message={one} quoted={quoted} words={words} />
            ))}
        </>
      )}
    </main>
  );
}

function Printed({ message, quoted, words }: { message: Message; quoted: boolean; words: Words }) {
  const { t, bytes } = words;
  const { own } = splitQuoted(message.text, message.quoted_from ?? null);
  const files = message.attachments.filter((one) => !one.inline || !message.html);
  const rows: [string, string][] = [
    [t("print.from"), person({ name: message.author.name || t("message.unknown_author"), address: message.author.address ?? null })],
    [t("print.to"), message.to.map(person).join(", ")],
    [t("print.cc"), message.cc.map(person).join(", ")],
    [t("print.date"), words.fullTime(message.sent_at ?? message.created_at)],
    [t("print.subject"), message.subject ?? ""],
    [t("print.attachments"), files.map((one) => `${one.name} (${bytes(one.size_bytes)})`).join(", ")],
  ];
  return (
    <article className={css.message} data-kind={message.kind}>
      {message.kind === "note" && <p className={css.note}>{t("message.note_band")}</p>}
      <dl>
        {rows
          .filter(([, text]) => text !== "")
          .map(([name, text]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{text}</dd>
            </div>
          ))}
      </dl>
      <div className={css.text}>{message.kind === "note" ? withNames(message.text, message.mentions) : quoted ? message.text : own}</div>
    </article>
  );
}
