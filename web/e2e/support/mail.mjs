// SPDX-License-Identifier: EUPL-1.2
// The customers' side of mail: what they send, and the server that takes the answers.

import { once } from "node:events";
import { connect, createServer } from "node:net";

/** Reads replies of an SMTP server, one at a time. */
async function* replies(socket) {
  let text = "";
  for await (const part of socket) {
    text += part.toString("latin1");
    for (let end = /(^|\r\n)\d{3} [^\r\n]*\r\n/.exec(text); end; end = /(^|\r\n)\d{3} [^\r\n]*\r\n/.exec(text)) {
      const length = end.index + end[0].length;
      yield text.slice(0, length);
      text = text.slice(length);
    }
  }
}

/** Sends raw messages to `port`; a refusal throws with the listener's own words. */
export async function send(port, to, ...messages) {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const incoming = replies(socket);
  const reply = async (wanted) => {
    const { value = "" } = await incoming.next();
    if (!value.trim().split("\r\n").at(-1).startsWith(wanted)) throw new Error(`wanted ${wanted}: ${value}`);
  };
  const say = async (line, wanted) => {
    socket.write(`${line}\r\n`);
    await reply(wanted);
  };
  await reply("220");
  await say("EHLO klant.example", "250");
  for (const message of messages) {
    const from = /^From:.*?([^\s<]+@[^\s>]+)/m.exec(message)?.[1] ?? "";
    await say(`MAIL FROM:<${from}>`, "250");
    await say(`RCPT TO:<${to}>`, "250");
    await say("DATA", "354");
    socket.write(message.replace(/\r?\n/g, "\r\n").replace(/^\./gm, ".."));
    await say("\r\n.", "250");
  }
  await say("QUIT", "221");
  socket.destroy();
}

let number = 0;

/** A plain mail of a customer. */
export function mail(name, address, subject, text, more = "") {
  number += 1;
  return (
    `From: ${name} <${address}>\r\nTo: hulp@winkel.example\r\nSubject: ${subject}\r\n` +
    `Message-ID: <e2e-${number}@klant.example>\r\nDate: ${new Date().toUTCString().replace("GMT", "+0000")}\r\n` +
    `${more}Content-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n`
  );
}

/**
 * The submission server that takes answers. `refuse` maps an address to the reply that it gets
 * instead of 250; `mails` is what it took.
 */
export async function startSubmission() {
  const mails = [];
  const refuse = new Map();
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    let text = "";
    let body = false;
    let to = [];
    socket.write("220 post.klant.example ESMTP\r\n");
    const answer = (line) => {
      const word = line.slice(0, 4).toUpperCase();
      if (word === "EHLO") return "250-post.klant.example\r\n250 8BITMIME";
      if (word === "MAIL") {
        to = [];
        return "250 2.1.0 Ok";
      }
      if (word === "RCPT") {
        const address = /<([^>]*)>/.exec(line)?.[1] ?? "";
        if (refuse.has(address)) return refuse.get(address);
        to.push(address);
        return "250 2.1.5 Ok";
      }
      if (word === "DATA") {
        if (to.length === 0) return "554 5.5.1 No valid recipients";
        body = true;
        return "354 Go ahead";
      }
      return word === "QUIT" ? "221 2.0.0 Bye" : "250 2.0.0 Ok";
    };
    socket.on("data", (part) => {
      text += part.toString("latin1");
      for (;;) {
        const mark = body ? "\r\n.\r\n" : "\r\n";
        const end = text.indexOf(mark);
        if (end < 0) return;
        const line = text.slice(0, end);
        text = text.slice(end + mark.length);
        if (body) {
          mails.push({ to, text: line });
          body = false;
          socket.write("250 2.0.0 Taken\r\n");
        } else socket.write(`${answer(line)}\r\n`);
      }
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: server.address().port,
    mails,
    refuse,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
