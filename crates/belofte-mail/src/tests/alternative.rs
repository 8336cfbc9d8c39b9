// SPDX-License-Identifier: EUPL-1.2
//! The text that goes out beside markup says all that the markup says.

use crate::alternative_text;

#[test]
fn lists_links_and_quotes_can_be_read_in_the_text_alone() {
    let html = "<p>Dag <strong>Jan</strong>,</p><ol start=\"3\"><li><p>Eerst dit</p></li><li><p>dan</p>\
        <ul><li><p>klein</p></li><li><p>kleiner</p></li></ul></li></ol><blockquote><p>Wat u schreef</p></blockquote>\
        <p>Zie <a href=\"https://winkel.example/a?b=1&amp;c=2\">de pagina</a>, \
        <a href=\"https://winkel.example\">https://winkel.example</a> of <a href=\"mailto:info@winkel.example\">ons</a>.</p>\
        <pre><code>a  b\nc</code></pre>";
    let text = "Dag Jan,\n\n3. Eerst dit\n4. dan\n  - klein\n  - kleiner\n>\n> Wat u schreef\n\n\
        Zie de pagina <https://winkel.example/a?b=1&c=2>, https://winkel.example of ons <info@winkel.example>.\n\n\
        a  b\nc";
    assert_eq!(alternative_text(html), text);
}

#[test]
fn a_link_that_acts_or_hides_is_not_written_out() {
    assert_eq!(alternative_text("<a href=\"javascript:x()\">klik</a>"), "klik");
    assert_eq!(alternative_text("<a href=\"https://a.example\"></a>"), "<https://a.example>");
    assert_eq!(alternative_text("</a></li></ol><li>los<ul><li>x"), "- los\n\n- x");
    let tangled = "<a href=\"https://a.example\">".repeat(20_000) + &"</a>".repeat(20_000);
    assert!(alternative_text(&tangled).len() < 1_000);
}
