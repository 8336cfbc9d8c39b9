// SPDX-License-Identifier: EUPL-1.2
// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { frameDocument, prepareMail } from "./mail-html";

const none = new Map<string, string>();

describe("prepareMail", () => {
  it("takes out what could act, even when the server let it through", () => {
    const mail = prepareMail(
      '<p onclick="x()">a<script>x()</script><a href="javascript:x()">b</a><form><input></form><p style="background:url(https://x.example/p)">c</p></p>',
      none,
      true,
    );
    expect(mail.html).not.toMatch(/script|onclick|javascript|<form|<input|url\(/);
    expect(mail.html).toContain("c");
  });

  it("opens links outside, without telling where from", () => {
    const mail = prepareMail('<a href="https://shop.example" target="_self">x</a>', none, true);
    expect(mail.html).toContain('target="_blank"');
    expect(mail.html).toContain("noopener noreferrer");
  });

  it("counts remote images, names their hosts and fetches none", () => {
    const mail = prepareMail(
      '<img data-remote-src="https://a.example/1.png" alt="Kop"><img src="https://b.example/2.png" width="1"><img data-remote-src="https://a.example/3.png">',
      none,
      true,
    );
    expect(mail.blocked).toEqual({ count: 3, hosts: ["a.example", "b.example"] });
    expect(mail.html).not.toContain("http");
    expect(mail.html).toContain("Kop");
  });

  it("fills inline images from what was fetched", () => {
    const pictures = new Map([["logo@x.example", "data:image/png;base64,AAAA"]]);
    const mail = prepareMail('<img src="cid:logo@x.example"><img src="cid:other">', pictures, true);
    expect(mail.inline).toEqual(["logo@x.example", "other"]);
    expect(mail.html).toContain("data:image/png;base64,AAAA");
    expect(mail.html).not.toContain("cid:");
  });

  it("folds the quotation that ends a mail with the line that announces it", () => {
    const html = "<p>Dank u wel, dat is goed.</p><p>Op 3 mrt schreef Klantenservice:</p><blockquote>oud</blockquote>";
    const folded = prepareMail(html, none, false);
    expect(folded.hasQuoted).toBe(true);
    expect(folded.html).not.toContain("oud");
    expect(folded.html).not.toContain("schreef");
    expect(prepareMail(html, none, true).html).toContain("oud");
  });

  it("keeps a quotation that is answered below it, and one that is all there is", () => {
    expect(prepareMail("<blockquote>vraag</blockquote><p>antwoord hieronder</p>", none, false).html).toContain("vraag");
    expect(prepareMail("<blockquote>alles</blockquote>", none, false).html).toContain("alles");
  });

  it("shows what was fetched for somebody, and only pictures", () => {
    const html = '<img data-remote-src="https://a.example/1.png?x=1&amp;y=2"><img data-remote-src="https://a.example/2.svg">';
    const fetched = new Map([
      ["https://a.example/1.png?x=1&y=2", "data:image/png;base64,AAAA"],
      ["https://a.example/2.svg", "data:image/svg+xml;base64,AAAA"],
    ]);
    const mail = prepareMail(html, none, true, fetched);
    expect(mail.html).toContain('src="data:image/png;base64,AAAA"');
    expect(mail.html).not.toMatch(/svg|http/);
    expect(mail.blocked.count).toBe(1);
  });

  it.each([
    ["Gmail", '<div>Dat is goed zo.</div><div class="belofte-quoted"><div>Op di 3 nov schreef Winkel:</div><blockquote>oud</blockquote></div>'],
    ["Outlook on the web", '<div>That is fine.</div><div id="belofte-history"></div><hr><div id="belofte-history"><b>From:</b> Winkel</div><div>oud</div>'],
    [
      "Outlook",
      '<div><p>Dat is goed zo.</p><div style="border-top:solid #E1E1E1 1.0pt"><p><b>Van:</b> Winkel<br><b>Verzonden:</b> dinsdag</p></div><p>oud</p></div>',
    ],
    ["Apple Mail", '<div>That is fine.</div><blockquote type="cite">On 3 Nov 2026 Winkel wrote:<br>oud</blockquote>'],
    ["Thunderbird", '<p>Dat is goed zo.</p><div class="belofte-history">Op 3-11-2026 schreef Winkel:</div><blockquote type="cite">oud</blockquote>'],
  ])("folds the history of %s", (_, html) => {
    const folded = prepareMail(html, none, false);
    expect(folded.hasQuoted).toBe(true);
    expect(folded.html).toMatch(/goed zo|fine/);
    expect(folded.html).not.toMatch(/oud|Winkel/);
    expect(prepareMail(html, none, true).html).toContain("oud");
  });

  it("folds the signature that ends a mail, and none that is all there is", () => {
    const html = '<p>Dat is goed zo.</p><div class="belofte-signature">Joost<br>Kade 3</div><div class="belofte-quoted">oud</div>';
    const folded = prepareMail(html, none, false, none, false);
    expect(folded.hasSignature).toBe(true);
    expect(folded.html).not.toContain("Kade");
    expect(prepareMail(html, none, false).html).toContain("Kade");
    expect(prepareMail('<div class="belofte-signature">Joost</div>', none, true).hasSignature).toBe(false);
    expect(prepareMail('<div class="belofte-signature">Joost</div><p>En nog iets.</p>', none, true).hasSignature).toBe(false);
  });

  it("gives the frame a policy under which nothing is fetched and nothing runs", () => {
    const text = frameDocument("<p>x</p>", "/assets/mail.css", "light", "nl");
    expect(text).toContain("default-src 'none'");
    expect(text).not.toContain("script-src");
  });
});
