// SPDX-License-Identifier: EUPL-1.2
//! The remote images of a mail: their addresses, which nobody is asked for until somebody wants to see them.

use crate::markup::{Token, Tokens, unescape, written_attributes};

/// So many images of a mail can be asked for; more than that no mail of a person has.
const MAX_IMAGES: usize = 100;

/// The addresses of the remote images of sanitised markup, each once, in their order; at most 100. One that
/// stands in this list stands in the mail, and nothing else does.
#[must_use]
pub fn remote_images(html: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for token in Tokens::new(html) {
        let Token::Open { name: "img", attributes } = token else { continue };
        let Some((_, written)) = written_attributes(attributes).find(|(name, _)| *name == "data-remote-src")
        else {
            continue;
        };
        let mut address = String::new();
        unescape(written, &mut address);
        if !found.contains(&address) {
            found.push(address);
        }
        if found.len() == MAX_IMAGES {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html::sanitise;

    #[test]
    fn what_stands_in_the_mail_is_listed_once_and_nothing_else() {
        let html = "<p>a</p><img src='https://a.example/x.png?u=1&amp;v=2'><img src=\"http://b.example/y.gif\">\
            <img src='https://a.example/x.png?u=1&v=2'><img src='cid:1'><img src='data:image/png;base64,AAAA'>\
            <img src='javascript:x'><a href='https://c.example/z.png'>z</a><img src='file:///etc/passwd'>";
        let clean = sanitise(html).expect("markup").html;
        assert_eq!(remote_images(&clean), ["https://a.example/x.png?u=1&v=2", "http://b.example/y.gif"]);
        let many: String = (0..300).map(|number| format!("<img src='https://a.example/{number}'>")).collect();
        assert_eq!(remote_images(&sanitise(&many).expect("markup").html).len(), MAX_IMAGES);
    }
}
