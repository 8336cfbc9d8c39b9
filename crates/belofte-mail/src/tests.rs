// SPDX-License-Identifier: EUPL-1.2
use crate::*;

#[test]
fn a_plain_mail_is_read() {
    let raw = b"From: =?utf-8?Q?J=C3=B6rg_de_Vries?= <j@x.example>\r\nTo: info@shop.example\r\nSubject: Vraag\r\nMessage-ID: <1@x.example>\r\n\r\nHallo\r\n";
    let mail = parse(raw).expect("a mail");
    assert_eq!(mail.from.as_ref().map(|f| f.name.as_str()), Some("Jörg de Vries"));
    assert_eq!(mail.text, "Hallo");
    assert_eq!(mail.to.len(), 1);
    let html = sanitise("<p style='position:fixed;color:red' class=x onclick=1>a<img src=http://a.example/x.png><img src='cid:a%40b'><a href='javascript:x'>b</a><a href='https://a.example/'>c</a><script>x</script>").expect("small");
    println!("{}", html.html);
    println!("{}", html_to_text(&html.html));
}
