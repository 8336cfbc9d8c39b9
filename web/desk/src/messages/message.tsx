// SPDX-License-Identifier: EUPL-1.2

import type { Mailbox, Message } from "@belofte/api-client";
import { ActionIcon, Menu } from "@mantine/core";
import { memo, type ReactNode, useEffect, useRef, useState } from "react";
import { api } from "../app/api";
import { mayAdministrate, useSession } from "../app/session";
import { useWords, type Words } from "../i18n";
import { arrange } from "../conversations/arrange";
import { compose, type Kind } from "../conversations/compose";
import { parts } from "../conversations/mentions";
import { openPrint } from "../conversations/print-window";
import { takeBack } from "../conversations/undo";
import { BoltIcon, DownloadIcon, FileIcon, LockIcon, MoreIcon, PassOnIcon, PencilIcon, PrintIcon, ReplyAllIcon, ReplyIcon, SplitIcon } from "../ui/icons";
import { isolated } from "../ui/isolate";
import { Monogram } from "../ui/monogram";
import { Attachments } from "./attachments";
import { Cover } from "./cover";
import { Deliveries } from "./deliveries";
import { InvitationCard } from "./invitation";
import { MailFrame } from "./mail-frame";
import css from "./message.module.css";
import { linkPieces, splitQuoted } from "./quoted";
import { useRemoteImages } from "./remote-images";
import { SenderSign, SenderWarning } from "./sender";
import { SourceView } from "./source";

export const addressText = (one: Mailbox) => one.name || one.address;

function authorOf(message: Message, { t }: Words): string {
  return message.author.name || message.author.address || t("message.unknown_author");
}

/** What sort of mail it is, in a word; a machine's always says that it is one. */
function sortOf(message: Message, { t, tOr }: Words): string | null {
  if (message.sort) return tOr(`message.sort.${message.sort}`, "message.automatic");
  return message.kind === "automatic" ? t("message.automatic") : null;
}

export const MessageView = memo(function MessageView({ message }: { message: Message }) {
  const words = useWords();
  const { t } = words;
  const session = useSession();
  const author = authorOf(message, words);
  const sort = sortOf(message, words);
  const images = useRemoteImages(message);
  const [source, setSource] = useState(false);
  const files = message.attachments.filter((one) => !one.inline || !message.html);
  const blind = message.deliveries.filter((one) => one.role === "bcc").map((one) => one.recipient);
  const recipients = [...message.to, ...message.cc, ...blind];
  const named = (people: readonly Mailbox[]) => people.map((one) => isolated(addressText(one))).join(", ");
  const names = [
    named(message.to),
    message.cc.length > 0 ? t("message.cc", { names: named(message.cc) }) : "",
    blind.length > 0 ? t("message.bcc", { names: named(blind) }) : "",
  ]
    .filter(Boolean)
    .join(" · ");
  const answer = (kind: Kind) => compose(message.conversation_id, kind, message.id);
  return (
    <article className={css.message} data-kind={message.kind} aria-label={t("message.name", { kind: message.kind, author })}>
      {message.kind === "note" && (
        <p className={css.band}>
          <LockIcon size={14} /> {t("message.note_band")}
        </p>
      )}
      <header className={css.head}>
        {message.kind === "automatic" ? (
          <span className={css.auto}>
            <BoltIcon size={14} />
          </span>
        ) : (
          <Monogram name={author} size={26} />
        )}
        <div className={css.who}>
          <div className={css.name}>
            <strong title={author}>
              <bdi>{author}</bdi>
            </strong>
            {sort && <span className={css.sort}>{sort}</span>}
            {message.authentication && <SenderSign checked={message.authentication} />}
          </div>
          {message.kind !== "note" && recipients.length > 0 && (
            <span className={css.to} title={recipients.map((one) => one.address).join(", ")}>
              {(message.kind === "incoming" || message.kind === "automatic") && message.author.address && message.author.name
                ? t("message.from_to", { from: message.author.address, names })
                : t("message.to", { names })}
            </span>
          )}
        </div>
        <time dateTime={message.created_at} title={words.fullTime(message.created_at)}>
          {messageTime(message.created_at, words)}
        </time>
        {message.kind === "note" && message.author.id === session.user.id && <NoteMenu message={message} />}
        {message.kind !== "note" && (
          <Menu width={220}>
            <Menu.Target>
              <ActionIcon size={28} aria-label={t("message.more", { author })}>
                <MoreIcon size={16} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              {message.kind !== "automatic" && (
                <>
                  <Menu.Item leftSection={<ReplyIcon size={16} />} onClick={() => answer("reply")}>
                    {t("composer.reply")}
                  </Menu.Item>
                  <Menu.Item leftSection={<ReplyAllIcon size={16} />} onClick={() => answer("all")}>
                    {t("composer.reply_all")}
                  </Menu.Item>
                </>
              )}
              <Menu.Item leftSection={<PassOnIcon size={16} />} onClick={() => answer("forward")}>
                {t("composer.forward")}
              </Menu.Item>
              <Menu.Item leftSection={<SplitIcon size={16} />} onClick={() => arrange({ what: "split", id: message.conversation_id, message: message.id })}>
                {t("arrange.split_message")}
              </Menu.Item>
              {(message.kind === "reply" || message.source_available) && (
                <Menu.Item component="a" href={api.messages.emlUrl(message.id)} download leftSection={<DownloadIcon size={16} />}>
                  {t("message.eml")}
                </Menu.Item>
              )}
              <Menu.Item leftSection={<PrintIcon size={16} />} onClick={() => openPrint(message.conversation_id)}>
                {t("print.name")}
              </Menu.Item>
              {message.source_available && mayAdministrate(session) && (
                <Menu.Item leftSection={<FileIcon size={16} />} onClick={() => setSource(true)}>
                  {t("message.source")}
                </Menu.Item>
              )}
            </Menu.Dropdown>
          </Menu>
        )}
      </header>
      <div className={css.body}>
        <SenderWarning message={message} />
        <Cover message={message} />
        {message.invitation && <InvitationCard invitation={message.invitation} />}
        <Cut name={author}>
          {message.html ? (
            <MailFrame
              id={message.id}
              html={message.html}
              attachments={message.attachments}
              title={t("mail.frame", { author })}
              images={images}
            />
          ) : message.kind === "note" ? (
            <NoteText message={message} />
          ) : (
            <PlainText text={message.text} quotedFrom={message.quoted_from ?? null} signatureFrom={message.signature_from ?? null} />
          )}
        </Cut>
        {files.length > 0 && <Attachments items={files} />}
        {message.deliveries.length > 0 && <Deliveries message={message} />}
        {source && <SourceView message={message} close={() => setSource(false)} />}
      </div>
    </article>
  );
});

/** The words of a note; who is named in it stands there under the name of now. */
function NoteText({ message }: { message: Message }) {
  const { t } = useWords();
  const session = useSession();
  return (
    <div className={css.text}>
      {parts(message.text, message.mentions).map(({ text, user }, index) =>
        user ? (
          <span
            // biome-ignore lint/suspicious/noArrayIndexKey: the text of a note never changes
            key={index}
            className={css.mention}
            data-me={user.id === session.user.id || undefined}
            data-gone={user.state === "blocked" || undefined}
          >
            <bdi>{text}</bdi>
            {user.state === "blocked" && <small> {t("mentions.gone")}</small>}
          </span>
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: the text of a note never changes
          <Linked key={index} text={text} within />
        ),
      )}
    </div>
  );
}

/** Its writer takes a note back while it is new. */
function NoteMenu({ message }: { message: Message }) {
  const words = useWords();
  const { t } = words;
  const [now] = useState(Date.now);
  if (!message.undo_until || Date.parse(message.undo_until) <= now) return null;
  return (
    <Menu width={240}>
      <Menu.Target>
        <ActionIcon size={28} aria-label={t("note.more")}>
          <MoreIcon size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<PencilIcon size={16} />} onClick={() => void takeBack(message, message.conversation_id, null, words)}>
          {t("note.take_back")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function messageTime(time: string, words: Words): string {
  const short = words.shortTime(time, new Date());
  const clock = words.clock(time);
  return short === clock ? clock : words.t("message.day_time", { day: short, time: clock });
}

interface TextProps {
  text: string;
  quotedFrom: number | null;
  signatureFrom?: number | null;
}

export function PlainText({ text, quotedFrom, signatureFrom = null }: TextProps) {
  const { t } = useWords();
  const [open, setOpen] = useState(false);
  const [signed, setSigned] = useState(false);
  const { own, quoted } = splitQuoted(text, quotedFrom);
  const { own: said, quoted: signature } = splitQuoted(own, signatureFrom);
  return (
    <>
      <Linked text={said} />
      {signature && (
        <>
          <button type="button" className={css.fold} aria-expanded={signed} onClick={() => setSigned(!signed)}>
            {signed ? t("mail.hide_signature") : t("mail.show_signature")}
          </button>
          {signed && (
            <div className={css.quoted}>
              <Linked text={signature} />
            </div>
          )}
        </>
      )}
      {quoted && (
        <>
          <button type="button" className={css.fold} aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? t("mail.hide_quoted") : t("mail.show_quoted")}
          </button>
          {open && (
            <div className={css.quoted}>
              <Linked text={quoted} />
            </div>
          )}
        </>
      )}
    </>
  );
}

function Linked({ text, within = false }: { text: string; within?: boolean }) {
  const Part = within ? "span" : "div";
  return (
    <Part className={within ? undefined : css.text}>
      {linkPieces(text).map((piece, index) =>
        piece.href ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: the text of a message never changes
          <a key={index} href={piece.href} target="_blank" rel="noopener noreferrer nofollow">
            {piece.text}
          </a>
        ) : (
          piece.text
        ),
      )}
    </Part>
  );
}

const CUT = 560;

/** Cuts what is longer than a screen, with a button that shows the rest. */
function Cut({ children, name }: { children: ReactNode; name: string }) {
  const { t } = useWords();
  const inner = useRef<HTMLDivElement>(null);
  const [long, setLong] = useState(false);
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const element = inner.current;
    if (!element) return;
    // A little over is shown whole: a button that hides two lines helps nobody.
    const observer = new ResizeObserver(() => setLong(element.offsetHeight > CUT + 160));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const cut = long && !open;
  return (
    <>
      <div className={css.cut} data-cut={cut || undefined} style={cut ? { maxHeight: CUT } : undefined}>
        <div ref={inner} className={css.flow}>{children}</div>
      </div>
      {long && (
        <button
          type="button"
          className={css.all}
          aria-expanded={open}
          aria-label={open ? t("mail.show_less_named", { author: name }) : t("mail.show_all_named", { author: name })}
          onClick={() => setOpen(!open)}
        >
          {open ? t("mail.show_less") : t("mail.show_all")}
        </button>
      )}
    </>
  );
}
