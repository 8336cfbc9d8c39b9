// SPDX-License-Identifier: EUPL-1.2
//! In place of the views while something is selected: how much, and what can be done with it.

import type { ConversationRow } from "@belofte/api-client";
import { Menu } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { queuesQuery } from "../app/queries";
import { useWords } from "../i18n";
import { askForMacros } from "../macros/offer";
import { BoltIcon, CheckIcon, CloseIcon, DownIcon, MoveIcon, SnoozeIcon, TagIcon, UserIcon } from "../ui/icons";
import { MOST_AT_ONCE, useActions } from "./actions";
import css from "./bulk-bar.module.css";
import { StatusMark } from "./status";
import type { Tool } from "./tool";
import { ToolMenu } from "./tools";

interface Props {
  rows: ConversationRow[];
  /** How many are loaded. */
  loaded: number;
  tool: Tool | null;
  setTool: (tool: Tool | null) => void;
  selectAll: () => void;
  clear: () => void;
  resolve: () => void;
}

export default function BulkBar({ rows, loaded, tool, setTool, selectAll, clear, resolve }: Props) {
  const { t, number } = useWords();
  const actions = useActions();
  const queues = useQuery(queuesQuery);
  const whole = rows.length >= Math.min(loaded, MOST_AT_ONCE);
  const ids = rows.map((row) => row.id);
  const opened = (one: Tool) => ({ tool: one, rows, open: tool === one, setOpen: (open: boolean) => setTool(open ? one : null), className: css.button });
  return (
    <div className={css.bar} role="toolbar" aria-label={t("bulk.name")}>
      <input
        type="checkbox"
        className={css.all}
        checked={whole}
        ref={(box) => {
          if (box) box.indeterminate = !whole;
        }}
        aria-label={whole ? t("bulk.none") : t("bulk.all")}
        title={whole ? t("bulk.none") : t("bulk.all")}
        onChange={whole ? clear : selectAll}
      />
      <span className={css.count} role="status">
        <span>{t("bulk.selected", { count: rows.length })}</span>
        <span className={css.short} aria-hidden="true">
          {number(rows.length)}
        </span>
      </span>
      <button type="button" className={css.button} aria-label={t("action.resolve")} title={t("action.resolve")} onClick={resolve}>
        <CheckIcon size={17} />
      </button>
      <ToolMenu {...opened("assign")} label={t("assign.menu")} title={t("assign.menu")}>
        <UserIcon size={17} />
      </ToolMenu>
      <ToolMenu {...opened("tag")} label={t("tags.change")} title={t("tags.change")}>
        <TagIcon size={17} />
      </ToolMenu>
      <ToolMenu {...opened("snooze")} label={t("snooze.name")} title={t("snooze.name")}>
        <SnoozeIcon size={17} />
      </ToolMenu>
      {(queues.data?.items.length ?? 0) > 1 && (
        <ToolMenu {...opened("queue")} label={t("queue.move")} title={t("queue.move")}>
          <MoveIcon size={17} />
        </ToolMenu>
      )}
      <button type="button" className={css.button} aria-label={t("macro.use")} title={t("macro.use")} aria-haspopup="dialog" onClick={() => askForMacros(ids, true)}>
        <BoltIcon size={17} />
      </button>
      <Menu width={200} position="bottom-end">
        <Menu.Target>
          <button type="button" className={css.button} aria-label={t("bulk.status")} title={t("bulk.status")}>
            <DownIcon size={15} />
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<StatusMark status="open" />} onClick={() => void actions.setStatus(ids, "open")}>
            {t("status.open")}
          </Menu.Item>
          <Menu.Item leftSection={<StatusMark status="waiting" />} onClick={() => void actions.setStatus(ids, "waiting")}>
            {t("status.waiting")}
          </Menu.Item>
          <Menu.Item leftSection={<StatusMark status="resolved" />} onClick={resolve}>
            {t("status.resolved")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <button type="button" className={css.button} aria-label={t("bulk.none")} title={t("bulk.none")} onClick={clear}>
        <CloseIcon size={16} />
      </button>
    </div>
  );
}
