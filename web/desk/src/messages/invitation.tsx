// SPDX-License-Identifier: EUPL-1.2
//! An appointment that a mail speaks of, as a card. It is only shown: who comes answers in their own calendar.

import type { Appointment, AppointmentTime } from "@belofte/api-client";
import { useWords } from "../i18n";
import { isolated } from "../ui/isolate";
import { CalendarIcon } from "../ui/icons";
import css from "./invitation.module.css";
import { span } from "./invitation-time";

export function InvitationCard({ invitation }: { invitation: Appointment }) {
  const words = useWords();
  const { t, tOr } = words;
  const { organiser } = invitation;
  const off = invitation.method === "cancel";
  const when = span(invitation.starts ?? null, invitation.ends ?? null, words);
  const who = organiser && (organiser.name ? `${isolated(organiser.name)}${organiser.address ? ` · ${organiser.address}` : ""}` : organiser.address);
  const line = (name: string, text: string) => (
    <div>
      <dt>{name}</dt>
      <dd>{text}</dd>
    </div>
  );
  return (
    <section className={css.card} aria-label={t("invitation.card")} data-off={off || undefined}>
      <p className={css.kind}>
        <CalendarIcon size={16} />
        <span>{tOr(`invitation.method.${invitation.method}`, "invitation.method.publish")}</span>
      </p>
      <h4 dir="auto">{invitation.summary || t("invitation.untitled")}</h4>
      <dl>
        {line(t("invitation.when"), when ?? t("invitation.no_time"))}
        {invitation.recurs && line(t("invitation.recurs"), t("invitation.recurs_text"))}
        {invitation.location && line(t("invitation.where"), isolated(invitation.location))}
        {who && line(t("invitation.organiser"), who)}
      </dl>
      {needsZone(invitation.starts) && <p className={css.hint}>{t("invitation.no_zone")}</p>}
      {invitation.more > 0 && <p className={css.hint}>{t("invitation.more", { count: invitation.more })}</p>}
      <p className={css.hint}>{t("invitation.only_shown")}</p>
    </section>
  );
}

const needsZone = (time: AppointmentTime | null | undefined) => Boolean(time?.local);
