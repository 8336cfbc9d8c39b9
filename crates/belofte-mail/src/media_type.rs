// SPDX-License-Identifier: EUPL-1.2
//! What a file is, by its first bytes: who sends one says so of it, and is often wrong.

use infer::MatcherType;

/// So many bytes at the beginning tell what a file is. Containers name what they hold somewhat further in.
pub const HEAD: usize = 8 * 1_024;

/// The media type of a file that is `declared` as one (lower case, without parameters) and begins with `head`.
///
/// A declaration that names a format is believed, but for a picture, a document in PDF and a program, which have
/// signatures of their own, and for a container that calls itself a picture, a sound or a text. Where nothing was
/// declared, the signature says what it is. Markup is left to who gives the file out: what a browser could run is never
/// given out as such.
#[must_use]
pub fn by_content(declared: &str, head: &[u8]) -> String {
    let head = &head[..head.len().min(HEAD)];
    let kept = || declared.to_owned();
    // Many formats of old are of one container, and its beginning does not tell which.
    if head.starts_with(b"\xd0\xcf\x11\xe0") || is_text(head) && !head.starts_with(b"%PDF-") {
        return kept();
    }
    let Some(found) = infer::get(head) else { return kept() };
    let name = match found.mime_type() {
        // Names of before the registration.
        "audio/x-wav" => "audio/wav",
        "audio/m4a" => "audio/mp4",
        other => other,
    };
    let family = declared.split('/').next().unwrap_or_default();
    let believed = match declared {
        "application/octet-stream" | "application/x-download" | "binary/octet-stream" => {
            match found.matcher_type() {
                MatcherType::App => is_program(name, head),
                MatcherType::Text | MatcherType::Custom => false,
                _ => true,
            }
        }
        _ => match name {
            "image/png" | "image/jpeg" | "image/webp" | "application/pdf" => true,
            "image/gif" => head.starts_with(b"GIF8"),
            "application/zip"
            | "application/gzip"
            | "application/x-7z-compressed"
            | "application/vnd.rar" => {
                matches!(family, "image" | "audio" | "video" | "text")
            }
            _ => is_program(name, head),
        },
    };
    // The same picture under another name of its type.
    if believed && !same(declared, name) { name.to_owned() } else { kept() }
}

/// Whether it is a program of Windows or Linux. A text can begin with the two letters of the first.
fn is_program(name: &str, head: &[u8]) -> bool {
    match name {
        "application/vnd.microsoft.portable-executable" => head.contains(&0),
        "application/x-executable" => head.starts_with(b"\x7fELF"),
        _ => false,
    }
}

/// Whether it reads as text as far as it is here: a character may be cut at its end.
fn is_text(head: &[u8]) -> bool {
    let read = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !read.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}'))
}

/// Whether both name one format: with and without the `x-` of before its registration, or by a name of old.
fn same(declared: &str, found: &str) -> bool {
    let plain = |name: &str| name.replace("/x-", "/");
    plain(declared) == plain(found)
        || matches!(
            (declared, found),
            ("image/jpg" | "image/pjpeg", "image/jpeg") | ("audio/mp3", "audio/mpeg")
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0";
    const PDF: &[u8] = b"%PDF-1.7\n";
    const ZIP: &[u8] = b"PK\x03\x04\x14\0\0\0\x08\0";
    const PROGRAM: &[u8] = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0";

    /// The beginning of a program of Linux, whose header has 64 bytes.
    const LINUX: [u8; 64] = {
        let mut head = [0; 64];
        (head[0], head[1], head[2], head[3]) = (0x7f, b'E', b'L', b'F');
        head
    };

    #[test]
    fn the_bytes_say_what_a_file_is() {
        for (declared, head, given) in [
            ("application/octet-stream", PNG, "image/png"),
            ("image/jpeg", PNG, "image/png"),
            ("image/jpg", JPEG, "image/jpg"),
            ("text/plain", PDF, "application/pdf"),
            ("application/octet-stream", b"GIF89a\x01\0", "image/gif"),
            ("application/octet-stream", b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
            ("image/png", ZIP, "application/zip"),
            ("application/octet-stream", ZIP, "application/zip"),
            ("application/octet-stream", &LINUX, "application/x-executable"),
        ] {
            assert_eq!(by_content(declared, head), given, "{declared}");
        }
        // Whoever calls a program a picture or a document is not believed.
        for declared in ["image/png", "application/pdf", "application/octet-stream"] {
            assert_eq!(
                by_content(declared, PROGRAM),
                "application/vnd.microsoft.portable-executable",
                "{declared}"
            );
        }
    }

    #[test]
    fn a_declaration_that_says_more_than_the_bytes_is_kept() {
        const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0";
        const DER: &[u8] = b"\x30\x82\x01\x0a\x06\x09\x2a\x86\x48";
        const MOVIE: &[u8] = b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2";
        let sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        for (declared, head) in [
            (sheet, ZIP),
            ("application/vnd.ms-excel", OLE),
            ("application/vnd.ms-outlook", OLE),
            ("application/octet-stream", OLE),
            ("application/pkcs7-signature", DER),
            ("application/pkcs7-mime", DER),
            ("application/x-pkcs12", DER),
            ("application/octet-stream", DER),
            ("application/ms-tnef", b"\x78\x9f\x3e\x22\0\0"),
            ("audio/mp4", MOVIE),
            ("application/vnd.ms-word.document.macroenabled.12", ZIP),
            ("text/csv", b"GIF;prijs\nCaf\xe9;3\n"),
            ("text/csv", b"MZ;naam\nCaf\xe9;3\n"),
            ("application/vnd.oasis.opendocument.text", ZIP),
            ("text/csv", b"naam;plaats\n"),
            ("text/html", b"<!DOCTYPE html><p>"),
            ("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'>"),
            ("image/heic-sequence", b"nothing known"),
            ("text/plain", "MZ: de maandzang gaat niet dóór".as_bytes()),
            ("application/octet-stream", b"BM, dat is een afkorting"),
            ("application/octet-stream", b""),
            ("application/octet-stream", b"zomaar wat bytes"),
        ] {
            assert_eq!(by_content(declared, head), declared);
        }
    }
}
