// SPDX-License-Identifier: EUPL-1.2
//! Bytes to message.

use std::{borrow::Cow, fmt};

use belofte_model::{Invitation, MailCover, QuarantineReason, Timestamp};

use crate::{
    address::Mailbox,
    automatic::{Automatic, EnvelopeSender, Evidence, classify},
    charset,
    cover::cover,
    header::{Fields, split},
    html::{MAX_HTML, Sanitised, sanitise},
    invitation::invitation,
    markup::text_as_html,
    media_type::by_content,
    names::{attachment_name, one_line},
    problem::{Problem, Problems},
    structure::{Disposition, Part, PartHeader, walk},
    text::{html_to_text, normalise, quoted_from, unflow},
};

/// The longest text kept, in octets; the source holds the rest.
const MAX_TEXT: usize = 1024 * 1024;

/// A mail as people see it.
#[derive(Clone, PartialEq, Eq)]
pub struct ParsedMail {
    /// The identifier without angle brackets; none when it is missing or unusable, and then
    /// [`crate::content_hash`] tells copies apart.
    pub message_id: Option<String>,
    /// In-Reply-To, without angle brackets.
    pub in_reply_to: Vec<String>,
    /// References from root to parent, without angle brackets, at most 100.
    pub references: Vec<String>,
    /// The first author; none when the header names nobody.
    pub from: Option<Mailbox>,
    /// Who sent it for the author, when the header says so.
    pub sender: Option<Mailbox>,
    /// Where answers should go.
    pub reply_to: Vec<Mailbox>,
    /// The recipients; at most 1,000 of each field.
    pub to: Vec<Mailbox>,
    /// The recipients of a copy.
    pub cc: Vec<Mailbox>,
    /// The subject in one line, without hidden characters; possibly empty.
    pub subject: String,
    /// The moment that the sender's machine named.
    pub date: Option<Timestamp>,
    /// The text, with `\n` between lines; taken from the markup when the mail has no other.
    pub text: String,
    /// The sanitised markup, when the mail has any that can be shown.
    pub html: Option<String>,
    /// Where the quoted history begins in `text`, in octets (see [`crate::quoted_from`]).
    pub quoted_from: Option<usize>,
    /// Whether remote images were switched off in `html`.
    pub has_remote_images: bool,
    /// Everything that is not the body, in the order of the mail.
    pub attachments: Vec<ParsedAttachment>,
    /// Whether it is signed or encrypted, as far as its form tells.
    pub cover: Option<MailCover>,
    /// The appointment that it speaks of.
    pub invitation: Option<Invitation>,
    /// Whether a machine wrote it.
    pub automatic: Automatic,
    /// Whether an automatic answer may be sent: a person wrote it and did not ask for silence.
    pub may_answer_automatically: bool,
    /// What was wrong with it.
    pub problems: Problems,
}

/// A mail is personal data: only its outline is shown.
impl fmt::Debug for ParsedMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParsedMail")
            .field("text_octets", &self.text.len())
            .field("has_html", &self.html.is_some())
            .field("attachments", &self.attachments.len())
            .field("automatic", &self.automatic.as_str())
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}

/// A file that came with a mail.
#[derive(Clone, PartialEq, Eq)]
pub struct ParsedAttachment {
    /// A name that is safe to show and to save; never empty.
    pub name: String,
    /// The media type in lower case, without parameters.
    pub media_type: String,
    /// The content identifier without angle brackets.
    pub content_id: Option<String>,
    /// Whether the markup shows it in its place, so that a list of files need not.
    pub inline: bool,
    /// The decoded octets, exactly as they were attached.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for ParsedAttachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParsedAttachment")
            .field("media_type", &self.media_type)
            .field("octets", &self.bytes.len())
            .field("inline", &self.inline)
            .finish_non_exhaustive()
    }
}

/// Reads a mail whose envelope sender is not known.
///
/// # Errors
/// See [`parse_with`].
pub fn parse(raw: &[u8]) -> Result<ParsedMail, QuarantineReason> {
    parse_with(raw, EnvelopeSender::Unknown)
}

/// Reads a mail (RFC 5322, RFC 2045 to 2049 and what mailers make of them).
///
/// # Errors
/// - `NotAMessage`: there is no header that a mail could have.
/// - `HeaderTooLarge`: a header of more than 1 MiB.
/// - `TooManyParts`: more than 1,000 parts, or nested more than 50 deep.
pub fn parse_with(raw: &[u8], envelope: EnvelopeSender) -> Result<ParsedMail, QuarantineReason> {
    let raw = with_line_feeds(without_preface(raw));
    let raw = raw.as_ref();
    let (fields, body_at) = split(raw)?;
    if !is_mail(&fields) {
        return Err(QuarantineReason::NotAMessage);
    }
    let mut problems = Problems::default();
    let header = PartHeader::read(&fields, false, &mut problems);
    let parts = walk(raw, header, body_at, &mut problems)?;
    let mut reader = Reader { parts: &parts, problems, attachments: Vec::new() };
    let segments = reader.read(0, false);
    let Reader { mut problems, mut attachments, .. } = reader;
    let body = assemble(segments, &mut problems);
    for attachment in &mut attachments {
        attachment.inline =
            attachment.content_id.as_ref().is_some_and(|id| body.content_ids.contains(&id.to_lowercase()));
    }
    let quoted_from = quoted_from(&body.text);
    let own_text = quoted_from.map_or(body.text.as_str(), |at| &body.text[..at]);
    let from = fields.mailboxes("from", &mut problems).into_iter().next();
    let subject = fields.line("subject", &mut problems).unwrap_or_default();
    let (automatic, may_answer_automatically) = classify(&Evidence {
        fields: &fields,
        parts: &parts,
        from: from.as_ref().map(|from| &from.address),
        subject: &subject,
        text: &body.text,
        envelope,
    });
    Ok(ParsedMail {
        message_id: fields.ids("message-id").into_iter().next(),
        in_reply_to: fields.ids("in-reply-to"),
        references: fields.ids("references"),
        from,
        sender: fields.mailboxes("sender", &mut problems).into_iter().next(),
        reply_to: fields.mailboxes("reply-to", &mut problems),
        to: fields.mailboxes("to", &mut problems),
        cc: fields.mailboxes("cc", &mut problems),
        subject,
        date: fields.date("date"),
        cover: cover(&parts, own_text),
        invitation: invitation(&parts),
        quoted_from,
        text: body.text,
        html: body.html,
        has_remote_images: body.has_remote_images,
        attachments,
        automatic,
        may_answer_automatically,
        problems,
    })
}

/// Leaves out what mailbox files and broken transports put before a mail.
pub(crate) fn without_preface(raw: &[u8]) -> &[u8] {
    let mut raw = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
    loop {
        if let Some(rest) = raw.strip_prefix(b"\r\n").or_else(|| raw.strip_prefix(b"\n")) {
            raw = rest;
        } else if raw.starts_with(b"From ") || raw.starts_with(b">From ") {
            match memchr::memchr(b'\n', raw) {
                Some(end) => raw = &raw[end + 1..],
                None => return &raw[raw.len()..],
            }
        } else {
            return raw;
        }
    }
}

/// Lines that end in a carriage return alone are read as lines when there are no others.
fn with_line_feeds(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\n', raw).is_some() || memchr::memchr(b'\r', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(raw.iter().map(|octet| if *octet == b'\r' { b'\n' } else { *octet }).collect())
}

/// Whether any field is one that tells a mail from other text.
fn is_mail(fields: &Fields<'_>) -> bool {
    const KNOWN: [&str; 14] = [
        "from",
        "to",
        "cc",
        "bcc",
        "subject",
        "date",
        "message-id",
        "received",
        "return-path",
        "sender",
        "reply-to",
        "mime-version",
        "content-type",
        "delivered-to",
    ];
    fields.0.iter().any(|field| KNOWN.iter().any(|known| field.name.eq_ignore_ascii_case(known.as_bytes())))
}

/// A piece of the body: the same content as text, as markup, or as both.
#[derive(Default)]
struct Segment {
    text: Option<String>,
    html: Option<String>,
}

/// Sorts the leaves of the tree into body and attachments.
struct Reader<'t, 'a> {
    parts: &'t [Part<'a>],
    problems: Problems,
    attachments: Vec<ParsedAttachment>,
}

impl Reader<'_, '_> {
    /// Reads part `index` and those in it, at most [`crate::MAX_DEPTH`] deep. `aside` says that
    /// it accompanies another part and is not body of its own.
    fn read(&mut self, index: usize, aside: bool) -> Vec<Segment> {
        let part = &self.parts[index];
        if part.children.is_empty() {
            return self.leaf(index, aside).into_iter().collect();
        }
        let children = &part.children;
        match part.header.sub.as_str() {
            "alternative" => {
                let versions: Vec<Vec<Segment>> =
                    children.iter().map(|child| self.read(*child, aside)).collect();
                alternative(versions).into_iter().collect()
            }
            // The first part is the content, the others belong to it (RFC 2387; RFC 1847).
            "related" | "signed" => children
                .iter()
                .enumerate()
                .flat_map(|(position, child)| self.read(*child, aside || position > 0))
                .collect(),
            _ => children.iter().flat_map(|child| self.read(*child, aside)).collect(),
        }
    }

    fn leaf(&mut self, index: usize, aside: bool) -> Option<Segment> {
        let part = &self.parts[index];
        let header = &part.header;
        // A multipart without its boundary is shown as the text that it is.
        let orphan = header.is_multipart();
        let plain = orphan || header.is("text", "plain");
        let named = header.file_name.is_some() && index > 0;
        let body = (plain || header.is("text", "html") || header.is("application", "xhtml+xml"))
            && header.disposition != Disposition::Attachment
            && !named
            && !aside;
        let (bytes, clean) = header.encoding.decode(part.body);
        if !clean {
            self.problems.add(Problem::BrokenEncoding);
        }
        if !body {
            self.attach(index, bytes.into_owned());
            return None;
        }
        let kept = &bytes[..bytes.len().min(2 * MAX_TEXT)];
        if kept.len() < bytes.len() {
            self.problems.add(Problem::TextCut);
        }
        let content = charset::decode(header.charset.as_deref(), kept, &mut self.problems);
        if !plain {
            return Some(Segment { text: None, html: Some(content.into_owned()) });
        }
        let text = normalise(&content);
        let text = if header.flowed { unflow(&text, header.del_sp) } else { text };
        Some(Segment { text: Some(text), html: None })
    }

    fn attach(&mut self, index: usize, bytes: Vec<u8>) {
        let part = &self.parts[index];
        let header = &part.header;
        if bytes.is_empty() && header.file_name.is_none() {
            return;
        }
        let number = self.attachments.len() + 1;
        let fallback = fallback_name(header, number);
        let name = match &header.file_name {
            Some(name) => attachment_name(name, &fallback),
            None if header.is_message() => match nested_subject(&bytes) {
                Some(subject) => {
                    attachment_name(&format!("{}.eml", subject.replace(['/', '\\'], "_")), &fallback)
                }
                None => fallback,
            },
            None => fallback,
        };
        self.attachments.push(ParsedAttachment {
            name,
            media_type: by_content(&header.media_type(), &bytes),
            content_id: header.content_id.clone(),
            inline: false,
            bytes,
        });
    }
}

/// The subject of a mail in a mail.
fn nested_subject(bytes: &[u8]) -> Option<String> {
    let (fields, _) = split(without_preface(bytes)).ok()?;
    let subject = fields.line("subject", &mut Problems::default())?;
    let subject = one_line(&subject, 100);
    (!subject.is_empty()).then_some(subject)
}

/// What an attachment without a name is called.
fn fallback_name(header: &PartHeader, number: usize) -> String {
    let known = match (header.main.as_str(), header.sub.as_str()) {
        ("message", "rfc822" | "global" | "news") => Some("message.eml"),
        ("message", "delivery-status" | "global-delivery-status") => Some("delivery-status.txt"),
        ("message", "disposition-notification") => Some("receipt.txt"),
        ("text" | "message", "rfc822-headers" | "global-headers") => Some("headers.txt"),
        ("text", "calendar") => Some("invite.ics"),
        ("text", "vcard" | "x-vcard" | "directory") => Some("contact.vcf"),
        ("application", "ms-tnef" | "vnd.ms-tnef") => Some("winmail.dat"),
        ("application", "pgp-signature") => Some("signature.asc"),
        ("application", "pgp-encrypted") => Some("version.txt"),
        ("application", "pgp-keys") => Some("key.asc"),
        ("application", "pkcs7-signature" | "x-pkcs7-signature") => Some("smime.p7s"),
        ("application", "pkcs7-mime" | "x-pkcs7-mime") => Some("smime.p7m"),
        _ => None,
    };
    if let Some(known) = known {
        return known.to_owned();
    }
    let ending = match (header.main.as_str(), header.sub.as_str()) {
        ("text", "plain") => "txt",
        ("text", "html") => "html",
        ("text", "csv") => "csv",
        ("image", "jpeg" | "jpg" | "pjpeg") => "jpg",
        ("image", "svg+xml") => "svg",
        ("image", "tiff") => "tif",
        ("image", sub @ ("png" | "gif" | "webp" | "bmp" | "heic")) => sub,
        ("application", sub @ ("pdf" | "zip" | "json" | "xml")) => sub,
        ("audio", "mpeg") => "mp3",
        ("audio", "wav" | "x-wav") => "wav",
        ("video", "mp4") => "mp4",
        _ => "bin",
    };
    format!("attachment-{number}.{ending}")
}

/// The best version in each form: markup from the last that has it, text from the last that is
/// nothing but text (RFC 2046, section 5.1.4: the last is the richest).
fn alternative(versions: Vec<Vec<Segment>>) -> Option<Segment> {
    let (mut text, mut html) = (None, None);
    for version in versions {
        if version.iter().any(|segment| segment.html.is_some()) {
            let joined: Vec<String> = version
                .into_iter()
                .map(|Segment { text, html }| html.unwrap_or_else(|| text_as_html(&text.unwrap_or_default())))
                .collect();
            html = Some(joined.join("\n"));
        } else {
            let joined = join_texts(version.into_iter().filter_map(|segment| segment.text));
            if !joined.trim().is_empty() {
                text = Some(joined);
            }
        }
    }
    (text.is_some() || html.is_some()).then_some(Segment { text, html })
}

fn join_texts(texts: impl Iterator<Item = String>) -> String {
    let mut joined = String::new();
    for text in texts.filter(|text| !text.trim().is_empty()) {
        if !joined.is_empty() {
            joined.push_str("\n\n");
        }
        joined.push_str(&text);
    }
    joined
}

/// The whole body.
struct Body {
    text: String,
    html: Option<String>,
    has_remote_images: bool,
    content_ids: Vec<String>,
}

fn assemble(segments: Vec<Segment>, problems: &mut Problems) -> Body {
    let rich = segments.iter().any(|segment| segment.html.is_some());
    let (mut texts, mut markup) = (Vec::new(), String::new());
    let mut found = Sanitised::default();
    let mut refused = false;
    // The bound on markup holds for all of it together.
    let mut room = MAX_HTML;
    for Segment { text, html } in segments {
        let text = text.filter(|text| !text.trim().is_empty());
        match html {
            Some(html) => {
                let clean = if html.len() <= room { sanitise(&html) } else { None };
                room = room.saturating_sub(html.len());
                if let Some(text) = text {
                    texts.push(text);
                } else {
                    texts.push(html_to_text(clean.as_ref().map_or(html.as_str(), |clean| &clean.html)));
                }
                match clean {
                    Some(clean) => {
                        markup.push_str(&clean.html);
                        found.has_remote_images |= clean.has_remote_images;
                        found.content_ids.extend(clean.content_ids);
                    }
                    None => refused = true,
                }
            }
            None => {
                let Some(text) = text else { continue };
                if rich {
                    markup.push_str(&text_as_html(&text));
                }
                texts.push(text);
            }
        }
    }
    if refused {
        problems.add(Problem::HtmlRefused);
    }
    let mut text = join_texts(texts.into_iter());
    if text.len() > MAX_TEXT {
        problems.add(Problem::TextCut);
        text.truncate(text.floor_char_boundary(MAX_TEXT));
    }
    let shown = rich && !refused && markup.len() <= 3 * MAX_TEXT && !markup.trim().is_empty();
    Body {
        text,
        html: shown.then_some(markup),
        has_remote_images: shown && found.has_remote_images,
        content_ids: if shown { found.content_ids } else { Vec::new() },
    }
}
