// SPDX-License-Identifier: EUPL-1.2
//! One person: who they are, what is known of them, and all that was said with them.

import { ApiError } from "@belofte/api-client";
import { ActionIcon, Button } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useLayoutEffect, useRef } from "react";
import { NEW } from "../app/here";
import { useSession } from "../app/session";
import { Blank, Failure, FailureLine, Skeleton } from "../app/states";
import { Earlier } from "../conversations/earlier";
import panel from "../conversations/panel.module.css";
import { Identities, Person } from "../conversations/person";
import { writeTo } from "../conversations/write-to";
import { PanelFields } from "../fields/panel-fields";
import { useWords } from "../i18n";
import { BackIcon, CloseIcon, ContactsIcon } from "../ui/icons";
import css from "./contact.module.css";
import { contactConversationsQuery, contactQuery } from "./queries";

interface Props {
  id: string;
  /** Whether it takes the place of the list. */
  alone: boolean;
  close: () => void;
  /** Whether the keyboard goes on here, and not in the list. */
  takesFocus: () => boolean;
}

export function ContactView({ id, alone, close, takesFocus }: Props) {
  const { t } = useWords();
  const found = useQuery(contactQuery(id));
  const box = useRef<HTMLElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const there = found.data !== undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the person is there
  useLayoutEffect(() => {
    if (there && takesFocus()) heading.current?.focus();
  }, [there]);
  const navigate = useNavigate();
  const mayWrite = useSession().permissions.includes("answer");
  const write = (address: string) => {
    writeTo({ name: found.data?.name ?? "", address });
    void navigate({ to: "/inbox/$view/$conversation", params: { view: "mine", conversation: NEW } });
  };
  const gone = found.error instanceof ApiError && found.error.status === 404;
  return (
    <section ref={box} className={css.contact} aria-label={t("contacts.about_contact")}>
      <header className={css.head}>
        {alone && (
          <ActionIcon aria-label={t("action.back")} onClick={close}>
            <BackIcon />
          </ActionIcon>
        )}
        <span className={css.title}>{t("contacts.contact")}</span>
        {!alone && (
          <ActionIcon aria-label={t("action.close")} onClick={close}>
            <CloseIcon size={16} />
          </ActionIcon>
        )}
      </header>
      <div className={css.body}>
        {found.isPending ? (
          <Skeleton rows={4} />
        ) : gone ? (
          <Blank icon={ContactsIcon} title={t("contacts.gone")} text={t("contacts.gone_text")}>
            <Button variant="default" onClick={close}>
              {t("contacts.to_list")}
            </Button>
          </Blank>
        ) : found.data ? (
          <div className={panel.panel}>
            <Person contact={found.data} heading={heading} />
            <Identities contact={found.data} write={mayWrite ? write : undefined} />
            <PanelFields record={{ kind: "contact", id }} />
            <Conversations id={id} count={found.data.conversation_count} />
          </div>
        ) : (
          <Failure error={found.error} retry={() => void found.refetch()} />
        )}
      </div>
    </section>
  );
}

function Conversations({ id, count }: { id: string; count: number }) {
  const { t } = useWords();
  const found = useInfiniteQuery(contactConversationsQuery(id));
  const rows = found.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section aria-labelledby="contact-conversations">
      <h3 id="contact-conversations">{t("contacts.conversations_of", { count })}</h3>
      {found.isPending ? (
        <Skeleton rows={2} height={44} />
      ) : found.isError && !found.data ? (
        <FailureLine error={found.error} retry={() => void found.refetch()} />
      ) : rows.length === 0 ? (
        <p className={panel.none}>{t("contacts.conversations_none")}</p>
      ) : (
        <ul>
          {rows.map((row) => (
            <Earlier key={row.id} row={row} />
          ))}
        </ul>
      )}
      {found.isFetchNextPageError && <FailureLine error={found.error} />}
      {found.hasNextPage && (
        <Button className={css.more ?? ""} variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t("contacts.conversations_more")}
        </Button>
      )}
    </section>
  );
}
