// SPDX-License-Identifier: EUPL-1.2
//! Colleagues who are in a conversation, as people see them.

import type { Uuid } from "@belofte/api-client";
import { useQuery } from "@tanstack/react-query";
import { usersQuery } from "../app/queries";
import { useSession } from "../app/session";
import { useWords } from "../i18n";
import { PencilIcon } from "../ui/icons";
import { Monogram } from "../ui/monogram";
import { type Doing, usePresence } from "./presence";
import css from "./present.module.css";

const NAMES = { away: "presence.away", viewing: "presence.viewing", writing: "presence.writing" } as const;

interface Colleague {
  id: Uuid;
  name: string;
  state: Doing;
}

/** The others who are there, who writes first. */
export function useColleagues(id: Uuid): { others: Colleague[]; writer: Colleague | null } {
  const session = useSession();
  const { people, writer } = usePresence(id);
  const users = useQuery({ ...usersQuery, enabled: people.length > 0 }).data?.items;
  const others = people
    .filter((one) => one.user_id !== session.user.id)
    .map((one) => ({ id: one.user_id, state: one.state, name: users?.find((user) => user.id === one.user_id)?.name ?? "" }))
    .filter((one) => one.name !== "");
  const order = { writing: 0, viewing: 1, away: 2 };
  others.sort((a, b) => order[a.state] - order[b.state] || a.name.localeCompare(b.name));
  return { others, writer: others.find((one) => one.id === writer) ?? null };
}

/** Who else is in an open conversation; on a phone it stands in a line of text, where no list element may. */
export function PresentPeople({ id, small }: { id: Uuid; small?: boolean }) {
  const { t } = useWords();
  const { others } = useColleagues(id);
  if (others.length === 0) return null;
  return (
    <span className={css.people} role="list" aria-label={t("presence.here")}>
      {others.slice(0, 4).map((one) => (
        <span role="listitem" key={one.id} className={css.person} data-state={one.state} title={t(NAMES[one.state], { name: one.name })}>
          <Monogram name={one.name} size={small ? 18 : 22} />
          {one.state === "writing" && <PencilIcon size={11} className={css.pencil} />}
          <span className="sr-only">{t(NAMES[one.state], { name: one.name })}</span>
        </span>
      ))}
      {others.length > 4 && (
        <span role="listitem" className={css.more}>
          +{others.length - 4}
        </span>
      )}
    </span>
  );
}

/** The small mark of a row. */
export function PresentMark({ id }: { id: Uuid }) {
  const { t } = useWords();
  const { others } = useColleagues(id);
  const first = others.find((one) => one.state !== "away");
  if (!first) return null;
  return (
    <span className={css.mark} data-state={first.state} title={t(NAMES[first.state], { name: first.name })}>
      <Monogram name={first.name} size={16} />
      {first.state === "writing" && <PencilIcon size={11} />}
      <span className="sr-only">{t(NAMES[first.state], { name: first.name })}</span>
    </span>
  );
}
