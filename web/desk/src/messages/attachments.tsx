// SPDX-License-Identifier: EUPL-1.2

import type { Attachment } from "@belofte/api-client";
import { api } from "../app/api";
import { useWords } from "../i18n";
import { DownloadIcon, FileIcon } from "../ui/icons";
import css from "./attachments.module.css";

export function Attachments({ items }: { items: readonly Attachment[] }) {
  const { t, bytes } = useWords();
  const winmail = items.some((one) => /^application\/(vnd\.)?ms-tnef$/.test(one.media_type) || /^winmail\.dat$/i.test(one.name));
  return (
    <>
    <ul className={css.list} aria-label={t("attachment.list", { count: items.length })}>
      {items.map((one) => (
        <li key={one.id}>
          <a
            className={css.file}
            href={api.attachments.url(one.id)}
            download={one.name}
            aria-label={t("attachment.download", { name: one.name, size: bytes(one.size_bytes) })}
          >
            <FileIcon size={16} />
            <span className={css.name}>{one.name || t("attachment.unnamed")}</span>{" "}
            <span className={css.size}>{bytes(one.size_bytes)}</span>
            <DownloadIcon size={15} />
          </a>
        </li>
      ))}
    </ul>
    {winmail && <p className={css.hint}>{t("attachment.winmail")}</p>}
    </>
  );
}
