// SPDX-License-Identifier: EUPL-1.2

import type { Contact, Conversation, ConversationRow } from "@belofte/api-client";
import { ActionIcon, Button, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Fragment, type FormEvent, useState } from "react";
import { api } from "../app/api";
import { copy } from "../app/copy";
import { patchLists, rowOf } from "../app/lists";
import { conversationQuery, keys, queryClient } from "../app/queries";
import { useSession } from "../app/session";
import { FailureLine, Skeleton } from "../app/states";
import { useWords } from "../i18n";
import { PanelFields } from "../fields/panel-fields";
import { PanelMacros } from "../macros/panel-macros";
import { CheckIcon, CopyIcon, MailIcon, PencilIcon } from "../ui/icons";
import { Monogram } from "../ui/monogram";
import { Related } from "./related";
import { StatusMark } from "./status";
import css from "./panel.module.css";

export function Panel({ id }: { id: string }) {
  const words = useWords();
  const { t } = words;
  const conversation = useQuery(conversationQuery(id));
  if (conversation.isPending) return <Skeleton rows={4} />;
  // The thread beside it asks for the same and says what is wrong; a second alert says nothing more.
  if (!conversation.data) return null;
  const { contact, other_conversations: others, participants } = conversation.data;
  const further = participants.filter((one) => !contact.identities.some((own) => own.value === one.address));
  return (
    <div className={css.panel}>
      <Person key={contact.id} contact={contact} conversation={conversation.data} />
      <section aria-labelledby="panel-case">
        <h3 id="panel-case">{t("panel.case")}</h3>
        <dl className={css.facts}>
          <dt>{t("panel.case_no")}</dt>
          <dd>{t("thread.case_no", { no: String(conversation.data.no) })}</dd>
          <dt>{t("channel.queue")}</dt>
          <dd>{conversation.data.queue.name}</dd>
          <dt>{t("panel.began")}</dt>
          <dd>
            <time dateTime={conversation.data.created_at} title={words.fullTime(conversation.data.created_at)}>
              {words.day(conversation.data.created_at)}
            </time>
          </dd>
          <dt>{t("panel.messages")}</dt>
          <dd>{words.number(conversation.data.message_count)}</dd>
        </dl>
      </section>
      <section aria-labelledby="panel-identities">
        <h3 id="panel-identities">{t("panel.identities")}</h3>
        <ul>
          {contact.identities.map((one) => (
            <li key={one.id} className={css.identity}>
              <MailIcon size={15} />
              <span className={css.value} title={one.value}>
                <Address value={one.value} />
              </span>
              {one.verified && (
                <span className={css.verified} title={t("panel.verified_text")}>
                  <CheckIcon size={15} />
                  <span className="sr-only">{t("panel.verified")}</span>
                </span>
              )}
              <ActionIcon
                size={26}
                aria-label={t("panel.copy", { value: one.value })}
                onClick={() => void copy(one.value, words)}
              >
                <CopyIcon size={14} />
              </ActionIcon>
            </li>
          ))}
        </ul>
      </section>
      {further.length > 0 && (
        <section aria-labelledby="panel-participants">
          <h3 id="panel-participants">{t("panel.participants")}</h3>
          <ul>
            {further.map((one) => (
              <li key={one.address} className={css.identity}>
                <span className={css.value}>{one.name || one.address}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {/* Begun anew with the person and with the case: what is being filled in is of one of them. */}
      <PanelFields key={`person ${contact.id}`} record={{ kind: "contact", id: contact.id }} queue={conversation.data.queue.id} />
      <PanelFields key={`case ${id}`} record={{ kind: "conversation", id }} queue={conversation.data.queue.id} />
      <PanelMacros id={id} />
      <Related conversation={conversation.data} />
      <section aria-labelledby="panel-earlier">
        <h3 id="panel-earlier">{t("panel.earlier", { count: others.length })}</h3>
        {others.length === 0 ? (
          <p className={css.none}>{t("panel.earlier_none")}</p>
        ) : (
          <ul>
            {others.map((one) => (
              <Earlier key={one.id} row={one} />
            ))}
          </ul>
        )}
      </section>
    </div>
  );
}

/** An address that is too long for its line is broken where people would. */
function Address({ value }: { value: string }) {
  return value.split(/(?=[@.])/).map((part, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one address never change
    <Fragment key={index}>
      {index > 0 && <wbr />}
      {part}
    </Fragment>
  ));
}

function Earlier({ row }: { row: ConversationRow }) {
  const words = useWords();
  return (
    <li>
      <Link
        to="/inbox/$view/$conversation"
        params={{ view: row.status, conversation: row.id }}
        className={css.earlier}
      >
        <StatusMark status={row.status} />
        <span className={css.value}>{row.subject || words.t("row.no_subject")}</span>
        <time dateTime={row.last_message_at}>{words.shortTime(row.last_message_at, new Date())}</time>
      </Link>
    </li>
  );
}

function Person({ contact, conversation }: { contact: Contact; conversation: Conversation }) {
  const words = useWords();
  const { t } = words;
  const session = useSession();
  const [editing, setEditing] = useState(false);
  const [name, setName] = useState(contact.name);
  const rename = useMutation({
    mutationFn: (next: string) => api.contacts.rename(contact.id, next),
    onSuccess: (changed) => {
      const next = { ...conversation, contact: { ...contact, ...changed } };
      queryClient.setQueryData(keys.conversation(conversation.id), next);
      patchLists(rowOf(next), session.user.id);
      void queryClient.invalidateQueries({ queryKey: keys.lists });
      setEditing(false);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    rename.mutate(name.trim());
  };
  const shown = contact.name || contact.identities[0]?.value || "";
  return (
    <section className={css.person} aria-label={t("panel.person")}>
      {editing ? (
        <form className={css.form} onSubmit={submit}>
          <TextInput
            label={t("panel.person_name")}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Escape") setEditing(false);
            }}
            autoComplete="off"
            data-autofocus
            autoFocus
          />
          {rename.isError && <FailureLine error={rename.error} />}
          <div className={css.buttons}>
            <Button type="submit" loading={rename.isPending} disabled={name.trim() === ""}>
              {t("action.save")}
            </Button>
            <Button variant="default" onClick={() => setEditing(false)}>
              {t("action.cancel")}
            </Button>
          </div>
        </form>
      ) : (
        <>
          <Monogram name={shown} size={40} />
          <div className={css.names}>
            <strong>{contact.name || t("panel.no_name")}</strong>
            <span>{t("panel.since", { day: words.day(contact.created_at), count: contact.conversation_count })}</span>
          </div>
          <ActionIcon
            size={28}
            aria-label={t("panel.rename")}
            onClick={() => {
              setName(contact.name);
              setEditing(true);
            }}
          >
            <PencilIcon size={15} />
          </ActionIcon>
        </>
      )}
    </section>
  );
}
