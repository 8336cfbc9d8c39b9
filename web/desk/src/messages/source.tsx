// SPDX-License-Identifier: EUPL-1.2
//! The bytes of a mail as they came, for admins: what a supplier of mail asks for when something is wrong.

import type { Message } from "@belofte/api-client";
import { Button, Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api } from "../app/api";
import { copy } from "../app/copy";
import { Failure, Skeleton } from "../app/states";
import { useWords } from "../i18n";
import { CopyIcon, DownloadIcon } from "../ui/icons";
import css from "./source.module.css";

/** More than this is for an editor, not for a window of a browser. */
const MOST = 200_000;

export function SourceView({ message, close }: { message: Message; close: () => void }) {
  const words = useWords();
  const { t, bytes } = words;
  const source = useQuery({
    queryKey: ["source", message.id],
    queryFn: ({ signal }) => api.messages.source(message.id, signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const text = source.data?.slice(0, MOST) ?? "";
  const cut = (source.data?.length ?? 0) > MOST;
  return (
    <Modal opened onClose={close} size="xl" title={t("source.title")} closeButtonProps={{ "aria-label": t("action.close") }}>
      {source.isPending && <Skeleton rows={6} />}
      {source.isError && <Failure error={source.error} retry={() => void source.refetch()} />}
      {source.data !== undefined && (
        <>
          <p className={css.lead}>
            {t("source.text")}
            {cut && ` ${t("source.cut", { size: bytes(source.data.length) })}`}
          </p>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
          <pre className={css.source} tabIndex={0}>
            {text}
          </pre>
          <div className={css.tools}>
            <Button
              variant="default"
              leftSection={<CopyIcon size={16} />}
              onClick={() => void copy(text, words, t("source.copied"))}
            >
              {t("source.copy")}
            </Button>
            <Button component="a" variant="default" href={api.messages.sourceUrl(message.id)} download leftSection={<DownloadIcon size={16} />}>
              {t("source.download")}
            </Button>
          </div>
        </>
      )}
    </Modal>
  );
}
