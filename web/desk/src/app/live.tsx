// SPDX-License-Identifier: EUPL-1.2
//! What a live event makes stale, and nothing else.

import { connectLive, type LiveConnection, type LiveFrame, type LiveState } from "@belofte/api-client";
import type { QueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useWords } from "../i18n";
import { earlyUsed } from "./early";
import { currentSession } from "./session";
import css from "./live.module.css";
import { contactsChanged } from "../contacts/queries";
import { refreshMessages } from "../conversations/message-cache";
import { heard, lookAgain } from "../conversations/draft-sync";
import { forgetPresence, heardPresence, presenceLine } from "../conversations/presence";
import { refreshHeads } from "./lists";
import { keys, queryClient } from "./queries";

/** Names the queries that a frame makes stale; exported for its test. */
export function affected(frame: LiveFrame): { keys: readonly (readonly string[])[]; lists: boolean; all: boolean } {
  const of = (...list: readonly (readonly string[])[]) => ({ keys: list, lists: false, all: false });
  const id = frame.conversation_id;
  switch (frame.kind) {
    case "hello":
      return of();
    case "resync":
      return { keys: [], lists: false, all: true };
    case "conversation_created":
      // Who wrote it may be new.
      return { keys: [keys.counts, keys.contacts, ["contact"], ["contact-conversations"]], lists: true, all: false };
    case "conversation_changed":
      return {
        keys: id
          ? [keys.counts, keys.conversation(id), keys.activity(id), keys.related(id), keys.recordFields("conversation", id), ["contact-conversations"]]
          : [keys.counts],
        lists: true,
        all: false,
      };
    case "message_created":
      return {
        keys: id ? [keys.counts, keys.conversation(id), keys.messages(id), keys.activity(id), ["contact-conversations"]] : [keys.counts],
        lists: true,
        all: false,
      };
    case "delivery_changed":
      return {
        keys: id ? [keys.messages(id), keys.conversation(id)] : [],
        lists: true,
        all: false,
      };
    case "quarantine_changed":
      return of(keys.quarantine, ["accounting"]);
    case "channel_account_changed":
      return of(keys.accounts, keys.senders, keys.signingKeys, ["accounting"]);
    case "contact_changed":
      // Any row may carry the name, and the frame does not say whose it is.
      return of(keys.lists, ["conversation"], ["search"], ["record-fields"], keys.contacts, ["contact"]);
    case "tags_changed":
      // Any row may show the tag, under its old name.
      return of(keys.tags, keys.lists, ["conversation"], ["activity"], ["search"]);
    case "saved_views_changed":
      return of(keys.savedViews);
    case "macros_changed":
      return of(keys.macros);
    case "queues_changed":
      // Any row may show the queue, under its old name.
      return of(keys.queues, ["queue"], keys.lists, ["conversation"], ["activity"], keys.accounts);
    case "teams_changed":
      return of(keys.teams, ["team"]);
    case "fields_changed":
      return of(keys.fields, ["record-fields"]);
    case "user_changed":
      return of(keys.users, keys.session, keys.senders, ["mentionable"]);
    case "notifications_changed":
      return of(keys.notifications, keys.notificationWays);
  }
}

const GATHER_MS = 120;

/** Gathers what comes in one burst, so that fifty events are one round of requests. */
export function gather(
  client: QueryClient,
  refresh: (ids: Set<string>) => Promise<void>,
  messages: (conversation: string, touched: Set<string>) => Promise<void> = refreshMessages,
  contacts: () => Promise<void> = contactsChanged,
) {
  let pending: LiveFrame[] = [];
  function flush() {
    const frames = pending;
    pending = [];
    const stale = new Map<string, readonly string[]>();
    const changed = new Set<string>();
    const touched = new Set<string>();
    let lists = false;
    for (const frame of frames) {
      const hit = affected(frame);
      if (hit.all) {
        void client.invalidateQueries();
        return;
      }
      if (frame.message_id) touched.add(frame.message_id);
      for (const key of hit.keys) stale.set(key.join("/"), key);
      lists ||= hit.lists;
      if (hit.lists && frame.conversation_id) changed.add(frame.conversation_id);
    }
    for (const key of stale.values()) {
      const [what, id] = key;
      if (what === "messages" && id) void messages(id, touched);
      // A list of people can be dear to make: it says itself what becomes of it.
      else if (what === "contacts") void contacts();
      else void client.invalidateQueries({ queryKey: key });
    }
    if (lists) void refresh(changed);
  }
  return (frame: LiveFrame) => {
    pending.push(frame);
    if (pending.length === 1) setTimeout(flush, GATHER_MS);
  };
}

function address(): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/live`;
}

/** Keeps the live line for as long as the desk is shown. */
export function useLive(since: number, onSignedOut: () => void) {
  const [state, setState] = useState<{ state: LiveState; at: number | null }>({ state: "connecting", at: null });
  const [connection, setConnection] = useState<LiveConnection | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the first number starts the line; later ones are kept by it
  useEffect(() => {
    const take = gather(queryClient, refreshHeads);
    let early = earlyUsed();
    let lost = false;
    const live = connectLive({
      url: address(),
      since,
      onFrame: (frame) => {
        // What was asked for before the session may be older than the number the line began at.
        if (frame.kind === "hello" && early) {
          early = false;
          void refreshHeads(new Set());
          for (const what of [keys.counts, ["conversation"], ["messages"]]) void queryClient.invalidateQueries({ queryKey: what });
        } else take(frame);
      },
      onWhisper: (whisper) => (whisper.kind === "presence" ? heardPresence(whisper) : heard(whisper)),
      onState: (next, pause) => {
        if (next === "open") {
          presenceLine((what) => live.say(what));
          // What was whispered while the line was away is not told again.
          if (lost) void lookAgain();
          lost = false;
        }
        else {
          lost ||= next === "lost";
          presenceLine(null);
          forgetPresence();
        }
        setState({ state: next, at: pause === null ? null : Date.now() + pause });
      },
      onRefused: () => {
        void queryClient
          .invalidateQueries({ queryKey: keys.session })
          .then(currentSession)
          .then((session) => {
            if (!session) onSignedOut();
          })
          .catch(() => {
            // No server at all: the line itself says so and tries again.
          });
      },
    });
    setConnection(live);
    const nudge = () => live.nudge();
    const woken = () => {
      if (document.visibilityState === "visible") live.nudge();
    };
    window.addEventListener("online", nudge);
    document.addEventListener("visibilitychange", woken);
    return () => {
      document.removeEventListener("visibilitychange", woken);
      window.removeEventListener("online", nudge);
      live.stop();
    };
  }, []);
  return { ...state, nudge: () => connection?.nudge() };
}

export function LiveLine({ live }: { live: ReturnType<typeof useLive> }) {
  const { t } = useWords();
  const [now, setNow] = useState(Date.now());
  const lost = live.state === "lost";
  useEffect(() => {
    if (!lost) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [lost]);
  // A short break mends itself before anybody has read about it.
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (!lost) {
      setShown(false);
      return;
    }
    const timer = setTimeout(() => setShown(true), 800);
    return () => clearTimeout(timer);
  }, [lost]);
  if (!lost || !shown) return null;
  const seconds = live.at === null ? 0 : Math.max(0, Math.ceil((live.at - now) / 1000));
  return (
    <div className={css.line}>
      <span role="status">{t("live.lost")}</span>
      <span aria-hidden="true">{seconds > 0 ? t("live.retry_in", { seconds }) : t("live.retrying")}</span>
      <button type="button" onClick={live.nudge}>
        {t("live.now")}
      </button>
    </div>
  );
}
