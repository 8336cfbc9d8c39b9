// SPDX-License-Identifier: EUPL-1.2
//! Who a conversation is with: their name, and where they can be written to.

import type { Contact, Conversation } from "@belofte/api-client";
import { ActionIcon, Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Fragment, type FormEvent, type Ref, useLayoutEffect, useRef, useState } from "react";
import { api } from "../app/api";
import { copy } from "../app/copy";
import { useSession } from "../app/session";
import { FailureLine } from "../app/states";
import { renamed } from "../contacts/queries";
import { isFocusLost } from "../fields/focus";
import { useWords } from "../i18n";
import { CheckIcon, CopyIcon, MailIcon, PencilIcon, WriteIcon } from "../ui/icons";
import { Monogram } from "../ui/monogram";
import css from "./panel.module.css";

interface Props {
  contact: Contact;
  /** The conversation in whose panel they are shown: their name leads to their own page then. Without it this is that page. */
  conversation?: Conversation;
  /** The name, on their own page. */
  heading?: Ref<HTMLHeadingElement>;
}

export function Person({ contact, conversation, heading }: Props) {
  const words = useWords();
  const { t } = words;
  const session = useSession();
  const [editing, setEditing] = useState(false);
  const [name, setName] = useState(contact.name);
  const pencil = useRef<HTMLButtonElement>(null);
  const edited = useRef(false);
  useLayoutEffect(() => {
    // Whoever changed the name goes on from the pencil, unless they are somewhere else by now.
    if (edited.current && !editing && isFocusLost()) pencil.current?.focus();
    edited.current = editing;
  }, [editing]);
  const rename = useMutation({
    mutationFn: (next: string) => api.contacts.rename(contact.id, next),
    onSuccess: (changed) => {
      renamed(contact, changed, session.user.id, conversation);
      setEditing(false);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    rename.mutate(name.trim());
  };
  const shown = contact.name || contact.identities[0]?.value || "";
  const called = contact.name || t("panel.no_name");
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
            {conversation ? (
              <Link to="/contacts/$contact" params={{ contact: contact.id }} className={css.name} title={t("contacts.open")}>
                {called}
              </Link>
            ) : (
              <h2 ref={heading} tabIndex={-1} className={css.name}>
                {called}
              </h2>
            )}
            <span>{t("panel.since", { day: words.day(contact.created_at), count: contact.conversation_count })}</span>
          </div>
          <ActionIcon
            ref={pencil}
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

interface IdentitiesProps {
  contact: Contact;
  /** Begins a mail to an address; without it they are there to copy alone. */
  write?: ((address: string) => void) | undefined;
}

/** Their addresses, to copy and to write to. */
export function Identities({ contact, write }: IdentitiesProps) {
  const words = useWords();
  const { t } = words;
  return (
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
            {write && one.kind === "email" && (
              <ActionIcon
                size={26}
                aria-label={t("contacts.write_to", { address: one.value })}
                title={t("contacts.write")}
                onClick={() => write(one.value)}
              >
                <WriteIcon size={14} />
              </ActionIcon>
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
