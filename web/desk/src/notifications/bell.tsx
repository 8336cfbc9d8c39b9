// SPDX-License-Identifier: EUPL-1.2
//! The bell of the rail: how much one is told of and has not read.

import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import rail from "../app/desk.module.css";
import { atRest } from "../app/rest";
import { useCountInTitle } from "../app/title";
import { useWords } from "../i18n";
import { BellIcon } from "../ui/icons";
import { notificationsQuery } from "./told";

interface Props {
  opened: boolean;
  open: () => void;
}

export function Bell({ opened, open }: Props) {
  const { t } = useWords();
  // The first page is painted before anybody is told of anything.
  const [rested, setRested] = useState(false);
  useEffect(() => atRest(() => setRested(true)), []);
  const unread = useQuery({ ...notificationsQuery, enabled: rested }).data?.unread;
  const count = unread ?? 0;
  useCountInTitle(count);
  const before = useRef<number | undefined>(undefined);
  const [said, setSaid] = useState("");
  useEffect(() => {
    // What was there when the desk opened is no news.
    if (unread !== undefined && before.current !== undefined && unread > before.current) setSaid(t("notifications.new", { count: unread }));
    else if (unread === 0) setSaid("");
    before.current = unread;
  }, [unread, t]);
  const name = t("notifications.title");
  return (
    <>
      <button type="button" className={rail.link} data-button data-active={opened || undefined} aria-haspopup="dialog" aria-expanded={opened} onClick={open}>
        <BellIcon size={20} />
        <span className={rail.caption}>{name}</span>
        {count > 0 && (
          <>
            <span className={rail.count} aria-hidden="true">
              {count > 99 ? "99+" : count}
            </span>
            <span className="sr-only">, {t("notifications.unread", { count })}</span>
          </>
        )}
      </button>
      <span className="sr-only" aria-live="polite">
        {said}
      </span>
    </>
  );
}
