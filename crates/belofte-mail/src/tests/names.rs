// SPDX-License-Identifier: EUPL-1.2
use crate::{attachment_name, display_name};

#[test]
fn names_of_files_are_safe_and_keep_their_ending() {
    for (name, clean) in [
        ("../../etc/passwd", "passwd"),
        ("C:\\brieven\\brief.pdf", "brief.pdf"),
        ("fact\u{202e}fdp.exe", "factfdp.exe"),
        ("a\r\nb\0.pdf", "a b.pdf"),
        ("...", "x.bin"),
        ("///", "x.bin"),
        ("", "x.bin"),
        ("???", "x.bin"),
        ("nul", "_nul"),
        ("LPT1.txt", "_LPT1.txt"),
        ("offerte: \"nieuw\".pdf", "offerte_ _nieuw_.pdf"),
    ] {
        assert_eq!(attachment_name(name, "x.bin"), clean, "{name:?}");
    }
    let long = attachment_name(&format!("{}.docx", "é".repeat(500)), "x.bin");
    assert!(long.ends_with("é.docx") && long.chars().count() == 120, "{long}");
}

#[test]
fn names_of_persons_lose_quotes_and_what_hides() {
    for (name, clean) in [
        ("  Joost \t Appelwaard ", "Joost Appelwaard"),
        ("'\"Joost\"'", "Joost"),
        ("\u{202e}tsooJ\u{200b}", "tsooJ"),
        ("JOOST@klant.example", ""),
        ("\"", "\""),
    ] {
        assert_eq!(display_name(name, "joost@klant.example"), clean, "{name:?}");
    }
}
