// SPDX-License-Identifier: EUPL-1.2

import type { Conversation, ConversationStatus, UserRef } from "@belofte/api-client";
import { ActionIcon, Button, Menu, Popover, TextInput, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useLayoutEffect, useRef, useState } from "react";
import { arrive } from "../app/hold";
import { usersQuery } from "../app/queries";
import { useSession } from "../app/session";
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
  /** Whether the list of colleagues is open. */
  assigning: boolean;
  setAssigning: (open: boolean) => void;
}

const STATUSES: ConversationStatus[] = ["open", "waiting", "resolved"];
const NAMES = { open: "status.open", waiting: "status.waiting", resolved: "status.resolved" } as const;

export function Header({ conversation, onBack, onNext, panelOpen, togglePanel, assigning, setAssigning }: Props) {
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
          <AssignMenu conversation={conversation} open={assigning} setOpen={setAssigning} />
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
                  rightSection={one === status ? <CheckIcon size={14} /> : null}
                  aria-current={one === status ? "true" : undefined}
                  onClick={() => {
                    if (one !== status) void actions.setStatus(conversation.id, one);
                  }}
                >
                  {t(NAMES[one])}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
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

export function StatusMark({ status }: { status: ConversationStatus }) {
  return <span className={css.mark} data-status={status} aria-hidden="true" />;
}

interface AssignProps {
  conversation: Conversation;
  open: boolean;
  setOpen: (open: boolean) => void;
}

function AssignMenu({ conversation, open, setOpen }: AssignProps) {
  const { t } = useWords();
  const actions = useActions();
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const assignee = conversation.assignee ?? null;
  const shut = () => {
    // The focus goes back before the list fades away: the next key is a shortcut already.
    if (list.current?.contains(document.activeElement)) button.current?.focus();
    setOpen(false);
  };
  const choose = (user: UserRef | null) => {
    shut();
    void actions.assign(conversation.id, user);
  };
  return (
    <Popover
      opened={open}
      onChange={(next) => (next ? setOpen(true) : shut())}
      width={260}
      position="bottom-start"
      trapFocus
      shadow="md"
      transitionProps={{ duration: 120 }}
    >
      <Popover.Target>
        <button
          ref={button}
          type="button"
          className={css.chip}
          aria-label={assignee ? t("assign.menu_named", { name: assignee.name }) : t("assign.menu_nobody")}
          onClick={() => (open ? shut() : setOpen(true))}
        >
          {assignee ? <Monogram name={assignee.name} size={20} /> : <UserIcon size={15} />}
          <span>{assignee ? assignee.name : t("assign.nobody")}</span>
          <DownIcon size={12} />
        </button>
      </Popover.Target>
      <Popover.Dropdown ref={list} p={6} aria-label={t("assign.menu")}>
        <Colleagues assignee={assignee} choose={choose} />
      </Popover.Dropdown>
    </Popover>
  );
}

function Colleagues({ assignee, choose }: { assignee: UserRef | null; choose: (user: UserRef | null) => void }) {
  const { t } = useWords();
  const session = useSession();
  const [filter, setFilter] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const users = useQuery(usersQuery);
  const wanted = filter.trim().toLowerCase();
  const list = (users.data?.items ?? []).filter(
    (user) => user.state === "active" && user.id !== session.user.id && user.name.toLowerCase().includes(wanted),
  );
  const mine = assignee?.id === session.user.id;
  useLayoutEffect(() => {
    field.current?.focus({ preventScroll: true });
    setFilter((arrive("assign") ?? "").replace(/\n/g, ""));
  }, []);
  return (
    <>
      <TextInput
        ref={field}
        value={filter}
        onChange={(event) => setFilter(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || !list[0] || !wanted) return;
          // The focus moves now; the key must not press what it moves to.
          event.preventDefault();
          choose(list[0]);
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
              <UserIcon size={20} />
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
    </>
  );
}
