// SPDX-License-Identifier: EUPL-1.2
//! The tree of parts (RFC 2046, section 5.1), found in one walk over the lines of a mail.
//!
//! Only lines that begin with two hyphens are looked at, each is compared with the boundaries
//! that are open (at most [`MAX_DEPTH`]), and the walk stops at the first part too many: the
//! time is bounded before anything is decoded.

use belofte_model::QuarantineReason;

use crate::{
    MAX_DEPTH, MAX_PARTS,
    encoding::TransferEncoding,
    header::{Fields, clean_id, split},
    problem::{Problem, Problems},
};

/// How a part asks to be shown (RFC 2183).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    Untold,
    Inline,
    Attachment,
}

/// What the header of a part says about its body.
pub(crate) struct PartHeader {
    /// Main type and subtype in lower case.
    pub(crate) main: String,
    pub(crate) sub: String,
    pub(crate) charset: Option<String>,
    pub(crate) boundary: Option<String>,
    pub(crate) file_name: Option<String>,
    pub(crate) content_id: Option<String>,
    pub(crate) report_type: Option<String>,
    /// What signs or encrypts a multipart (RFC 1847), in lower case.
    pub(crate) protocol: Option<String>,
    /// What a file of S/MIME holds (RFC 8551, section 3.2.2), in lower case.
    pub(crate) smime_type: Option<String>,
    /// What a calendar asks or tells (RFC 6047, section 2.4), in lower case.
    pub(crate) method: Option<String>,
    pub(crate) disposition: Disposition,
    pub(crate) encoding: TransferEncoding,
    /// RFC 3676: lines that end in a space flow into the next.
    pub(crate) flowed: bool,
    pub(crate) del_sp: bool,
}

impl PartHeader {
    /// Reads the fields that describe a body; `in_digest` makes a message the default type
    /// (RFC 2046, section 5.1.5).
    pub(crate) fn read(fields: &Fields<'_>, in_digest: bool, problems: &mut Problems) -> Self {
        let content_type = fields.content_type("content-type", problems);
        let (main, sub) = content_type.as_ref().map_or_else(
            || if in_digest { ("message".into(), "rfc822".into()) } else { ("text".into(), "plain".into()) },
            |kind| media_type(&kind.value, kind.sub.as_deref()),
        );
        let parameter = |name: &str| content_type.as_ref()?.parameter(name).map(str::to_owned);
        let disposition = fields.content_type("content-disposition", problems);
        let file_name = disposition
            .as_ref()
            .and_then(|disposition| disposition.parameter("filename"))
            .map(str::to_owned)
            .or_else(|| parameter("name"));
        Self {
            charset: parameter("charset"),
            boundary: parameter("boundary")
                .map(|boundary| boundary.trim_end().to_owned())
                .filter(|boundary| boundary.len() <= 512),
            file_name,
            content_id: fields.first("content-id").and_then(|value| clean_id(value.trim_ascii())),
            report_type: parameter("report-type").map(|kind| kind.to_ascii_lowercase()),
            protocol: parameter("protocol").map(|name| name.trim().to_ascii_lowercase()),
            smime_type: parameter("smime-type").map(|kind| kind.trim().to_ascii_lowercase()),
            method: parameter("method").map(|method| method.trim().to_ascii_lowercase()),
            disposition: match &disposition {
                Some(told) if told.value.eq_ignore_ascii_case("inline") => Disposition::Inline,
                Some(_) => Disposition::Attachment,
                None => Disposition::Untold,
            },
            encoding: fields
                .keyword("content-transfer-encoding")
                .map_or_else(TransferEncoding::default, |name| TransferEncoding::named(&name)),
            flowed: parameter("format").is_some_and(|format| format.eq_ignore_ascii_case("flowed")),
            del_sp: parameter("delsp").is_some_and(|del_sp| del_sp.eq_ignore_ascii_case("yes")),
            main,
            sub,
        }
    }

    pub(crate) fn is(&self, main: &str, sub: &str) -> bool {
        self.main == main && self.sub == sub
    }

    pub(crate) fn is_multipart(&self) -> bool {
        self.main == "multipart"
    }

    /// Whether the body is a whole mail (RFC 2046, section 5.2.1; RFC 6532, section 3.7).
    pub(crate) fn is_message(&self) -> bool {
        self.main == "message" && matches!(self.sub.as_str(), "rfc822" | "global" | "news")
    }

    /// The media type as text, `main/sub`.
    pub(crate) fn media_type(&self) -> String {
        format!("{}/{}", self.main, self.sub)
    }
}

/// A valid media type in lower case, or the one of unknown octets (RFC 2045, section 5.2).
fn media_type(main: &str, sub: Option<&str>) -> (String, String) {
    let token = |text: &str| {
        let text = text.trim().to_ascii_lowercase();
        let valid = !text.is_empty()
            && text.len() <= 127
            && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&octet));
        valid.then_some(text)
    };
    match (token(main), sub.and_then(token)) {
        (Some(main), Some(sub)) => (main, sub),
        // "Content-Type: text" is what mailers of the eighties wrote for text.
        (Some(main), None) if main == "text" => (main, "plain".to_owned()),
        (Some(main), None) if main == "multipart" => (main, "mixed".to_owned()),
        _ => ("application".to_owned(), "octet-stream".to_owned()),
    }
}

/// One part; the first of the tree is the mail itself.
pub(crate) struct Part<'a> {
    pub(crate) header: PartHeader,
    /// The octets between its header and its end.
    pub(crate) body: &'a [u8],
    /// The parts of a multipart, in their order.
    pub(crate) children: Vec<usize>,
}

/// A boundary that has not been closed.
struct Open {
    delimiter: Vec<u8>,
    part: usize,
}

/// The parts of a mail whose header has been read: `raw[body_at..]` is its body.
pub(crate) fn walk<'a>(
    raw: &'a [u8],
    header: PartHeader,
    body_at: usize,
    problems: &mut Problems,
) -> Result<Vec<Part<'a>>, QuarantineReason> {
    let mut parts = vec![Part { header, body: &raw[body_at..], children: Vec::new() }];
    let mut open: Vec<Open> = Vec::new();
    // Where the body of each part begins; the walk finds where it ends.
    let mut begins = vec![body_at];
    push_open(&parts, 0, &mut open);
    // The part without parts of its own in whose body the walk is.
    let mut leaf: Option<usize> = None;
    let finder = memchr::memmem::Finder::new(b"\n--");
    let mut at = body_at;
    while !open.is_empty() {
        let start = if raw[at..].starts_with(b"--") && (at == 0 || raw[at - 1] == b'\n') {
            at
        } else {
            match finder.find(&raw[at..]) {
                Some(found) => at + found + 1,
                None => break,
            }
        };
        let end = memchr::memchr(b'\n', &raw[start..]).map_or(raw.len(), |found| start + found + 1);
        let line = raw[start..end].trim_ascii_end();
        at = end;
        let Some((level, closes)) = matching(&open, line) else { continue };
        let content_end = before_line(raw, start);
        if let Some(leaf) = leaf.take() {
            finish(raw, &mut parts, &begins, leaf, content_end);
        }
        for unclosed in open.drain(level + 1..) {
            problems.add(Problem::MissingFinalBoundary);
            finish(raw, &mut parts, &begins, unclosed.part, content_end);
        }
        if closes {
            if let Some(closed) = open.pop() {
                finish(raw, &mut parts, &begins, closed.part, content_end);
            }
            continue;
        }
        if parts.len() > MAX_PARTS {
            return Err(QuarantineReason::TooManyParts);
        }
        let parent = open[level].part;
        let (fields, body) = split(&raw[end..])?;
        let in_digest = parts[parent].header.is("multipart", "digest");
        let header = PartHeader::read(&fields, in_digest, problems);
        let index = parts.len();
        at = end + body;
        parts.push(Part { header, body: &raw[at..], children: Vec::new() });
        begins.push(at);
        parts[parent].children.push(index);
        push_open(&parts, index, &mut open);
        if open.last().is_none_or(|open| open.part != index) {
            leaf = Some(index);
        }
        if open.len() > MAX_DEPTH {
            return Err(QuarantineReason::TooManyParts);
        }
    }
    if let Some(leaf) = leaf {
        finish(raw, &mut parts, &begins, leaf, raw.len());
    }
    for unclosed in &open {
        problems.add(Problem::MissingFinalBoundary);
        finish(raw, &mut parts, &begins, unclosed.part, raw.len());
    }
    for part in &mut parts {
        if part.header.is_multipart() && part.children.is_empty() && !part.body.trim_ascii().is_empty() {
            problems.add(Problem::NoBoundary);
        }
    }
    Ok(parts)
}

fn push_open(parts: &[Part<'_>], index: usize, open: &mut Vec<Open>) {
    let header = &parts[index].header;
    if !header.is_multipart() {
        return;
    }
    if let Some(boundary) = &header.boundary {
        open.push(Open { delimiter: format!("--{boundary}").into_bytes(), part: index });
    }
}

/// The innermost open boundary that `line` names, and whether it closes it.
fn matching(open: &[Open], line: &[u8]) -> Option<(usize, bool)> {
    open.iter().enumerate().rev().find_map(|(level, open)| {
        let tail = line.strip_prefix(open.delimiter.as_slice())?;
        match tail {
            b"" => Some((level, false)),
            b"--" => Some((level, true)),
            _ => None,
        }
    })
}

/// The line break before a boundary belongs to the boundary (RFC 2046, section 5.1.1).
fn before_line(raw: &[u8], start: usize) -> usize {
    let head = &raw[..start];
    let head = head.strip_suffix(b"\n").unwrap_or(head);
    head.strip_suffix(b"\r").unwrap_or(head).len()
}

fn finish<'a>(raw: &'a [u8], parts: &mut [Part<'a>], begins: &[usize], index: usize, end: usize) {
    let begin = begins[index];
    parts[index].body = &raw[begin.min(end)..end];
}
