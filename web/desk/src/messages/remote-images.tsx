// SPDX-License-Identifier: EUPL-1.2
//! Remote images: not fetched until somebody asks, and then by the server, so that nobody outside learns who reads.

import type { Message } from "@belofte/api-client";
import { Button, Menu } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../app/api";
import { keys, queryClient } from "../app/queries";
import { maySupervise, useSession } from "../app/session";
import { explainShort } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { DownIcon, ImageIcon, ImageOffIcon } from "../ui/icons";
import css from "./message.module.css";

const NOTHING: ReadonlyMap<string, string> = new Map();

/** The remote images of a message, as far as they were asked for. */
export function useRemoteImages(message: Message) {
  const [asked, setAsked] = useState(false);
  const chosen = message.show_images_for ?? null;
  const wanted = message.has_remote_images && (asked || chosen !== null);
  const answer = useQuery({
    queryKey: ["remote-images", message.id],
    queryFn: ({ signal }) => api.messages.images(message.id, signal),
    enabled: wanted,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 10 * 60_000,
    select: remoteOf,
  });
  return {
    message,
    chosen,
    remote: (wanted ? answer.data?.remote : null) ?? NOTHING,
    told: wanted ? (answer.data ?? null) : null,
    busy: wanted && answer.isFetching,
    failed: wanted && answer.isError,
    show: () => {
      if (asked) void answer.refetch();
      setAsked(true);
    },
  };
}

interface Told {
  remote: ReadonlyMap<string, string>;
  tracking: number;
  missing: number;
}

function remoteOf({ items }: Awaited<ReturnType<typeof api.messages.images>>): Told {
  const remote = new Map<string, string>();
  let tracking = 0;
  let missing = 0;
  for (const one of items) {
    if (one.data) remote.set(one.address, one.data);
    else if (one.state === "tracks") tracking += 1;
    else missing += 1;
  }
  return { remote, tracking, missing };
}

interface LineProps {
  images: ReturnType<typeof useRemoteImages>;
  blocked: { count: number; hosts: string[] };
}

/** Says what was not fetched and why, and lets one choose. */
export function ImagesLine({ images, blocked }: LineProps) {
  const words = useWords();
  const { t } = words;
  const session = useSession();
  const { message, chosen, told } = images;
  const contact = message.author.kind === "contact" ? message.author.id : null;
  const choose = async (whose: "me" | "everybody", show: boolean) => {
    if (!contact) return;
    try {
      await api.contacts.chooseImages(contact, { for: whose, show });
      if (show) images.show();
      await queryClient.invalidateQueries({ queryKey: keys.messages(message.conversation_id) });
      toast(t(show ? "images.chosen" : "images.not_chosen"));
    } catch (error) {
      toast(explainShort(error, words), { bad: true });
    }
  };
  if (!message.has_remote_images) return null;
  const said = images.busy
    ? t("images.fetching")
    : images.failed
      ? t("images.failed")
      : told
        ? [
            told.remote.size > 0 ? t("images.fetched") : "",
            told.tracking > 0 ? t("images.tracking", { count: told.tracking }) : "",
            told.missing > 0 ? t("images.missing", { count: told.missing }) : "",
          ]
            .filter(Boolean)
            .join(" ")
        : blocked.count > 0
          ? t("mail.images_blocked", { count: blocked.count, hosts: blocked.hosts.join(", ") })
          : "";
  if (!said) return null;
  const Mark = told && told.remote.size > 0 ? ImageIcon : ImageOffIcon;
  return (
    <div className={css.blocked}>
      <Mark size={16} />
      <span role="status">{said}</span>
      <span className={css.choices}>
        {(!told || told.missing > 0 || images.failed) && !images.busy && (
          <Button size="compact-xs" variant="default" onClick={images.show}>
            {told || images.failed ? t("images.again") : t("images.show")}
          </Button>
        )}
        {contact && !images.busy && (
          <Menu width={280} position="bottom-end">
            <Menu.Target>
              <Button size="compact-xs" variant="default" rightSection={<DownIcon size={12} />}>
                {t("images.always")}
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              {chosen !== "me" && chosen !== "everybody" && (
                <Menu.Item onClick={() => void choose("me", true)}>{t("images.always_me")}</Menu.Item>
              )}
              {chosen !== "everybody" && maySupervise(session) && (
                <Menu.Item onClick={() => void choose("everybody", true)}>{t("images.always_all")}</Menu.Item>
              )}
              {chosen === "me" && <Menu.Item onClick={() => void choose("me", false)}>{t("images.never_me")}</Menu.Item>}
              {chosen === "everybody" && maySupervise(session) && (
                <Menu.Item onClick={() => void choose("everybody", false)}>{t("images.never_all")}</Menu.Item>
              )}
              {chosen === "everybody" && !maySupervise(session) && <Menu.Label>{t("images.chosen_for_all")}</Menu.Label>}
            </Menu.Dropdown>
          </Menu>
        )}
      </span>
    </div>
  );
}
