// SPDX-License-Identifier: EUPL-1.2

import type { Conversation } from "@belofte/api-client";
import { ActionIcon, Button, Menu, Tooltip } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { rowOf } from "../app/lists";
import { queuesQuery, sendersQuery } from "../app/queries";
import { useSession } from "../app/session";
import { useWords } from "../i18n";
import { BackIcon, CheckIcon, ClockIcon, DownIcon, LinkIcon, MailIcon, MergeIcon, MoreIcon, MoveIcon, PanelIcon, PrintIcon, RetryIcon, SealedIcon, SnoozeIcon, SplitIcon, TagIcon, UserIcon } from "../ui/icons";
import { Monogram } from "../ui/monogram";
import { useActions } from "./actions";
import { arrange } from "./arrange";
import css from "./header.module.css";
import { PresentPeople } from "./present";
import { openPrint } from "./print-window";
import { StatusMark } from "./status";
import { HeaderTags } from "./tag-chips";
import type { Tool } from "./tool";
import { ToolMenu } from "./tools";

interface Props {
  conversation: Conversation | null;
  onBack: () => void;
  onNext: () => void;
  panelOpen: boolean;
  togglePanel: () => void;
  /** What is open over the conversation. */
  tool: Tool | null;
  setTool: (tool: Tool | null) => void;
}

/** Those that one can choose; a moment to come back is chosen elsewhere. */
const STATUSES = ["open", "waiting", "resolved"] as const;
export const STATUS_NAMES = { open: "status.open", waiting: "status.waiting", snoozed: "status.snoozed", resolved: "status.resolved" } as const;

export function Header({ conversation, onBack, onNext, panelOpen, togglePanel, tool, setTool }: Props) {
  const words = useWords();
  const { t } = words;
  const session = useSession();
  const actions = useActions();
  const queues = useQuery(queuesQuery);
  const senders = useQuery(sendersQuery);
  const phone = useMediaQuery("(max-width: 639.98px)", undefined, { getInitialValueInEffect: false });
  const status = conversation?.status;
  const rows = conversation ? [rowOf(conversation)] : [];
  const assignee = conversation?.assignee ?? null;
  const opened = (one: Tool) => ({ tool: one, rows, open: tool === one, setOpen: (open: boolean) => setTool(open ? one : null) });
  const statusText = conversation?.snoozed_until
    ? t("status.snoozed_until", { time: words.moment(conversation.snoozed_until, new Date()) })
    : t(STATUS_NAMES[status ?? "open"]);
  const resolve = () => {
    if (!conversation) return;
    onNext();
    void actions.setStatus(conversation.id, "resolved");
  };
  return (
    <header className={css.header}>
      <ActionIcon className={css.back} aria-label={t("action.back")} onClick={onBack}>
        <BackIcon />
      </ActionIcon>
      <div className={css.title}>
        <h2 title={conversation?.subject}>{conversation ? conversation.subject || t("row.no_subject") : "\u00a0"}</h2>
        {conversation && (
          <p>
            <span>{t("thread.case_no", { no: String(conversation.no) })}</span>
            {conversation.waiting_since && conversation.status !== "resolved" && (
              <span className={css.wait} title={words.fullTime(conversation.waiting_since)}>
                <ClockIcon size={13} />
                {t("thread.waiting_since", { time: words.shortTime(conversation.waiting_since, new Date()) })}
              </span>
            )}
            {phone && <PresentPeople id={conversation.id} small />}
            {!phone && <HeaderTags tags={conversation.tags} />}
            <span className={css.queue}>{conversation.queue.name}</span>
          </p>
        )}
      </div>
      {conversation && status && (
        <div className={css.tools}>
          {status === "resolved" ? (
            <Button
              variant="default"
              className={css.main}
              aria-label={t("action.reopen")}
              onClick={() => void actions.setStatus(conversation.id, "open")}
            >
              <RetryIcon size={16} />
              <span>{t("action.reopen")}</span>
            </Button>
          ) : (
            <Tooltip label={session.user.single_key_shortcuts ? t("action.resolve_tip") : t("action.resolve")}>
              <Button className={css.main} aria-label={t("action.resolve")} onClick={resolve}>
                <CheckIcon size={16} />
                <span>{t("action.resolve")}</span>
              </Button>
            </Tooltip>
          )}
          <Tooltip label={panelOpen ? t("panel.hide") : t("panel.show")}>
            <ActionIcon
              aria-label={panelOpen ? t("panel.hide") : t("panel.show")}
              aria-expanded={panelOpen}
              onClick={togglePanel}
            >
              <PanelIcon />
            </ActionIcon>
          </Tooltip>
        </div>
      )}
      {conversation && status && (
        <div className={css.bar}>
          {!phone && <PresentPeople id={conversation.id} />}
          <ToolMenu
            {...opened("assign")}
            className={css.chip}
            label={assignee ? t("assign.menu_named", { name: assignee.name }) : t("assign.menu_nobody")}
          >
            {assignee ? <Monogram name={assignee.name} size={20} /> : <UserIcon size={15} />}
            <span>{assignee ? assignee.name : t("assign.nobody")}</span>
            <DownIcon size={12} />
          </ToolMenu>
          <Menu width={200} position="bottom-start">
            <Menu.Target>
              <button
                type="button"
                className={css.chip}
                aria-label={t("status.menu", { status: statusText })}
              >
                <StatusMark status={status} />
                <span>{statusText}</span>
                <DownIcon size={12} />
              </button>
            </Menu.Target>
            <Menu.Dropdown>
              {STATUSES.map((one) => (
                <Menu.Item
                  key={one}
                  leftSection={<StatusMark status={one} />}
                  rightSection={one === status ? <CheckIcon size={14} /> : null}
                  aria-current={one === status ? "true" : undefined}
                  onClick={() => {
                    if (one !== status) void actions.setStatus(conversation.id, one);
                  }}
                >
                  {t(STATUS_NAMES[one])}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
          <ToolMenu {...opened("tag")} className={css.icon} label={t("tags.change")} title={t("tags.change")}>
            <TagIcon size={16} />
          </ToolMenu>
          <ToolMenu {...opened("snooze")} className={css.icon} label={t("snooze.name")} title={t("snooze.name")}>
            <SnoozeIcon size={16} />
          </ToolMenu>
          {(queues.data?.items.length ?? 0) > 1 && (!phone || tool === "queue") && (
            <ToolMenu {...opened("queue")} className={css.icon} label={t("queue.move")} title={t("queue.move")}>
              <MoveIcon size={16} />
            </ToolMenu>
          )}
          <Menu width={270} position="bottom-start">
            <Menu.Target>
              <button type="button" className={css.icon} aria-label={t("arrange.more")} title={t("arrange.more")}>
                <MoreIcon size={16} />
              </button>
            </Menu.Target>
            <Menu.Dropdown>
              {/* There is no room for its own button. */}
              {phone && (queues.data?.items.length ?? 0) > 1 && (
                <Menu.Item leftSection={<MoveIcon size={16} />} onClick={() => setTool("queue")}>
                  {t("queue.move")}
                </Menu.Item>
              )}
              <Menu.Item leftSection={<MergeIcon size={16} />} onClick={() => arrange({ what: "merge", id: conversation.id })}>
                {t("arrange.merge")}
              </Menu.Item>
              <Menu.Item leftSection={<SplitIcon size={16} />} onClick={() => arrange({ what: "split", id: conversation.id })}>
                {t("arrange.split")}
              </Menu.Item>
              <Menu.Item leftSection={<LinkIcon size={16} />} onClick={() => arrange({ what: "link", id: conversation.id })}>
                {t("arrange.link")}
              </Menu.Item>
              {(senders.data?.items.length ?? 0) > 1 && (
                <Menu.Item leftSection={<MailIcon size={16} />} onClick={() => arrange({ what: "mailbox", id: conversation.id })}>
                  {t("arrange.mailbox")}
                </Menu.Item>
              )}
            </Menu.Dropdown>
          </Menu>
          {!phone && (
            <button type="button" className={css.icon} aria-label={t("print.name")} title={t("print.name")} onClick={() => openPrint(conversation.id)}>
              <PrintIcon size={16} />
            </button>
          )}
          {phone && <HeaderTags tags={conversation.tags} />}
          <Tooltip label={t("privacy.sealed_text")} data-touch multiline w={280} events={{ hover: true, focus: true, touch: true }}>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: its explanation must be reachable by keyboard */}
            <span className={css.sealed} tabIndex={0}>
              <SealedIcon size={14} />
              <span>{t("privacy.sealed")}</span>
            </span>
          </Tooltip>
        </div>
      )}
    </header>
  );
}
