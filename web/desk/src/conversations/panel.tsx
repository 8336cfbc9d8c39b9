// SPDX-License-Identifier: EUPL-1.2

import { useQuery } from "@tanstack/react-query";
import { conversationQuery } from "../app/queries";
import { Skeleton } from "../app/states";
import { useWords } from "../i18n";
import { PanelFields } from "../fields/panel-fields";
import { PanelMacros } from "../macros/panel-macros";
import { Earlier } from "./earlier";
import { Identities, Person } from "./person";
import { Related } from "./related";
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
      <Identities contact={contact} />
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
