// SPDX-License-Identifier: EUPL-1.2
//! Whom a mail goes to: reading what people paste, and whom an answer is for. No React here.

import type { Mailbox, Message, Sender } from "@belofte/api-client";

/** Whether mail can be addressed so; the server has the last word. */
export const isAddress = (address: string): boolean => /^[^\s@<>()[\],;:\\"]+@[^\s@<>(),;:\\"]+\.[^\s@<>(),;:\\"]+$/.test(address);

/** How a person is written for the server, and for an address field elsewhere. */
export const written = ({ name, address }: Mailbox): string => (name ? `${name} <${address}>` : address);

export const sameAddress = (one: Mailbox, other: Mailbox): boolean => one.address.toLowerCase() === other.address.toLowerCase();

/** Each address once; the first who has it stays. */
export function once(people: readonly Mailbox[]): Mailbox[] {
  return people.filter((one, at) => people.findIndex((other) => sameAddress(one, other)) === at);
}

/** Splits where a list is separated: at commas, semicolons and line ends outside quotes and angle brackets. */
function pieces(text: string): string[] {
  const found: string[] = [];
  let piece = "";
  let quoted = false;
  let angled = false;
  for (const letter of text) {
    if (letter === '"') quoted = !quoted;
    if (letter === "<" && !quoted) angled = true;
    if (letter === ">") angled = false;
    const ends = letter === "\n" || letter === "\r" || (!quoted && !angled && (letter === "," || letter === ";"));
    if (!ends) {
      piece += letter;
      continue;
    }
    if (letter === "\n" || letter === "\r") {
      quoted = false;
      angled = false;
    }
    found.push(piece);
    piece = "";
  }
  return [...found, piece].map((one) => one.trim()).filter(Boolean);
}

const bareName = (name: string): string => name.trim().replace(/^["'](.*)["']$/s, "$1").replace(/\\(.)/g, "$1").trim();

/** Reads a list of addresses, with or without names, as mail programs and spreadsheets write it. */
export function parseMailboxes(text: string): Mailbox[] {
  const found: Mailbox[] = [];
  // "Jansen, Jan <jan@…>" without quotes: what stands before the comma is the beginning of the name.
  let begun = "";
  const giveUp = () => {
    if (begun) found.push({ name: "", address: begun });
    begun = "";
  };
  for (const piece of pieces(text)) {
    const named = /^(.*)<([^<>]*)>$/s.exec(piece);
    if (named) {
      const name = bareName(named[1] ?? "");
      found.push({ name: begun ? `${begun}, ${name}` : name, address: (named[2] ?? "").trim() });
      begun = "";
      continue;
    }
    giveUp();
    const words = piece.split(/\s+/);
    if (words.every((word) => word.includes("@"))) {
      for (const address of words) found.push({ name: "", address: address.replace(/^mailto:/i, "") });
    } else begun = piece;
  }
  giveUp();
  return once(found);
}

/** An address without what stands behind a plus: the mailbox that it belongs to. */
const mailboxOf = (address: string): string => address.toLowerCase().replace(/\+[^@]*(?=@)/, "");

/** One's own addresses, which an answer to all leaves out. */
export const ownAddresses = (senders: readonly Sender[]): ReadonlySet<string> =>
  new Set(senders.map((one) => mailboxOf(one.address)));

/** What tells of a mail comes from the mail system, which nobody answers (the server refuses it too). */
const REPORTS: ReadonlySet<string> = new Set(["delivery_report", "complaint", "own_copy"]);

/** Whether somebody may answer it by hand: forms and shops write by machine for a person, who reads the answer. */
export const canBeAnswered = (message: Message): boolean => message.kind !== "note" && !(message.sort && REPORTS.has(message.sort));

/**
 * What an answer answers where nobody chose: the customer, else one's own newest answer, else a machine that wrote for
 * somebody, else the mail that began it. Not who something was passed on to. The server chooses alike.
 */
export function usuallyAnswered(messages: readonly Message[]): Message | undefined {
  const newest = [...messages].reverse().filter(canBeAnswered);
  const own = newest.filter((one) => one.kind === "reply");
  const answer = own.find((one) => /^re:/i.test(one.subject ?? ""));
  return newest.find((one) => one.kind === "incoming") ?? answer ?? newest.find((one) => one.kind === "automatic") ?? own.at(-1);
}

/** The contact of a case, unless they are no more than a mail system that reported something. */
export function writtenTo(contact: Mailbox, messages: readonly Message[]): Mailbox[] {
  const reported = messages.some((one) => !canBeAnswered(one) && one.author.address?.toLowerCase() === contact.address.toLowerCase());
  return contact.address && !reported ? [contact] : [];
}

/** Whom an answer to a message goes to. */
export function answerTo(message: Message, own: ReadonlySet<string>): Mailbox[] {
  if (!canBeAnswered(message)) return [];
  const author = { name: message.author.name, address: message.author.address ?? "" };
  // After a message of one's own, one more word to the same people.
  const whom = message.kind === "reply" ? message.to : message.reply_to.length > 0 ? message.reply_to : [author];
  return once(whom.filter((one) => one.address && !own.has(mailboxOf(one.address))));
}

/** Whom an answer to everybody goes to: all but oneself. */
export function answerAll(message: Message, own: ReadonlySet<string>): { to: Mailbox[]; cc: Mailbox[] } {
  const others = (people: readonly Mailbox[]) => people.filter((one) => one.address && !own.has(mailboxOf(one.address)));
  if (!canBeAnswered(message)) return { to: [], cc: [] };
  const to = once([...answerTo(message, own), ...others(message.to)]);
  const cc = once(others(message.cc)).filter((one) => !to.some((known) => sameAddress(one, known)));
  return { to, cc };
}
