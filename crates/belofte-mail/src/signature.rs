// SPDX-License-Identifier: EUPL-1.2
//! Where the signature of an incoming text begins, so that it can be folded away.

/// A signature has at most so many lines.
const MAX_LINES: usize = 15;
/// And its marks at most so many octets each.
const MAX_LINE: usize = 200;

/// How programs on telephones and the like end a mail, in our two languages; in lower case.
const PROGRAMS: [&str; 16] = [
    "verzonden vanaf mijn ",
    "verzonden vanaf outlook",
    "verzonden van mijn ",
    "verzonden vanuit ",
    "verstuurd vanaf mijn ",
    "verstuurd vanaf outlook",
    "verstuurd vanaf mobiel",
    "verstuurd met ",
    "outlook voor ",
    "download outlook voor ",
    "sent from my ",
    "sent from outlook",
    "sent from mail for ",
    "get outlook for ",
    "sent with proton",
    "sent via ",
];

/// Where the signature in the `own` text of a mail (what stands before its quoted history) begins, in octets:
/// at the mark of RFC 3676, section 4.3, or at the line of the program that sent it. None when there is none,
/// or when nothing else was written. A greeting and the name below it are no signature: they belong to what a
/// person says.
#[must_use]
pub fn signature_from(own: &str) -> Option<usize> {
    let mut lines: Vec<(usize, &str)> = Vec::new();
    let mut at = 0;
    for line in own.split_inclusive('\n') {
        lines.push((at, line.trim_end_matches(['\n', '\r'])));
        at += line.len();
    }
    let content = |line: &&(usize, &str)| !line.1.trim().is_empty();
    let last = lines.iter().rposition(|line| content(&line))?;
    let marked = (0..=last).rev().take(MAX_LINES + 1).find(|index| is_mark(lines[*index].1));
    // The line of a program is the last one, or its address in brackets follows it.
    let program = (0..=last).rev().take(3).find(|index| is_program(lines[*index].1));
    let index = match (marked, program) {
        (Some(marked), Some(program)) => marked.min(program),
        (marked, program) => marked.or(program)?,
    };
    lines[..index].iter().any(|line| content(&line)).then(|| lines[index].0)
}

fn is_mark(line: &str) -> bool {
    // Many systems take the space away.
    line == "-- " || line == "--"
}

fn is_program(line: &str) -> bool {
    let line = line.trim();
    if line.is_empty() || line.len() > MAX_LINE {
        return false;
    }
    let line = line.trim_start_matches(['<', '[', '*', '_']).to_lowercase();
    // A sentence that a person wrote goes on; these do not.
    PROGRAMS.iter().any(|start| line.starts_with(start)) && line.split_whitespace().count() <= 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_found_in_both_languages_and_of_every_program() {
        for (own, signature) in [
            ("Hallo\n\nJan\n-- \nJansen BV\nKade 3\n", "-- \nJansen BV\nKade 3\n"),
            ("Hallo\n--\nJansen BV\n", "--\nJansen BV\n"),
            ("Komt eraan.\n\nVerzonden vanaf mijn iPhone\n", "Verzonden vanaf mijn iPhone\n"),
            ("Komt eraan.\n\nVerstuurd vanaf mijn Galaxy-toestel", "Verstuurd vanaf mijn Galaxy-toestel"),
            ("On its way.\n\nSent from my iPhone", "Sent from my iPhone"),
            ("Ja\n\nOutlook voor Android downloaden\n", "Outlook voor Android downloaden\n"),
            (
                "Yes\n\nGet Outlook for iOS<https://aka.example/o0ukef>\n________________________________\n",
                "Get Outlook for iOS<https://aka.example/o0ukef>\n________________________________\n",
            ),
            ("Ja\n\nVerzonden vanuit Mail voor Windows\n\n", "Verzonden vanuit Mail voor Windows\n\n"),
        ] {
            assert_eq!(signature_from(own).map(|at| &own[at..]), Some(signature), "{own}");
        }
    }

    #[test]
    fn what_a_person_says_is_no_signature() {
        let long = format!("Hallo\n-- \n{}", "Nog een regel.\n".repeat(40));
        for own in [
            "Hallo\n\nMet vriendelijke groet,\nJan Jansen\n",
            "-- \nJansen BV\n",
            "",
            "\n\n",
            "Sent from my iPhone",
            "Verzonden vanaf mijn eigen adres heb ik u gisteren al een brief met alle stukken gestuurd.\nJan",
            "Verzonden vanaf mijn iPhone\nMaar dat is niet alles.\nEr is meer.\nVeel meer.\n",
            long.as_str(),
        ] {
            assert_eq!(signature_from(own), None, "{own}");
        }
    }
}
