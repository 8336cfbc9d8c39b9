// SPDX-License-Identifier: EUPL-1.2
//! Images that a mail names, fetched in the place of who reads it: their servers learn that somebody opened the
//! mail, when it was, and nothing of who or where.
//!
//! The addresses are a stranger's. Each is judged as it stands and again after each redirection: only the web, its
//! two ports, and the public internet; what a tenant may reach inside the house is out of reach here. What comes is
//! an image by its own first octets, whatever its server says, or it is thrown away.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use http::Uri;
use imagesize::ImageType;
use tokio::sync::Semaphore;
use tokio::time::timeout_at;
use url::{Host, Url};

use crate::outbound::{AllowPrivate, ConnectPurpose, Outbound, OutboundError, RecipientClass, Transport};
use crate::patience::moment;
use crate::web::{Get, Web, WebError};

/// The largest image that is taken, in octets.
const LARGEST: usize = 4 * 1024 * 1024;
/// The largest image in dots: what a browser unpacks takes four octets of memory for each.
const DOTS: usize = 40_000_000;
/// One image may take so long, with its redirections.
const PATIENCE: Duration = Duration::from_secs(8);
/// All images of a mail may take so long together; what is missing then can be asked for again.
const ALL: Duration = Duration::from_secs(25);
/// So many redirections are followed.
const REDIRECTIONS: usize = 3;
/// So many images of one mail are fetched at once.
const AT_ONCE: usize = 6;
/// So many images of all mails are fetched at once on this node.
const OF_ALL: usize = 24;
/// Every browser says this, and it says nothing of anybody.
const AGENT: &str = "Mozilla/5.0";
const ACCEPT: &str = "image/png,image/jpeg,image/gif,image/webp";

/// What came of asking for an image.
#[derive(Clone, PartialEq, Eq)]
pub enum Fetched {
    /// An image.
    Image(Vec<u8>),
    /// There is none to be had.
    Nothing(NoImage),
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(_) => f.write_str("Image(..)"),
            Self::Nothing(why) => write!(f, "Nothing({why:?})"),
        }
    }
}

/// Why there is no image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoImage {
    /// It lies where no mail may have anybody look: another scheme or port, or a network that is not public.
    Refused,
    /// Its server was not reached, or did not answer in time.
    Unreachable,
    /// Its server has none there.
    Missing,
    /// What came is no image that can be shown safely.
    NotAnImage,
    /// It is too large.
    TooLarge,
}

/// What an image is, by its own octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Its media type.
    pub media_type: &'static str,
    /// Whether it is a dot that nobody sees: it only tells its server that the mail was opened.
    pub tracks: bool,
}

/// What these octets are; `None` when they are no image that can be shown safely. Drawings are none: they can
/// hold programs.
#[must_use]
pub fn picture(bytes: &[u8]) -> Option<Picture> {
    let media_type = match imagesize::image_type(bytes).ok()? {
        ImageType::Png => "image/png",
        ImageType::Jpeg => "image/jpeg",
        ImageType::Gif => "image/gif",
        ImageType::Webp => "image/webp",
        _ => return None,
    };
    let size = imagesize::blob_size(bytes).ok()?;
    let shown = size.width > 0 && size.height > 0 && size.width.saturating_mul(size.height) <= DOTS;
    shown.then_some(Picture { media_type, tracks: size.width <= 2 && size.height <= 2 })
}

/// Fetches images. Clones share their places.
#[derive(Clone)]
pub struct Images {
    web: Web,
    within: Arc<[AllowPrivate]>,
    places: Arc<Semaphore>,
    patience: Duration,
}

impl fmt::Debug for Images {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Images(..)")
    }
}

impl Images {
    /// A client that connects through `outbound` and judges certificates by `tls`. Of what is not public it
    /// reaches `within` alone, whatever else tenants may name.
    #[must_use]
    pub fn new(outbound: &Outbound, tls: Arc<rustls::ClientConfig>, within: Vec<AllowPrivate>) -> Self {
        let within: Arc<[AllowPrivate]> = within.into();
        let outbound = Outbound { allow_private: Arc::clone(&within), ..outbound.clone() };
        let places = Arc::new(Semaphore::new(OF_ALL));
        Self { web: Web::new(outbound, tls), within, places, patience: PATIENCE }
    }

    /// Fetches the images at `addresses`, which all stand in one mail, until they are `largest` octets together;
    /// what came of each, in their order.
    pub async fn fetch(&self, addresses: &[String], largest: usize) -> Vec<Fetched> {
        let until = moment() + ALL;
        let mut room = largest;
        let mut found = Vec::with_capacity(addresses.len());
        let one = |address: &String| {
            let (images, address) = (self.clone(), address.clone());
            async move {
                let fetched = timeout_at(until, images.one(&address)).await;
                fetched.unwrap_or(Fetched::Nothing(NoImage::Unreachable))
            }
        };
        let mut all = stream::iter(addresses.iter().map(one)).buffered(AT_ONCE);
        while let Some(fetched) = all.next().await {
            found.push(match fetched {
                Fetched::Image(bytes) if bytes.len() > room => Fetched::Nothing(NoImage::TooLarge),
                Fetched::Image(bytes) => {
                    room -= bytes.len();
                    Fetched::Image(bytes)
                }
                nothing @ Fetched::Nothing(_) => nothing,
            });
        }
        found
    }

    async fn one(&self, address: &str) -> Fetched {
        let Ok(_place) = self.places.acquire().await else { return Fetched::Nothing(NoImage::Unreachable) };
        match self.follow(address).await {
            Ok(bytes) => Fetched::Image(bytes),
            Err(why) => Fetched::Nothing(why),
        }
    }

    async fn follow(&self, address: &str) -> Result<Vec<u8>, NoImage> {
        let until = moment() + self.patience;
        let mut url = Url::parse(address).map_err(|_| NoImage::Refused)?;
        for _ in 0..=REDIRECTIONS {
            self.judge(&url)?;
            // What follows a hash mark is never sent.
            url.set_fragment(None);
            let uri: Uri = url.as_str().parse().map_err(|_| NoImage::Refused)?;
            let get = Get {
                class: &RecipientClass::OpenTransport(Transport::Web),
                purpose: ConnectPurpose::RemoteImage,
                url: &uri,
                accept: ACCEPT,
                agent: AGENT,
                largest: LARGEST,
                patience: until.saturating_duration_since(moment()),
            };
            let got = self.web.get(get).await.map_err(|error| why(&error))?;
            match (got.status, got.location) {
                (200, _) => {
                    let bytes = Vec::from(got.body);
                    return if picture(&bytes).is_some() { Ok(bytes) } else { Err(NoImage::NotAnImage) };
                }
                (301 | 302 | 303 | 307 | 308, Some(place)) => {
                    let next = url.join(&place).map_err(|_| NoImage::Refused)?;
                    if url.scheme() == "https" && next.scheme() != "https" {
                        return Err(NoImage::Refused);
                    }
                    url = next;
                }
                _ => return Err(NoImage::Missing),
            }
        }
        Err(NoImage::Missing)
    }

    /// Whether a mail may have somebody look there at all; whether the host lies in public is judged when it is
    /// connected to, by the addresses that it has then.
    fn judge(&self, url: &Url) -> Result<(), NoImage> {
        let web = matches!(url.scheme(), "http" | "https");
        let Some(host) = url.host().filter(|_| web) else { return Err(NoImage::Refused) };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NoImage::Refused);
        }
        let host = match host {
            Host::Domain(name) => name.trim_end_matches('.').to_ascii_lowercase(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        // Other ports are those of other services.
        let named = |port: u16| {
            self.within.iter().any(|entry| match entry {
                AllowPrivate::Host { host: known, port: of } => *known == host && *of == port,
                AllowPrivate::Network(_) => false,
            })
        };
        match url.port_or_known_default() {
            Some(80 | 443) => Ok(()),
            Some(port) if named(port) => Ok(()),
            _ => Err(NoImage::Refused),
        }
    }
}

fn why(error: &WebError) -> NoImage {
    match error {
        WebError::Connect(OutboundError::NotPublic | OutboundError::NotRegistered) | WebError::Address => {
            NoImage::Refused
        }
        WebError::TooLarge => NoImage::TooLarge,
        WebError::Connect(_) | WebError::Tls(_) | WebError::Http | WebError::Slow => NoImage::Unreachable,
    }
}

#[cfg(test)]
mod tests;
