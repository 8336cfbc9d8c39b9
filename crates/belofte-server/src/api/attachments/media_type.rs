// SPDX-License-Identifier: EUPL-1.2
//! What a file is said to be, and what its bytes look like.

/// The media type of bytes that are not to be interpreted.
pub const OCTETS: &str = "application/octet-stream";
/// So many bytes at the beginning are looked at (the MIME Sniffing Standard's resource header).
pub const HEAD: usize = 1_445;

/// The media type with which a file is given out: the one that was `declared`, unless it, or the
/// beginning `head` of the bytes, is something that a browser would run.
#[must_use]
pub fn safe(declared: &str, head: &[u8]) -> String {
    let essence = essence(declared);
    match essence {
        Some(essence) if !runs(&essence) && !looks_active(head) => essence,
        _ => OCTETS.to_owned(),
    }
}

/// Type and subtype of a media type in lower case, without parameters; `None` when it is none
/// (RFC 9110, section 8.3.1).
#[must_use]
pub fn essence(declared: &str) -> Option<String> {
    let essence = declared.split(';').next()?.trim().to_ascii_lowercase();
    let token = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    };
    let (kind, subtype) = essence.split_once('/')?;
    (essence.len() <= 127 && token(kind) && token(subtype)).then_some(essence)
}

/// Whether browsers run what is of this type, or show it as a page.
fn runs(essence: &str) -> bool {
    let subtype = essence.split_once('/').map_or("", |(_, subtype)| subtype);
    matches!(
        subtype,
        "html" | "xhtml" | "xml" | "svg" | "ecmascript" | "javascript" | "x-javascript" | "xslt"
    ) || subtype.ends_with("+xml")
        || subtype.contains("javascript")
        || subtype.starts_with("html")
        || essence == "multipart/related"
        || essence == "application/x-shockwave-flash"
}

/// Whether the beginning of a file is that of a page or a drawing that can hold scripts.
fn looks_active(head: &[u8]) -> bool {
    let head = &head[..head.len().min(HEAD)];
    let head = match head {
        [0xef, 0xbb, 0xbf, rest @ ..] => rest,
        // In UTF-16 every second byte of markup is nought.
        [0xfe, 0xff, ..] | [0xff, 0xfe, ..] => &head[2..],
        head => head,
    };
    let text: Vec<u8> = head.iter().filter(|byte| **byte != 0).map(u8::to_ascii_lowercase).collect();
    let start = text.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(text.len());
    let text = &text[start..];
    const STARTS: [&[u8]; 20] = [
        b"<!doctype",
        b"<html",
        b"<head",
        b"<script",
        b"<iframe",
        b"<h1",
        b"<div",
        b"<font",
        b"<table",
        b"<a ",
        b"<style",
        b"<title",
        b"<b>",
        b"<body",
        b"<br",
        b"<p>",
        b"<p ",
        b"<!--",
        b"<?xml",
        b"<svg",
    ];
    if STARTS.iter().any(|known| text.starts_with(known)) {
        return true;
    }
    // Further in: a comment, an entity or white space of another kind can stand before it.
    let holds = |wanted: &[u8]| text.windows(wanted.len()).any(|window| window == wanted);
    text.starts_with(b"<") && (holds(b"<svg") || holds(b"<script") || holds(b"<html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmless_files_keep_their_type() {
        for (declared, head, given) in [
            ("image/png", &b"\x89PNG\r\n\x1a\n\0\0"[..], "image/png"),
            ("Application/PDF; name=x.pdf", b"%PDF-1.7", "application/pdf"),
            ("text/plain", b"Beste heer, 3 < 5 en <b>dat</b>", "text/plain"),
            ("text/csv", b"", "text/csv"),
        ] {
            assert_eq!(safe(declared, head), given, "{declared}");
        }
    }

    #[test]
    fn what_a_browser_would_run_is_only_bytes() {
        for declared in [
            "text/html",
            "image/svg+xml",
            "application/xhtml+xml",
            "text/xml",
            "application/javascript",
            "text/javascript",
            "multipart/related",
            "",
            "png",
            "image/",
            "image/png\r\nx: y",
            "text/html; charset=x",
        ] {
            assert_eq!(safe(declared, b"anything"), OCTETS, "{declared}");
        }
    }

    #[test]
    fn a_type_that_lies_about_its_bytes_is_not_believed() {
        for head in [
            &b"<!DOCTYPE html><p>"[..],
            b"  \n<HTML>",
            b"\xef\xbb\xbf<svg xmlns='http://www.w3.org/2000/svg'>",
            b"<?xml version='1.0'?><svg onload='x()'>",
            b"<!-- x --><script>alert(1)</script>",
            b"<x/><svg onload=x()>",
            b"\xff\xfe<\0h\0t\0m\0l\0>\0",
        ] {
            assert_eq!(safe("image/png", head), OCTETS, "{}", String::from_utf8_lossy(head));
        }
    }
}
