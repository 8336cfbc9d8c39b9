// SPDX-License-Identifier: EUPL-1.2
//! What one is told of, the latest first. It leads to where it happened.

import type { Notification as Line } from "@belofte/api-client";
import { ActionIcon, Button, Drawer, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useEffect, useRef } from "react";
import { Blank, Failure, Skeleton } from "../app/states";
import { jumpTo } from "../conversations/jump";
import { type Key, useWords, type Words } from "../i18n";
import { AtIcon, BellIcon, CheckIcon, type Icon, MailIcon, SettingsIcon, UserIcon, WarnIcon } from "../ui/icons";
import { isolated } from "../ui/isolate";
import css from "./panel.module.css";
import { markAll, markLines, notificationsQuery } from "./told";

const ICONS: Record<Line["kind"], Icon> = {
  mentioned: AtIcon,
  assigned: UserIcon,
  customer_message: MailIcon,
  delivery_failed: WarnIcon,
};
/** The words where a colleague is known who did it, and where not. */
const WORDS: Record<Line["kind"], [Key, Key]> = {
  mentioned: ["notifications.mentioned_by", "notifications.mentioned"],
  assigned: ["notifications.assigned_by", "notifications.assigned"],
  customer_message: ["notifications.customer_message", "notifications.customer_message"],
  delivery_failed: ["notifications.delivery_failed", "notifications.delivery_failed"],
};

function saysWhat(line: Line, { t }: Words): string {
  const [by, alone] = WORDS[line.kind];
  const { contact } = line.conversation;
  const values = { who: isolated(contact.name || contact.address || t("message.unknown_author")), count: line.count };
  return line.by ? t(by, { ...values, name: isolated(line.by.name) }) : t(alone, values);
}

export default function NotificationPanel({ close }: { close: () => void }) {
  const words = useWords();
  const { t } = words;
  const navigate = useNavigate();
  const told = useQuery(notificationsQuery);
  const list = useRef<HTMLUListElement>(null);
  const lines = told.data?.items ?? [];
  const unread = told.data?.unread ?? 0;
  const there = lines.length > 0;

  // The first line has the focus, so that the arrows and Enter are enough.
  useEffect(() => {
    if (there) list.current?.querySelector<HTMLElement>("a")?.focus();
  }, [there]);

  const go = (line: Line) => {
    close();
    if (line.message_id) jumpTo(line.conversation.id, line.message_id);
    if (!line.read) void markLines([line.id], true, words);
    void navigate({ to: "/inbox/$view/$conversation", params: { view: "open", conversation: line.conversation.id } });
  };

  const onKeyDown = (event: KeyboardEvent<HTMLUListElement>) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const links = [...(list.current?.querySelectorAll<HTMLElement>("a") ?? [])];
    const at = links.findIndex((link) => link.closest("li")?.contains(document.activeElement));
    const to = { ArrowDown: at + 1, j: at + 1, ArrowUp: at - 1, k: at - 1, Home: 0, End: links.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      links[Math.max(0, Math.min(links.length - 1, to))]?.focus();
    } else if (event.key === "u") {
      const line = lines[at];
      if (!line) return;
      event.preventDefault();
      void markLines([line.id], !line.read, words);
    }
  };

  return (
    <Drawer
      opened
      onClose={close}
      position="left"
      size={420}
      title={t("notifications.title")}
      closeButtonProps={{ "aria-label": t("action.close") }}
      styles={{ body: { padding: 0 }, title: { fontWeight: 600 }, content: { display: "flex", flexDirection: "column" } }}
    >
      <div className={css.bar}>
        <Button size="compact-sm" variant="default" h={32} leftSection={<CheckIcon size={14} />} disabled={unread === 0} onClick={() => told.data && void markAll(told.data, words)}>
          {t("notifications.read_all")}
        </Button>
        <span className={css.keys}>{t("notifications.keys")}</span>
        <Tooltip label={t("settings.notifications")}>
          <ActionIcon component={Link} to="/settings/notifications" aria-label={t("settings.notifications")} onClick={close}>
            <SettingsIcon size={17} />
          </ActionIcon>
        </Tooltip>
      </div>
      {told.isPending ? (
        <Skeleton rows={4} />
      ) : told.isError && !told.data ? (
        <Failure error={told.error} retry={() => void told.refetch()} />
      ) : !there ? (
        <Blank icon={BellIcon} title={t("notifications.none")} text={t("notifications.none_text")} />
      ) : (
        <ul ref={list} className={css.lines} onKeyDown={onKeyDown}>
          {lines.map((line, index) => (
            <Row key={line.id} first={index === 0} line={line} words={words} go={() => go(line)} />
          ))}
        </ul>
      )}
    </Drawer>
  );
}

function Row({ first, line, words, go }: { first: boolean; line: Line; words: Words; go: () => void }) {
  const { t } = words;
  const Drawn = ICONS[line.kind];
  const mark = line.read ? t("notifications.mark_unread") : t("notifications.mark_read");
  return (
    <li className={css.line} data-unread={!line.read || undefined}>
      <Link
        to="/inbox/$view/$conversation"
        params={{ view: "open", conversation: line.conversation.id }}
        className={css.link}
        data-autofocus={first || undefined}
        onClick={(event) => {
          // Another tab or window is the browser's own business.
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          go();
        }}
      >
        <span className={css.icon} data-kind={line.kind}>
          <Drawn size={16} />
        </span>
        <span className={css.words}>
          <span className={css.what}>
            {!line.read && <span className="sr-only">{t("notifications.is_unread")} </span>}
            {saysWhat(line, words)}
          </span>
          <span className={css.about}>
            <bdi>{line.conversation.subject || t("row.no_subject")}</bdi>
          </span>
        </span>
        <time dateTime={line.at} title={words.fullTime(line.at)}>
          {words.shortTime(line.at, new Date())}
        </time>
      </Link>
      <Tooltip label={mark}>
        <button type="button" className={css.mark} aria-label={mark} onClick={() => void markLines([line.id], !line.read, words)}>
          <i />
        </button>
      </Tooltip>
    </li>
  );
}
