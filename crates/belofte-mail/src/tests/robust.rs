// SPDX-License-Identifier: EUPL-1.2
//! No input panics, breaks what is promised of the result, or takes time out of proportion.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::corpus::mails;
use crate::{
    EnvelopeSender, Mailbox, alternative_text, content_hash, html_to_text, parse, parse_with, quoted_from,
    sanitise, snippet, thread_candidates, utf16_offset,
};

/// A small generator: the same mutations in every run.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// What tends to trip parsers.
const PIECES: [&[u8]; 24] = [
    b"\r\n",
    b"\n\n",
    b"\r",
    b"\0",
    b"--",
    b"--b",
    b"\n--b--\n",
    b"=?utf-8?Q?=C3?=",
    b"=?",
    b"?=",
    b"=\r\n",
    b"Content-Type: multipart/mixed; boundary=b\r\n",
    b"Content-Type: message/rfc822\r\n\r\n",
    b"Content-Type: text/html\r\n\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Disposition: attachment; filename*0*=utf-8''%E2; filename*1=\"/..\"\r\n",
    b"<table><b><a href=\"",
    b"<!--",
    b"<svg><style>",
    b"&#x202e;",
    b"\xff\xfe",
    b"\xe2\x80\xae",
    b"\nFrom: <a@b.example>, \"",
    b"\n> On 1 Jan wrote:\n> ",
];

fn mutate(raw: &[u8], other: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut raw = raw.to_vec();
    for _ in 0..=chance.below(6) {
        let at = chance.below(raw.len() + 1);
        let length = chance.below(64).min(raw.len() - at);
        match chance.below(7) {
            0 if at < raw.len() => raw[at] = chance.next() as u8,
            1 => drop(raw.drain(at..at + length)),
            2 => {
                let copy = raw[at..at + length].to_vec();
                let to = chance.below(raw.len() + 1);
                raw.splice(to..to, copy);
            }
            3 => raw.truncate(at),
            4 => {
                let from = chance.below(other.len() + 1);
                raw.truncate(at);
                raw.extend_from_slice(&other[from..]);
            }
            _ => {
                let piece = PIECES[chance.below(PIECES.len())];
                raw.splice(at..at, piece.iter().copied());
            }
        }
    }
    raw
}

/// Reads `raw` in every way and checks what is promised of any result.
fn check(raw: &[u8]) {
    let _ = content_hash(raw);
    let Ok(mail) = parse(raw) else { return };
    let _ = parse_with(raw, EnvelopeSender::Null);
    assert!(mail.text.chars().all(|c| !c.is_control() || c == '\n' || c == '\t'));
    assert!(mail.subject.chars().count() <= 998 && one_line(&mail.subject));
    if let Some(at) = mail.quoted_from {
        assert!(mail.text.is_char_boundary(at) && !mail.text[..at].trim().is_empty());
        assert!(utf16_offset(&mail.text, at) <= at);
    }
    assert!(snippet(&mail.text).chars().count() <= 160);
    assert!(thread_candidates(&mail).len() <= 50 && mail.references.len() <= 100);
    for file in &mail.attachments {
        assert!(!file.name.is_empty() && file.name.chars().count() <= 121 && one_line(&file.name));
        assert!(!file.name.contains(['/', '\\', ':', '<', '"']), "{:?}", file.name);
        assert!(file.media_type.split('/').count() == 2);
    }
    let people = [&mail.from, &mail.sender].into_iter().flatten();
    for Mailbox { name, .. } in people.chain(&mail.reply_to).chain(&mail.to).chain(&mail.cc) {
        assert!(one_line(name) && name.chars().count() <= 200);
    }
    for id in mail.message_id.iter().chain(&mail.references).chain(&mail.in_reply_to) {
        assert!(!id.is_empty() && !id.contains(['<', '>', '\r', '\n', ' ']));
    }
    if let Some(html) = &mail.html {
        safe(html);
        assert!(crate::remote_images(html).len() <= 100);
    }
    if let Some(at) = crate::signature_from(&mail.text) {
        assert!(!mail.text[..at].trim().is_empty());
    }
    if let Some(told) = &mail.invitation {
        for words in [&told.summary, &told.location, &told.organiser_name, &told.organiser_address] {
            assert!(one_line(words) && words.chars().count() <= 300);
        }
    }
}

fn one_line(text: &str) -> bool {
    !text.chars().any(crate::names::is_hidden)
}

/// Looks at the tags of what is called safe as a suspicious reader would.
fn safe(html: &str) {
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let end = rest[at..].find('>').map_or(rest.len(), |end| at + end);
        let mut tag = String::new();
        // Attribute values may hold anything but a quote.
        for (index, piece) in rest[at..end].split('"').enumerate() {
            if index % 2 == 0 {
                tag.push_str(&piece.to_ascii_lowercase());
            } else if tag.ends_with(" src=") {
                assert!(
                    ["cid:", "data:image/"]
                        .iter()
                        .any(|ok| piece.to_lowercase().trim_start().starts_with(ok))
                );
            } else if tag.ends_with(" href=") {
                let schemes = ["http:", "https:", "mailto:", "tel:"];
                assert!(
                    schemes.iter().any(|ok| piece.to_lowercase().trim_start().starts_with(ok)),
                    "{piece}"
                );
            } else if tag.ends_with(" class=") || tag.ends_with(" id=") {
                let places = ["belofte-quoted", "belofte-history", "belofte-signature"];
                assert!(places.contains(&piece), "{piece}");
            } else if tag.ends_with(" style=") {
                assert!(!piece.to_lowercase().contains("url("));
            }
        }
        for bad in ["<script", "<style", "<svg", "<form", "<input", "<iframe", "<meta", " on"] {
            assert!(!tag.contains(bad), "{tag}");
        }
        rest = &rest[end..];
    }
}

#[test]
fn mutations_of_the_corpus_never_break_a_promise() {
    let mails: Vec<Vec<u8>> =
        mails().into_iter().map(|(_, raw)| raw).filter(|raw| raw.len() < 8_000).collect();
    let mut chance = Chance(0x5eed_0fba_d0a1);
    for raw in &mails {
        check(raw);
        for cut in [raw.len() / 3, raw.len() / 2, raw.len().saturating_sub(1)] {
            check(&raw[..cut]);
        }
        for _ in 0..16 {
            let other = &mails[chance.below(mails.len())];
            check(&mutate(raw, other, &mut chance));
        }
    }
}

/// What tends to trip readers of calendars.
const CALENDAR: [&str; 22] = [
    "BEGIN:VEVENT\r\n",
    "END:VEVENT\r\n",
    "BEGIN:VTIMEZONE\r\nTZID:x\r\n",
    "END:VCALENDAR\r\n",
    "DTSTART;TZID=x:20260329T023000\r\n",
    "DTSTART;VALUE=DATE:20260229\r\n",
    "DTEND:22001231T235960Z\r\n",
    "DURATION:P4294967295W\r\n",
    "DURATION:-PT1S\r\n",
    "RRULE:FREQ=SECONDLY;INTERVAL=0;COUNT=99999999\r\n",
    "ORGANIZER;CN=\"a;b:c\":mailto:a@b.example\r\n",
    "ORGANIZER;CN=\"\r\n",
    "SUMMARY;ENCODING=QUOTED-PRINTABLE:=C3=\r\n",
    "SUMMARY;ENCODING=BASE64:AAA\r\n",
    "LOCATION;CHARSET=UTF-7:+AGE-\r\n",
    ";;;===:::,,,",
    "\\n\\,\\",
    "\r\n ",
    "\u{feff}",
    "é\u{202e}",
    "TZOFFSETTO:+9999\r\n",
    "RECURRENCE-ID:20260101T000000Z\r\n",
];

#[test]
fn any_calendar_is_read_or_left_alone() {
    let mut chance = Chance(0xca1e_0da2);
    for _ in 0..4_000 {
        let mut text = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n".to_owned();
        for _ in 0..chance.below(24) {
            text.push_str(CALENDAR[chance.below(CALENDAR.len())]);
        }
        let mail = format!("From: a@b.example\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n{text}");
        check(mail.as_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_text_has_line_feeds_alone_and_no_controls(text in "[a\u{0}\t\n\r\u{b}\u{c}\u{1b}\u{7f}\u{85}\u{9f}\u{a0}é€\u{2028}\u{2029} ]{0,24}") {
        let lines: String = text
            .replace("\r\n", "\n")
            .replace(['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'], "\n")
            .replace(|c: char| c.is_control() && c != '\n' && c != '\t', "");
        let mut whole: Vec<&str> = lines.trim_end().split('\n').collect();
        let blank = whole.iter().take_while(|line| line.trim().is_empty()).count();
        whole.drain(..blank);
        prop_assert_eq!(crate::text::normalise(&text), whole.join("\n"));
    }

    #[test]
    fn any_octets_are_read_or_refused(raw in proptest::collection::vec(any::<u8>(), 0..600)) {
        check(&raw);
        let mut mail = b"From: a@x.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\n".to_vec();
        mail.extend_from_slice(&raw);
        check(&mail);
    }

    #[test]
    fn any_field_is_read(
        name in "(From|To|Subject|Date|References|Content-Type|Content-Disposition|Message-ID)",
        value in "[ -~\\n\\t\u{202e}é€]{0,300}",
    ) {
        check(format!("From: a@x.example\n{name}: {value}\n\nx\n").as_bytes());
    }

    #[test]
    fn any_markup_is_sanitised(markup in "(<[/]?(a|b|p|td|tr|table|svg|math|style|script|img|form|select|template|title)( (href|src|style|onload|class)=[\"']?[a-z:/.()#&;]{0,12}[\"']?){0,2}>|[a-z &;<>\"'=/!-]{0,8}){0,30}") {
        if let Some(clean) = sanitise(&markup) {
            safe(&clean.html);
        }
        let _ = html_to_text(&markup);
        let _ = alternative_text(&markup);
    }

    #[test]
    fn any_text_is_searched_for_history(text in "((> |On |Op |From: |Van: |Sent: |To: |--|wrote:|schreef:|[0-9a-zé ]{0,6})\n?){0,60}") {
        if let Some(at) = quoted_from(&text) {
            prop_assert!(text.is_char_boundary(at));
        }
        let _ = snippet(&text);
    }
}

fn took(raw: &[u8]) -> Duration {
    // The bound is a promise about time, so here time is measured.
    #[allow(clippy::disallowed_methods)]
    let clock = Instant::now;
    (0..2)
        .map(|_| {
            let start = clock();
            let _ = parse(raw);
            let _ = content_hash(raw);
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

fn repeated(before: &str, piece: impl Fn(usize) -> String, size: usize) -> Vec<u8> {
    let mut raw = before.as_bytes().to_vec();
    let end = raw.len() + size;
    for index in 0.. {
        if raw.len() >= end {
            break;
        }
        raw.extend_from_slice(piece(index).as_bytes());
    }
    raw
}

/// What is repeated, by its number.
type Piece = Box<dyn Fn(usize) -> String>;

/// Mails made to be slow: what comes before, and what is repeated.
fn hostile() -> Vec<(&'static str, String, Piece)> {
    let fixed = |piece: &'static str| -> Piece { Box::new(move |_| piece.to_owned()) };
    let html = "From: a@x.example\nContent-Type: text/html\n\n";
    let text = "From: a@x.example\n\n";
    let mut open = "From: a@x.example\nContent-Type: multipart/mixed; boundary=b0\n\n".to_owned();
    for level in 1..50 {
        open.push_str(&format!("--b{}\nContent-Type: multipart/mixed; boundary=b{level}\n\n", level - 1));
    }
    let calendar = "From: a@x.example\nContent-Type: text/calendar\n\nBEGIN:VCALENDAR\n";
    let report = "From: MAILER-DAEMON@x.example\nContent-Type: message/delivery-status\n\n";
    vec![
        ("encoded words without end", "Subject: ".into(), fixed("=?")),
        ("encoded words begun", "From: ".into(), fixed("=?utf-8?q?")),
        ("charsets begun", "From: ".into(), fixed("=?aaaaaaaaaaaaaaa ")),
        ("one-letter words", "From: ".into(), fixed("=?utf-8?q?a?= ")),
        ("comments", "From: ".into(), fixed("(")),
        ("quotes", "From: ".into(), fixed("\"")),
        ("angle brackets", "From: ".into(), fixed("<")),
        ("addresses", "To: ".into(), fixed("a@x.example, ")),
        ("groups", "To: ".into(), fixed("g:a@x.example;, ")),
        ("parameters", "From: a@x.example\nContent-Type: a/b".into(), Box::new(|i| format!("; p{i}=x"))),
        (
            "pieces of a name",
            "From: a@x.example\nContent-Disposition: a".into(),
            Box::new(|i| format!("; filename*{i}*=x")),
        ),
        ("languages", "From: a@x.example\nContent-Type: a/b".into(), fixed("; n*='''")),
        ("references", "From: a@x.example\nReferences: ".into(), Box::new(|i| format!("<{i}@x>\n "))),
        ("fields", "From: a@x.example\n".into(), fixed("a:\n")),
        ("folds", "Subject: a\n".into(), fixed(" \n")),
        ("dates", "From: a@x.example\nDate: ".into(), fixed("(")),
        ("lines like boundaries", open.clone(), fixed("--b\n")),
        (
            "parts",
            "From: a@x.example\nContent-Type: multipart/mixed; boundary=b\n\n".into(),
            fixed("--b\n\nx\n"),
        ),
        ("nested mails", text.into(), fixed("Content-Type: message/rfc822\n\n")),
        (
            "nested multiparts",
            "From: a@x.example\n".into(),
            fixed("Content-Type: multipart/mixed; boundary=b\n\n--b\n"),
        ),
        (
            "quoted-printable",
            "From: a@x.example\nContent-Transfer-Encoding: quoted-printable\n\n".into(),
            fixed("="),
        ),
        (
            "blank ends of lines",
            "From: a@x.example\nContent-Transfer-Encoding: quoted-printable\n\n".into(),
            fixed(" "),
        ),
        ("base64", "From: a@x.example\nContent-Transfer-Encoding: base64\n\n".into(), fixed("!=A")),
        (
            "flowed",
            "From: a@x.example\nContent-Type: text/plain; format=flowed\n\n".into(),
            fixed("> \n>> \n"),
        ),
        ("quotes of text", text.into(), fixed("> x\n")),
        ("introductions", text.into(), fixed("Op 1 schreef\n")),
        ("header blocks", text.into(), fixed("From: x\n")),
        ("rules", text.into(), fixed("-----\n")),
        ("statuses", report.into(), fixed("a: b\n\n")),
        ("nothing", String::new(), fixed("\0")),
        ("divs", html.into(), fixed("<div>")),
        ("formatting", html.into(), fixed("<b>")),
        (
            "formatting in blocks",
            html.into(),
            Box::new(|i| if i < 300 { format!("<font x={i}>") } else { "<p>".into() }),
        ),
        ("formatting and stray ends", html.into(), Box::new(|i| format!("<font x={i}></div><p>"))),
        ("misnested", html.into(), fixed("<a><div></a>")),
        ("misnested formatting", html.into(), fixed("<b><i></b></i>")),
        ("text in a table", format!("{html}<table>"), fixed("x<b></b>")),
        ("text in many tables", html.into(), fixed("<table>x<br>")),
        ("stray ends in a table", format!("{html}<table>"), fixed("</p>")),
        ("cells without rows", html.into(), fixed("<td><table>")),
        ("tag beginnings", html.into(), fixed("<a ")),
        ("less-than", html.into(), fixed("<")),
        ("attributes", format!("{html}<p "), Box::new(|i| format!("a{i} "))),
        ("attributes with slashes", format!("{html}<p "), Box::new(|i| format!("a{i}/"))),
        ("attributes with values", format!("{html}<p "), Box::new(|i| format!("a{i}=''"))),
        ("references to characters", html.into(), fixed("&am")),
        ("whole references", html.into(), fixed("&amp;")),
        ("unknown references", html.into(), fixed("&am;")),
        ("lines of markup", html.into(), fixed("x\n")),
        ("text between stray ends", html.into(), fixed("x</x>")),
        ("comments of markup", html.into(), fixed("<!--")),
        ("unfinished quotes", html.into(), fixed("<a href=\"")),
        ("svg", html.into(), fixed("<svg>")),
        ("selects", html.into(), fixed("<select><option>")),
        ("styles", html.into(), fixed("<style>")),
        ("templates", html.into(), fixed("<template>")),
        ("headings", html.into(), fixed("<h1><p>")),
        ("list items", html.into(), fixed("<li><ul>")),
        ("definitions", html.into(), fixed("<dd>")),
        ("buttons", html.into(), fixed("<button><p>")),
        ("appointments", calendar.into(), fixed("BEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n")),
        ("nested appointments", calendar.into(), fixed("BEGIN:VEVENT\n")),
        ("ends of appointments", calendar.into(), fixed("END:VEVENT\n")),
        ("parameters", calendar.into(), fixed("SUMMARY;CN=\"")),
        ("values", calendar.into(), fixed("SUMMARY:a,;")),
        ("time zones", calendar.into(), Box::new(|i| format!("BEGIN:VTIMEZONE\nTZID:z{i}\nEND:VTIMEZONE\n"))),
        ("folds", calendar.into(), fixed("\n ")),
        ("armour", text.into(), fixed("-----BEGIN PGP MESSAGE----- \n")),
        ("marks of signatures", text.into(), fixed("x\n-- \n")),
        ("framesets", html.into(), fixed("<frameset><frame>")),
        ("blockquotes", html.into(), fixed("<blockquote></blockquote>x")),
    ]
}

/// Four times the size may take at most ten times as long; where an algorithm is quadratic it
/// takes sixteen. Small absolute times are noise.
#[test]
fn time_grows_with_size_and_not_with_its_square() {
    let mut slow = Vec::new();
    for (what, before, piece) in hostile() {
        let (small, large) = (repeated(&before, &piece, 24 * 1024), repeated(&before, &piece, 96 * 1024));
        let mut measured = Vec::new();
        // A loaded machine may disturb one measurement, not three.
        let fine = (0..3).any(|_| {
            let (first, second) = (took(&small), took(&large));
            measured.push((first, second));
            second < Duration::from_millis(150) || second < first * 10
        });
        if !fine {
            slow.push(format!("{what}: {measured:?}"));
        }
    }
    assert!(slow.is_empty(), "{}", slow.join("\n"));
}

/// What keeps made mail out must let real mail through: a newsletter of 600 kB with nested
/// tables and formatting in every cell, and an answer over a history of a hundred mails.
#[test]
fn large_real_markup_is_shown() {
    let row = "<tr><td style=\"padding:4px 8px 4px 8px;font-family:Arial, Helvetica, sans-serif;color:#333333\" align=\"left\">\r\n<p><font face=\"Arial\"><b>Aanbieding</b>&nbsp;van de <a href=\"https://winkel.example/a/b/c/d?x=1&y=2\">week</a></font></p>\r\n</td></tr>\r\n";
    let open = "<div><center><table><tbody><tr><td>".repeat(6);
    let close = "</td></tr></tbody></table></center></div>".repeat(6);
    let newsletter = format!("{open}<table>{}</table>{close}", row.repeat(2_600));
    assert!(newsletter.len() > 550_000);
    assert!(sanitise(&newsletter).is_some());
    let history = "<div><blockquote type=\"cite\">".repeat(100)
        + &"<p>Een regel uit het verleden, met <i>nadruk</i>.</p>\n".repeat(2_000)
        + &"</blockquote></div>".repeat(100);
    assert!(sanitise(&history).is_some());
}
