// SPDX-License-Identifier: EUPL-1.2
//! Files on their way to a message, and those that are there.

import type { Attachment, Upload } from "@belofte/api-client";
import { type DragEvent, useCallback, useState } from "react";
import { api, newKey } from "../app/api";
import { explainShort } from "../app/states";
import { useWords } from "../i18n";
import { CloseIcon, FileIcon } from "../ui/icons";
import css from "./composer.module.css";

interface Sending {
  local: string;
  name: string;
  fraction: number;
  error: unknown;
  upload: Upload;
  file: File;
}

export interface Uploads {
  sending: Sending[];
  /** Begins with some; `then` gets each that is there as well. */
  start: (files: Iterable<File>, then?: (file: Attachment) => void) => void;
  /** Gives one up, or clears it away when it failed. */
  drop: (one: Sending) => void;
  again: (one: Sending) => void;
  clear: () => void;
}

/** Uploads files; `done` gets each that is there. */
export function useUploads(done: (file: Attachment) => void): Uploads {
  const [sending, setSending] = useState<Sending[]>([]);
  const without = useCallback((local: string) => setSending((list) => list.filter((one) => one.local !== local)), []);
  const start = useCallback(
    (files: Iterable<File>, then?: (file: Attachment) => void) => {
      for (const file of files) {
        const local = newKey();
        const update = (part: Partial<Sending>) =>
          setSending((list) => list.map((one) => (one.local === local ? { ...one, ...part } : one)));
        const upload = api.attachments.upload(file, (fraction) => update({ fraction }));
        setSending((list) => [...list, { local, name: file.name, fraction: 0, error: null, upload, file }]);
        upload.promise.then(
          (attachment) => {
            without(local);
            done(attachment);
            then?.(attachment);
          },
          (error: unknown) => {
            if (error instanceof DOMException && error.name === "AbortError") without(local);
            else update({ error });
          },
        );
      }
    },
    [done, without],
  );
  return {
    sending,
    start,
    drop: (one) => (one.error ? without(one.local) : one.upload.cancel()),
    again: (one) => {
      without(one.local);
      start([one.file]);
    },
    clear: () => setSending([]),
  };
}

/** Where files can be dropped: whether some hang over it, and what the place listens to. */
export function useDrop(start: (files: Iterable<File>) => void) {
  const [over, setOver] = useState(false);
  return {
    over,
    listens: {
      onDragOver: (event: DragEvent) => {
        if (!event.dataTransfer.types.includes("Files")) return;
        event.preventDefault();
        setOver(true);
      },
      onDragLeave: () => setOver(false),
      onDrop: (event: DragEvent) => {
        event.preventDefault();
        setOver(false);
        start(event.dataTransfer.files);
      },
    },
  };
}

interface Props {
  files: Attachment[];
  remove: (file: Attachment) => void;
  uploads: Uploads;
}

export function FileList({ files, remove, uploads }: Props) {
  const words = useWords();
  const { t, bytes } = words;
  if (files.length === 0 && uploads.sending.length === 0) return null;
  return (
    <ul className={css.files} aria-label={t("composer.files")}>
      {files.map((one) => (
        <li key={one.id}>
          <FileIcon size={15} />
          <span className={css.file}>{one.name}</span>
          <span className={css.size}>{bytes(one.size_bytes)}</span>
          <button type="button" aria-label={t("composer.remove_file", { name: one.name })} onClick={() => remove(one)}>
            <CloseIcon size={13} />
          </button>
        </li>
      ))}
      {uploads.sending.map((one) => (
        <li key={one.local} data-failed={one.error !== null || undefined}>
          <FileIcon size={15} />
          <span className={css.file}>{one.name}</span>
          {one.error ? (
            <>
              <span role="alert" className={css.size}>
                {explainShort(one.error, words)}
              </span>
              <button type="button" className={css.retry} onClick={() => uploads.again(one)}>
                {t("action.try_again")}
              </button>
            </>
          ) : (
            <progress value={one.fraction} max={1} aria-label={t("composer.uploading", { name: one.name })} />
          )}
          <button type="button" aria-label={t("composer.remove_file", { name: one.name })} onClick={() => uploads.drop(one)}>
            <CloseIcon size={13} />
          </button>
        </li>
      ))}
    </ul>
  );
}
