// SPDX-License-Identifier: EUPL-1.2

import type { AfterRetrieval, ChannelAccount, Retrieval, SetRetrieval, WaitingMail } from "@belofte/api-client";
import { Checkbox, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useWords } from "../i18n";
import { entryOf, serverOf, type ServerEntry, ServerFields } from "./server-fields";
import { State } from "./page";
import css from "./page.module.css";

const USUAL_PORT = { tls: "993", starttls: "143", none: "143" } as const;

/** The mailbox to read, as an admin enters it. */
export interface MailboxEntry extends ServerEntry {
  reads: boolean;
  folders: string;
  after: AfterRetrieval;
  moveTo: string;
  existing: boolean;
}

export function mailboxOf(account: ChannelAccount | null): MailboxEntry {
  const known = account?.retrieval;
  return {
    ...entryOf(known ?? undefined, USUAL_PORT),
    reads: Boolean(known),
    folders: (known?.folders ?? ["INBOX"]).join("\n"),
    after: known?.after ?? "seen",
    moveTo: known?.move_to ?? "",
    existing: known ? !known.since : false,
  };
}

export function retrievalOf(entry: MailboxEntry): SetRetrieval | undefined {
  if (!entry.reads) return undefined;
  const folders = entry.folders.split("\n").map((one) => one.trim()).filter(Boolean);
  return {
    ...serverOf(entry),
    username: entry.username.trim(),
    folders: folders.length > 0 ? folders : ["INBOX"],
    after: entry.after,
    ...(entry.after === "move" ? { move_to: entry.moveTo.trim() } : {}),
    existing: entry.existing,
  };
}

interface Props {
  entry: MailboxEntry;
  set: (part: Partial<MailboxEntry>) => void;
  known: Retrieval | undefined;
  wrong: (field: string) => string | undefined;
}

export function MailboxFields({ entry, set, known, wrong }: Props) {
  const { t } = useWords();
  return (
    <>
      <ServerFields prefix="retrieval_" entry={entry} set={set} usual={USUAL_PORT} kept={Boolean(known?.password_set)} signsIn wrong={wrong} />
      <Textarea name="folders" label={t("retrieval.folders")} description={t("retrieval.folders_hint")} autosize minRows={1} maxRows={8} spellCheck={false} value={entry.folders} error={wrong("folders")} onChange={(event) => set({ folders: event.currentTarget.value })} />
      <div className={css.halves}>
        <NativeSelect
          label={t("retrieval.after")}
          value={entry.after}
          onChange={(event) => set({ after: event.currentTarget.value as AfterRetrieval })}
          data={[
            { value: "seen", label: t("retrieval.after_seen") },
            { value: "keep", label: t("retrieval.after_keep") },
            { value: "move", label: t("retrieval.after_move") },
          ]}
        />
        {entry.after === "move" && (
          <TextInput name="move_to" label={t("retrieval.move_to")} required withAsterisk={false} spellCheck={false} value={entry.moveTo} error={wrong("move_to")} onChange={(event) => set({ moveTo: event.currentTarget.value })} />
        )}
      </div>
      <Checkbox label={t("retrieval.existing")} description={t("retrieval.existing_hint")} checked={entry.existing} onChange={(event) => set({ existing: event.currentTarget.checked })} />
    </>
  );
}

/** What waits because the server for sending did not take it, and why. */
export function WaitingLine({ waiting }: { waiting: WaitingMail }) {
  const words = useWords();
  const { t } = words;
  return (
    <div className={css.reading}>
      <State tone="bad">{t("waiting.state", { count: waiting.messages, time: words.shortTime(waiting.since, new Date()) })}</State>
      <span className={css.sub}>
        {words.tOr(`waiting.code.${waiting.code}`, "waiting.code.other")} {t("waiting.kept")}
      </span>
    </div>
  );
}

/** How reading a mailbox goes: in a word, and what it means when it fails. */
export function RetrievalLine({ retrieval }: { retrieval: Retrieval }) {
  const words = useWords();
  const { t } = words;
  const { status } = retrieval;
  const at = (time: string | null | undefined) => (time ? words.shortTime(time, new Date()) : "–");
  return (
    <div className={css.reading}>
      {status.state === "failing" && <State tone="bad">{t("retrieval.failing", { time: at(status.problem_since) })}</State>}
      {status.state === "reading" && <State tone="soon">{t("retrieval.reading", { count: status.older })}</State>}
      {status.state === "current" && <State tone="good">{t("retrieval.current", { time: at(status.looked_at) })}</State>}
      {status.state === "waiting" && <State tone="plain">{t("retrieval.waiting")}</State>}
      {status.state === "failing" && <span className={css.sub}>{words.tOr(`retrieval.problem.${status.problem ?? ""}`, "retrieval.problem.other")}</span>}
      {status.left_there > 0 && <span className={css.sub}>{t("retrieval.left_there", { count: status.left_there })}</span>}
    </div>
  );
}
