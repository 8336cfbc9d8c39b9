// SPDX-License-Identifier: EUPL-1.2

import type { Delivery, Message } from "@belofte/api-client";
import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../app/api";
import { replaceMessage } from "../conversations/message-cache";
import { takeBack, waits } from "../conversations/undo";
import { useSession } from "../app/session";
import { FailureLine } from "../app/states";
import { useWords, type Words } from "../i18n";
import { CheckIcon, ClockIcon, RetryIcon, WarnIcon } from "../ui/icons";
import css from "./deliveries.module.css";
import { addressText } from "./message";

/** What happened, what it means for the customer, and what to do. */
export function deliveryText(delivery: Delivery, words: Words): string {
  const name = addressText(delivery.recipient);
  const time = words.shortTime(delivery.updated_at, new Date());
  switch (delivery.state) {
    case "sent":
      if (delivery.code === "delayed") return words.t("delivery.delayed", { name, time });
      if (delivery.code === "found_in_sent") return words.t("delivery.sent_found", { name, time });
      return words.t("delivery.sent", { name, time });
    case "sending":
      return words.t("delivery.sending", { name });
    case "queued":
      if (delivery.next_try_at && delivery.attempts === 0) return words.t("delivery.waits", { name });
      return delivery.next_try_at && delivery.attempts > 0
        ? words.t("delivery.again", { name, time: words.clock(delivery.next_try_at) })
        : words.t("delivery.queued", { name });
    case "failed":
      return words.tOr(`delivery.failed.${delivery.code ?? ""}`, "delivery.failed.other", { name });
    case "unknown":
      return words.t("delivery.unknown", { name });
  }
}

/** Handed over, and nobody on the way has said that it waits. */
function isThere(delivery: Delivery): boolean {
  return delivery.state === "sent" && delivery.code !== "delayed" && !delivery.complained_at;
}

export function Deliveries({ message }: { message: Message }) {
  const words = useWords();
  const { t } = words;
  const session = useSession();
  const failed = message.deliveries.filter((one) => one.state === "failed");
  const sent = message.deliveries.every(isThere);
  if (sent) {
    const last = message.deliveries.map((one) => one.updated_at).sort().at(-1) ?? message.created_at;
    return (
      <p className={css.calm} title={message.deliveries.map((one) => one.recipient.address).join(", ")}>
        <CheckIcon size={14} />
        {t("delivery.all_sent", { count: message.deliveries.length, time: words.shortTime(last, new Date()) })}
      </p>
    );
  }
  return (
    <ul className={css.list} aria-label={t("delivery.list")}>
      {message.deliveries.map((one) => (
        <Line key={one.id} message={message} delivery={one} alone={one.state === "unknown" || failed.length <= 1} />
      ))}
      {message.author.id === session.user.id && waits(message) && (
        <li>
          <Undo message={message} />
        </li>
      )}
      {/* An unknown one is never among these: sending it again is a choice of its own. */}
      {failed.length > 1 && (
        <li>
          <Retry message={message} deliveries={failed} label={t("delivery.retry_all", { count: failed.length })} />
        </li>
      )}
    </ul>
  );
}

/** Takes the message back, also after the notice of it has gone. */
function Undo({ message }: { message: Message }) {
  const words = useWords();
  const [busy, setBusy] = useState(false);
  return (
    <div className={css.retry}>
      <Button
        variant="default"
        h={28}
        size="compact-sm"
        loading={busy}
        onClick={() => {
          setBusy(true);
          void takeBack(message, message.conversation_id, null, words).finally(() => setBusy(false));
        }}
      >
        {words.t("delivery.take_back")}
      </Button>
    </div>
  );
}

function Line({ message, delivery, alone }: { message: Message; delivery: Delivery; alone: boolean }) {
  const words = useWords();
  const bad = delivery.state === "failed" || delivery.state === "unknown";
  return (
    <li className={css.line} data-state={delivery.state} data-complained={delivery.complained_at ? true : undefined}>
      {bad || delivery.complained_at ? <WarnIcon size={15} /> : isThere(delivery) ? <CheckIcon size={15} /> : <ClockIcon size={15} />}
      <div>
        <span>{deliveryText(delivery, words)}</span>
        {delivery.complained_at && (
          <span className={css.complained}>
            {words.t("delivery.complained", { name: addressText(delivery.recipient), time: words.shortTime(delivery.complained_at, new Date()) })}
          </span>
        )}
        {(bad || (delivery.state === "sent" && !isThere(delivery))) && (delivery.code || delivery.remote_reply) && (
          <span className={css.code}>
            {[delivery.recipient.address, delivery.code, delivery.remote_reply].filter(Boolean).join(" · ")}
          </span>
        )}
        {bad && alone && (
          <Retry
            message={message}
            deliveries={[delivery]}
            label={delivery.state === "unknown" ? words.t("delivery.send_anyway") : words.t("delivery.retry")}
          />
        )}
      </div>
    </li>
  );
}

function Retry({ message, deliveries, label }: { message: Message; deliveries: Delivery[]; label: string }) {
  const retry = useMutation({
    mutationFn: () => api.messages.retry(message.id, deliveries.map((one) => one.id)),
    onSuccess: replaceMessage,
  });
  return (
    <div className={css.retry}>
      <Button
        variant="default"
        h={28}
        size="compact-sm"
        leftSection={<RetryIcon size={14} />}
        loading={retry.isPending}
        onClick={() => retry.mutate()}
      >
        {label}
      </Button>
      {retry.isError && <FailureLine error={retry.error} />}
    </div>
  );
}
