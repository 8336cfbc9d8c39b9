// SPDX-License-Identifier: EUPL-1.2

import type { Attachment } from "@belofte/api-client";
import { useComputedColorScheme } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { api } from "../app/api";
import { useWords } from "../i18n";
import { ImagesLine, type useRemoteImages } from "./remote-images";
import { handKeys } from "./frame-keys";
import sheet from "./mail-frame.css?url";
import { cidOf, frameDocument, prepareMail } from "./mail-html";
import css from "./message.module.css";

/** An inline image above this size stays an attachment: as a data: address it would weigh a third more. */
const LARGEST_INLINE = 5_000_000;

async function dataAddress(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error ?? new Error("unreadable"));
    reader.readAsDataURL(blob);
  });
}

function usePictures(wanted: readonly string[], attachments: readonly Attachment[]): ReadonlyMap<string, string> {
  const found = attachments.filter(
    (one) =>
      one.content_id &&
      wanted.includes(cidOf(one.content_id)) &&
      one.size_bytes <= LARGEST_INLINE &&
      /^image\/(png|jpe?g|gif|webp)$/.test(one.media_type),
  );
  const answers = useQueries({
    queries: found.map((one) => ({
      queryKey: ["inline-image", one.id],
      queryFn: async ({ signal }: { signal: AbortSignal }) =>
        dataAddress(new Blob([await api.attachments.bytes(one.id, signal)], { type: one.media_type })),
      staleTime: Number.POSITIVE_INFINITY,
    })),
  });
  const map = new Map<string, string>();
  found.forEach((one, index) => {
    const data = answers[index]?.data;
    if (data && one.content_id) map.set(cidOf(one.content_id), data);
  });
  return map;
}

/** The height that each mail had, so that one that comes back into sight does not jump. */
const heights = new Map<string, number>();

interface Props {
  /** The message, under which the height is remembered. */
  id: string;
  html: string;
  attachments: readonly Attachment[];
  title: string;
  /** What is known of its remote images, and what can be chosen. */
  images: ReturnType<typeof useRemoteImages>;
}

export function MailFrame({ id, html, attachments, title, images }: Props) {
  const words = useWords();
  const { t } = words;
  const scheme = useComputedColorScheme("light");
  const [showQuoted, setShowQuoted] = useState(false);
  const [showSignature, setShowSignature] = useState(false);
  const wanted = useMemo(() => prepareMail(html, new Map(), true).inline, [html]);
  const pictures = usePictures(wanted, attachments);
  const pictureKeys = [...pictures.keys()].join(" ");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the map is new at each render, its keys tell whether it changed
  const mail = useMemo(
    () => prepareMail(html, pictures, showQuoted, images.remote, showSignature),
    [html, pictureKeys, showQuoted, images.remote, showSignature],
  );
  const look = mail.designed ? (scheme === "dark" ? "paper" : "light") : scheme;
  const source = useMemo(
    () => frameDocument(mail.html, sheet, look, words.language),
    [mail.html, look, words.language],
  );
  const [height, setHeight] = useState(() => heights.get(id) ?? 40);
  const observer = useRef<ResizeObserver | null>(null);
  const listening = useRef<AbortController | null>(null);
  useEffect(
    () => () => {
      observer.current?.disconnect();
      listening.current?.abort();
    },
    [],
  );

  return (
    <>
      <ImagesLine images={images} blocked={mail.blocked} />
      {/*
        Why allow-same-origin: only so can the desk measure the height of the
        mail, and hear the keys that are pressed in it. It is safe here because
        allow-scripts is absent: nothing in the frame runs, whichever origin it
        has, so nobody is there to use that origin. (The dangerous pair is the
        two together: such a frame can take its own sandbox off.) Three walls
        stand behind this one: the server's sanitiser, the second cleaning in
        mail-html.ts, and two policies, the desk's (script-src 'self',
        inherited) and the frame's own (default-src 'none'). Links open in a new tab outside the sandbox, without opener.
      */}
      <iframe
        className={css.frame}
        data-look={look}
        title={title}
        sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"
        referrerPolicy="no-referrer"
        srcDoc={source}
        style={{ height }}
        onLoad={(event) => {
          const inside = event.currentTarget.contentDocument;
          if (!inside?.body) return;
          const root = inside.body;
          listening.current?.abort();
          listening.current = new AbortController();
          handKeys(inside, event.currentTarget, listening.current.signal);
          const measure = () => {
            const next = Math.ceil(root.getBoundingClientRect().height) + 1;
            heights.set(id, next);
            setHeight(next);
          };
          observer.current?.disconnect();
          observer.current = new ResizeObserver(measure);
          observer.current.observe(root);
          measure();
        }}
      />
      {mail.hasSignature && (
        <button type="button" className={css.fold} aria-expanded={showSignature} onClick={() => setShowSignature(!showSignature)}>
          {showSignature ? t("mail.hide_signature") : t("mail.show_signature")}
        </button>
      )}
      {mail.hasQuoted && (
        <button type="button" className={css.fold} aria-expanded={showQuoted} onClick={() => setShowQuoted(!showQuoted)}>
          {showQuoted ? t("mail.hide_quoted") : t("mail.show_quoted")}
        </button>
      )}
    </>
  );
}
