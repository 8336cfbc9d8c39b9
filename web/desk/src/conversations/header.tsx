// SPDX-License-Identifier: EUPL-1.2

import type { Conversation, ConversationStatus, UserRef } from "@belofte/api-client";
import { ActionIcon, Button, Menu, Popover, TextInput, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { usersQuery } from "../app/queries";
import { useSession } from "../app/session";
import { useShortcuts } from "../app/shortcuts";
import { FailureLine } from "../app/states";
import { useWords } from "../i18n";
import { BackIcon, CheckIcon, ClockIcon, DownIcon, PanelIcon, RetryIcon, SealedIcon, UserIcon } from "../ui/icons";
import { Monogram } from "../ui/monogram";
import { useActions } from "./actions";
import css from "./header.module.css";

interface Props {
  conversation: Conversation | null;
  onBack: () => void;
  onNext: () => void;
  panelOpen: boolean;
  togglePanel: () => void;
}

const STATUSES: ConversationStatus[] = ["open", "waiting", "resolved"];
const NAMES = { open: "status.open", waiting: "status.waiting", resolved: "status.resolved" } as const;

export function Header({ conversation, onBack, onNext, panelOpen, togglePanel }: Props) {
  const words = useWords();
  const { t } = words;
  const session = useSession();
  const actions = useActions();
  const status = conversation?.status;
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
            <span className={css.queue}>{conversation.queue.name}</span>
            {conversation.waiting_since && conversation.status !== "resolved" && (
              <span className={css.wait} title={words.fullTime(conversation.waiting_since)}>
                <ClockIcon size={13} />
                {t("thread.waiting_since", { time: words.shortTime(conversation.waiting_since, new Date()) })}
              </span>
            )}
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
          <AssignMenu conversation={conversation} />
          <Menu width={200} position="bottom-start">
            <Menu.Target>
              <button
                type="button"
                className={css.chip}
                aria-label={t("status.menu", { status: t(NAMES[status]) })}
              >
                <StatusMark status={status} />
                <span>{t(NAMES[status])}</span>
                <DownIcon size={12} />
              </button>
            </Menu.Target>
            <Menu.Dropdown>
              {STATUSES.map((one) => (
                <Menu.Item
                  key={one}
                  leftSection={<StatusMark status={one} />}
                  disabled={one === status}
                  onClick={() => void actions.setStatus(conversation.id, one)}
                >
                  {t(NAMES[one])}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
          <Tooltip label={t("privacy.sealed_text")} multiline w={280} events={{ hover: true, focus: true, touch: true }}>
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

export function StatusMark({ status }: { status: ConversationStatus }) {
  return <span className={css.mark} data-status={status} aria-hidden="true" />;
}

function AssignMenu({ conversation }: { conversation: Conversation }) {
  const { t } = useWords();
  const session = useSession();
  const actions = useActions();
  const [open, setOpen] = useState(false);
  const [filter, setFilter] = useState("");
  const users = useQuery({ ...usersQuery, enabled: open });
  useShortcuts({ a: () => setOpen(true) }, session.user.single_key_shortcuts);
  const assignee = conversation.assignee ?? null;
  const wanted = filter.trim().toLowerCase();
  const list = (users.data?.items ?? []).filter(
    (user) => user.state === "active" && user.id !== session.user.id && user.name.toLowerCase().includes(wanted),
  );
  const choose = (user: UserRef | null) => {
    setOpen(false);
    setFilter("");
    void actions.assign(conversation.id, user);
  };
  const mine = assignee?.id === session.user.id;
  return (
    <Popover
      opened={open}
      onChange={(next) => {
        setOpen(next);
        if (!next) setFilter("");
      }}
      width={260}
      position="bottom-start"
      trapFocus
      returnFocus
      shadow="md"
      transitionProps={{ duration: 120 }}
    >
      <Popover.Target>
        <button
          type="button"
          className={css.chip}
          aria-label={assignee ? t("assign.menu_named", { name: assignee.name }) : t("assign.menu")}
          onClick={() => setOpen(!open)}
        >
          {assignee ? <Monogram name={assignee.name} size={20} /> : <UserIcon size={15} />}
          <span>{assignee ? assignee.name : t("assign.nobody")}</span>
          <DownIcon size={12} />
        </button>
      </Popover.Target>
      <Popover.Dropdown p={6} aria-label={t("assign.menu")}>
        <TextInput
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && list[0] && wanted) choose(list[0]);
          }}
          placeholder={t("assign.filter")}
          aria-label={t("assign.filter")}
          autoComplete="off"
          data-autofocus
        />
        <ul className={css.people}>
          {!wanted && !mine && (
            <li>
              <button type="button" onClick={() => choose(session.user)}>
                <Monogram name={session.user.name} size={20} />
                <span>{t("action.assign_me")}</span>
              </button>
            </li>
          )}
          {!wanted && assignee && (
            <li>
              <button type="button" onClick={() => choose(null)}>
                <UserIcon size={18} />
                <span>{t("assign.release")}</span>
              </button>
            </li>
          )}
          {list.map((user) => (
            <li key={user.id}>
              <button
                type="button"
                aria-current={user.id === assignee?.id ? "true" : undefined}
                onClick={() => choose(user)}
              >
                <Monogram name={user.name} size={20} />
                <span>{user.name}</span>
                {user.id === assignee?.id && <CheckIcon size={14} />}
              </button>
            </li>
          ))}
        </ul>
        {users.isError && <FailureLine error={users.error} retry={() => void users.refetch()} />}
        {users.data && list.length === 0 && wanted && <p className={css.none}>{t("assign.none")}</p>}
      </Popover.Dropdown>
    </Popover>
  );
}
