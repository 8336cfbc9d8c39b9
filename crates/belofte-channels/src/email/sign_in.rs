// SPDX-License-Identifier: EUPL-1.2
//! What an account signs in with at a mail server, and the words of it that IMAP and SMTP share (SASL).

/// What proves who signs in. No Debug output.
#[derive(Clone)]
pub enum Secret {
    /// A password: SASL PLAIN (RFC 4616), or LOGIN where that is not offered.
    Password(String),
    /// An access token of the provider (OAuth 2.0): XOAUTH2, or OAUTHBEARER (RFC 7628) where that is not offered.
    Token(String),
}

/// The SASL mechanisms by which a token is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenMechanism {
    /// As Google and Microsoft have it.
    Xoauth2,
    /// RFC 7628.
    OauthBearer,
}

impl TokenMechanism {
    /// The name by which a server offers it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Xoauth2 => "XOAUTH2",
            Self::OauthBearer => "OAUTHBEARER",
        }
    }

    /// What shows the token, before it is put into base64.
    pub(super) fn shows(self, username: &str, token: &str) -> String {
        match self {
            Self::Xoauth2 => format!("user={username}\x01auth=Bearer {token}\x01\x01"),
            // A name with a comma or an equals sign is written in another way (RFC 5801, section 4).
            Self::OauthBearer => {
                let username = username.replace('=', "=3D").replace(',', "=2C");
                format!("n,a={username},\x01auth=Bearer {token}\x01\x01")
            }
        }
    }

    /// What is said to a server that explains its refusal, so that it comes to an end (RFC 7628, section 3.2.3).
    pub(super) const fn gives_in(self) -> &'static str {
        match self {
            Self::Xoauth2 => "",
            Self::OauthBearer => "\x01",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TokenMechanism::{OauthBearer, Xoauth2};

    #[test]
    fn a_token_is_shown_as_its_mechanism_has_it() {
        assert_eq!(
            Xoauth2.shows("desk@shop.example", "ya29"),
            "user=desk@shop.example\x01auth=Bearer ya29\x01\x01"
        );
        assert_eq!(
            OauthBearer.shows("desk,=@shop.example", "ya29"),
            "n,a=desk=2C=3D@shop.example,\x01auth=Bearer ya29\x01\x01"
        );
    }
}
