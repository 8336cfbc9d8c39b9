// SPDX-License-Identifier: EUPL-1.2

import type { ConversationRow, Uuid } from "@belofte/api-client";
import { useRouter } from "@tanstack/react-router";
import { type MouseEvent, memo, type ReactNode } from "react";
import { useSession } from "../app/session";
import { useWords } from "../i18n";
import { CheckIcon, ClockIcon, LockIcon, MailIcon, ReplyIcon, UserIcon, WarnIcon } from "../ui/icons";
import { Monogram } from "../ui/monogram";
import { useActions } from "./actions";
import css from "./row.module.css";
import { PresentMark } from "./present";
import { RowDraft } from "./row-draft";
import { RowTags } from "./tag-chips";

/** How many tags are named in a row: two have room, and of more the first says enough. */
const named = (row: ConversationRow): number => (row.tags.length > 2 || row.woken_at || row.delivery_problem ? 1 : 2);

interface Props {
  row: ConversationRow;
  open: boolean;
  now: Date;
  showAssignee: boolean;
  /** The address of the conversation in this list. */
  href: string;
  /** In place of the subject, for a search hit. */
  second?: ReactNode;
  /** Whether it is selected, in a list where one can select. */
  selected?: boolean;
  onSelect?: (id: Uuid, range: boolean) => void;
}

export const Row = memo(function Row({ row, open, now, showAssignee, href, second, selected, onSelect }: Props) {
  const words = useWords();
  const { t } = words;
  const session = useSession();
  const actions = useActions();
  const router = useRouter();
  // A plain link: a list of them is painted at once, and the router's own ones are dear.
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.shiftKey) {
      if (!onSelect) return;
      event.preventDefault();
      onSelect(row.id, true);
      return;
    }
    event.preventDefault();
    if (router.history.location.pathname !== href) router.history.push(href);
  };
  const who = row.contact.name || row.contact.address;
  const lastIcon =
    row.last_message_kind === "note" ? (
      <LockIcon size={13} aria-label={t("row.last_note")} role="img" />
    ) : row.last_message_kind === "reply" ? (
      <ReplyIcon size={13} aria-label={t("row.last_reply")} role="img" />
    ) : null;
  const time = row.snoozed_until ?? row.last_message_at;
  return (
    <div className={css.row} data-open={open || undefined} data-unread={row.unread || undefined} data-selected={selected || undefined}>
      <a href={href} onClick={follow} className={css.link} data-row={row.id} aria-current={open ? "true" : undefined}>
        <span className={css.first}>
          {selected && <span className="sr-only">{t("row.selected")} </span>}
          {row.unread && <span className="sr-only">{t("row.unread")} </span>}
          <MailIcon size={14} className={css.channel} />
          <span className={css.who}>{who}</span>
          {!second && <span className={css.queue}>{row.queue.name}</span>}
          <time
            dateTime={time}
            className={css.time}
            onPointerEnter={(event) => {
              event.currentTarget.title = words.fullTime(time);
            }}
          >
            {row.snoozed_until ? (
              <span className={css.until}>
                <ClockIcon size={12} />
                <span className="sr-only">{t("row.snoozed_until")}</span>
                {words.moment(row.snoozed_until, now)}
              </span>
            ) : (
              words.shortTime(row.last_message_at, now)
            )}
          </time>
        </span>
        <span className={css.second}>
          {second ?? (
            <>
              {lastIcon && <span className={css.last}>{lastIcon}</span>}
              <span className={css.subject}>
                {row.subject || (row.preview ? "" : t("row.no_subject"))}
                {row.preview && <span className={row.subject ? css.preview : undefined}>{row.preview}</span>}
              </span>
            </>
          )}
          {row.delivery_problem && (
            <span className={css.late}>
              <WarnIcon size={13} /> {t("row.delivery_problem")}
            </span>
          )}
          {row.woken_at && (
            <span className={css.woken} title={t("row.woken_text", { time: words.fullTime(row.woken_at) })}>
              <ClockIcon size={13} /> {t("row.woken")}
            </span>
          )}
          {!second && <PresentMark id={row.id} />}
          {!second && <RowDraft id={row.id} />}
          {!second && <RowTags tags={row.tags} most={named(row)} />}
          {!second && showAssignee && (
            <span className={css.meta}>
              {row.assignee ? (
                <span title={row.assignee.name}>
                  <span className="sr-only">{t("row.assigned_to", { name: row.assignee.name })}</span>
                  <Monogram name={row.assignee.name} size={18} />
                </span>
              ) : (
                <span className={css.nobody} title={t("view.unassigned")}>
                  <span className="sr-only">{t("view.unassigned")}</span>
                </span>
              )}
            </span>
          )}
        </span>
      </a>
      {onSelect && (
        <span className={css.box}>
          <input
            type="checkbox"
            checked={selected ?? false}
            tabIndex={-1}
            aria-label={t("row.select", { who })}
            // A click says whether Shift was down; a change does not.
            onChange={() => undefined}
            onClick={(event) => onSelect(row.id, event.shiftKey)}
          />
        </span>
      )}
      <span className={css.actions}>
        {row.assignee?.id !== session.user.id && (
          <button
            type="button"
            tabIndex={-1}
            title={t("action.assign_me")}
            aria-label={t("action.assign_me_named", { who })}
            onClick={() => void actions.assign(row.id, session.user)}
          >
            <UserIcon size={16} />
          </button>
        )}
        {row.status !== "resolved" && (
          <button
            type="button"
            tabIndex={-1}
            title={t("action.resolve")}
            aria-label={t("action.resolve_named", { who })}
            onClick={() => void actions.setStatus(row.id, "resolved")}
          >
            <CheckIcon size={16} />
          </button>
        )}
      </span>
    </div>
  );
});
