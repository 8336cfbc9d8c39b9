// SPDX-License-Identifier: EUPL-1.2
//! The key of a tenant, contact, conversation, blob or spooled mail: seals values, wraps keys.
//!
//! A seal is `version ‖ nonce (12) ‖ ciphertext ‖ tag (16)` under AES-256-GCM with a random
//! nonce; the associated data say where it belongs, so that a seal moved to another row,
//! column, tenant or key does not open.

use std::fmt;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use belofte_model::{Column, KeyId, TenantId};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::derive::{Use, aes_256_gcm, subkey};
use crate::{Random, VaultError};

/// The format of seals and wrapped keys.
pub(crate) const VERSION: u8 = 1;
pub(crate) const TAG_LEN: usize = 16;
const OVERHEAD: usize = 1 + NONCE_LEN + TAG_LEN;

/// Where a sealed value lives. The key adds its own id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SealContext {
    /// The tenant of the row.
    pub tenant: TenantId,
    /// The column's number in the data map.
    pub column: Column,
    /// The row's id.
    pub row: Uuid,
}

/// A 256-bit key with its id. Clones share it; the bytes are wiped with the last of them.
#[derive(Clone)]
pub struct DataKey(Arc<Inner>);

struct Inner {
    id: KeyId,
    secret: Zeroizing<[u8; 32]>,
    // Derived at first use: a key that only wraps or only seals a stream pays for no more. The
    // prepared cipher is not kept: it is five times as large as all this, nodes hold tens of
    // thousands of keys, and preparing it again costs less than the shortest seal.
    seal: OnceLock<Zeroizing<[u8; 32]>>,
    wrap: OnceLock<Zeroizing<[u8; 32]>>,
    blob: OnceLock<Zeroizing<[u8; 32]>>,
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKey({})", self.0.id)
    }
}

impl DataKey {
    /// A new key called `id`.
    #[must_use]
    pub fn generate(id: KeyId, random: &Random) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        random.fill(&mut *secret);
        Self::from_secret(id, secret)
    }

    pub(crate) fn from_secret(id: KeyId, secret: Zeroizing<[u8; 32]>) -> Self {
        let (seal, wrap, blob) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self(Arc::new(Inner { id, secret, seal, wrap, blob }))
    }

    /// The key's id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.0.id
    }

    /// The key's bytes, for the derivations of this crate only.
    pub(crate) fn secret(&self) -> &[u8; 32] {
        &self.0.secret
    }

    /// The input key of sealed streams.
    pub(crate) fn blob_secret(&self) -> &[u8; 32] {
        self.0.blob.get_or_init(|| subkey(&self.0.secret, Use::Blob))
    }

    fn sealing(&self) -> LessSafeKey {
        aes_256_gcm(self.0.seal.get_or_init(|| subkey(&self.0.secret, Use::Seal)))
    }

    fn wrapping(&self) -> LessSafeKey {
        aes_256_gcm(self.0.wrap.get_or_init(|| subkey(&self.0.secret, Use::Wrap)))
    }

    /// Seals `plaintext` for the place `ctx`; 29 bytes longer than the plaintext.
    #[must_use]
    pub fn seal(&self, random: &Random, ctx: &SealContext, plaintext: &[u8]) -> Vec<u8> {
        seal_bytes(&self.sealing(), random, &self.seal_aad(ctx), plaintext)
    }

    /// Opens what [`seal`](Self::seal) made for the same place.
    ///
    /// # Errors
    /// [`VaultError::Truncated`], [`VaultError::UnknownVersion`] or
    /// [`VaultError::NotAuthentic`].
    pub fn open(&self, ctx: &SealContext, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        open_bytes(&self.sealing(), &self.seal_aad(ctx), sealed)
    }

    /// As [`open`](Self::open), in the place of the sealed bytes, which are of no more use afterwards: whoever opens
    /// many that it owns anyway needs no room for each.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_in_place<'a>(&self, ctx: &SealContext, sealed: &'a mut [u8]) -> Result<&'a [u8], VaultError> {
        let nonce = nonce_of(sealed)?;
        let body = &mut sealed[1 + NONCE_LEN..];
        let opened = self.sealing().open_in_place(nonce, Aad::from(self.seal_aad(ctx)), body);
        opened.map(|plaintext| &*plaintext).map_err(|_| VaultError::NotAuthentic)
    }

    /// Wraps `child` under this key; the result belongs to `tenant` and to both keys' ids.
    #[must_use]
    pub fn wrap(&self, random: &Random, tenant: TenantId, child: &Self) -> Vec<u8> {
        let aad = wrap_aad(tenant, self.id(), child.id());
        seal_bytes(&self.wrapping(), random, &aad, &*child.0.secret)
    }

    /// Opens the key `child` that [`wrap`](Self::wrap) wrapped for `tenant`.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`VaultError::Malformed`] when it is no key.
    pub fn unwrap_key(&self, tenant: TenantId, child: KeyId, wrapped: &[u8]) -> Result<Self, VaultError> {
        let aad = wrap_aad(tenant, self.id(), child);
        let opened = Zeroizing::new(open_bytes(&self.wrapping(), &aad, wrapped)?);
        let mut secret = Zeroizing::new([0; 32]);
        if opened.len() != secret.len() {
            return Err(VaultError::Malformed("a key has 32 bytes"));
        }
        secret.copy_from_slice(&opened);
        Ok(Self::from_secret(child, secret))
    }

    /// What opens the keys of `tenant` that this one wraps, one after the other.
    #[must_use]
    pub fn unwrapper(&self, tenant: TenantId) -> Unwrapper {
        Unwrapper { tenant, parent: self.id(), cipher: self.wrapping() }
    }

    fn seal_aad(&self, ctx: &SealContext) -> [u8; SEAL_AAD_LEN] {
        seal_aad(ctx, self.id())
    }
}

/// Opens many keys that one key wraps. Whoever goes through a list needs each for a moment, and keeps none.
pub struct Unwrapper {
    tenant: TenantId,
    parent: KeyId,
    // Prepared once for all of them.
    cipher: LessSafeKey,
}

impl fmt::Debug for Unwrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unwrapper({})", self.parent)
    }
}

impl Unwrapper {
    /// The key whose children it opens.
    #[must_use]
    pub fn parent(&self) -> KeyId {
        self.parent
    }

    /// What opens seals of the key `child`, as [`DataKey::wrap`] wrapped it.
    ///
    /// # Errors
    /// As [`DataKey::unwrap_key`].
    pub fn opener(&self, child: KeyId, wrapped: &[u8]) -> Result<Opener, VaultError> {
        let nonce = nonce_of(wrapped)?;
        let mut buffer = Zeroizing::new([0; 32 + TAG_LEN]);
        let body = &wrapped[1 + NONCE_LEN..];
        if body.len() != buffer.len() {
            return Err(VaultError::Malformed("a key has 32 bytes"));
        }
        buffer.copy_from_slice(body);
        let aad = wrap_aad(self.tenant, self.parent, child);
        self.cipher
            .open_in_place(nonce, Aad::from(aad), &mut *buffer)
            .map_err(|_| VaultError::NotAuthentic)?;
        let secret = buffer.first_chunk().expect("it is longer than a key");
        Ok(Opener { id: child, cipher: aes_256_gcm(&subkey(secret, Use::Seal)) })
    }
}

/// Opens what one key sealed, and does nothing else.
pub struct Opener {
    id: KeyId,
    cipher: LessSafeKey,
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opener({})", self.id)
    }
}

impl Opener {
    /// The id of the key.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Opens what [`DataKey::seal`] made for the same place, into `buffer`, of which nothing else is left.
    ///
    /// # Errors
    /// As [`DataKey::open`].
    pub fn open<'b>(
        &self,
        ctx: &SealContext,
        sealed: &[u8],
        buffer: &'b mut Vec<u8>,
    ) -> Result<&'b [u8], VaultError> {
        let nonce = nonce_of(sealed)?;
        buffer.clear();
        buffer.extend_from_slice(&sealed[1 + NONCE_LEN..]);
        let opened = self.cipher.open_in_place(nonce, Aad::from(seal_aad(ctx, self.id)), buffer);
        opened.map(|plaintext| &*plaintext).map_err(|_| VaultError::NotAuthentic)
    }
}

fn seal_aad(ctx: &SealContext, key: KeyId) -> [u8; SEAL_AAD_LEN] {
    let mut aad = [0; SEAL_AAD_LEN];
    let end = fill_fields(
        &mut aad,
        &[
            &[VERSION],
            ctx.tenant.uuid().as_bytes(),
            &ctx.column.0.to_be_bytes(),
            ctx.row.as_bytes(),
            key.uuid().as_bytes(),
        ],
    );
    debug_assert_eq!(end, SEAL_AAD_LEN);
    aad
}

const FIELD: usize = 2;
const SEAL_AAD_LEN: usize = 5 * FIELD + 1 + 16 + 4 + 16 + 16;
const WRAP_AAD_LEN: usize = 5 * FIELD + 1 + 4 + 16 + 16 + 16;

fn wrap_aad(tenant: TenantId, parent: KeyId, child: KeyId) -> [u8; WRAP_AAD_LEN] {
    let mut aad = [0; WRAP_AAD_LEN];
    let end = fill_fields(
        &mut aad,
        &[&[VERSION], b"wrap", tenant.uuid().as_bytes(), parent.uuid().as_bytes(), child.uuid().as_bytes()],
    );
    debug_assert_eq!(end, WRAP_AAD_LEN);
    aad
}

/// Writes each field after its length (two bytes, big-endian); returns where it ended.
fn fill_fields(out: &mut [u8], fields: &[&[u8]]) -> usize {
    let mut at = 0;
    for field in fields {
        let len = u16::try_from(field.len()).expect("fields of associated data are short");
        out[at..at + FIELD].copy_from_slice(&len.to_be_bytes());
        at += FIELD;
        out[at..at + field.len()].copy_from_slice(field);
        at += field.len();
    }
    at
}

fn seal_bytes(key: &LessSafeKey, random: &Random, aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let nonce: [u8; NONCE_LEN] = random.bytes();
    let mut out = Vec::with_capacity(OVERHEAD + plaintext.len());
    out.push(VERSION);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(plaintext);
    let tag = key
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(aad),
            &mut out[1 + NONCE_LEN..],
        )
        .expect("a value is far below the 64 GiB that GCM can seal");
    out.extend_from_slice(tag.as_ref());
    out
}

/// The nonce of a seal; what is sealed follows it, with its tag.
fn nonce_of(sealed: &[u8]) -> Result<Nonce, VaultError> {
    let Some((&version, rest)) = sealed.split_first() else {
        return Err(VaultError::Truncated { len: 0 });
    };
    if version != VERSION {
        return Err(VaultError::UnknownVersion(version));
    }
    let whole = rest.split_first_chunk::<NONCE_LEN>().filter(|(_, body)| body.len() >= TAG_LEN);
    let (nonce, _) = whole.ok_or(VaultError::Truncated { len: sealed.len() })?;
    Ok(Nonce::assume_unique_for_key(*nonce))
}

fn open_bytes(key: &LessSafeKey, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
    let nonce = nonce_of(sealed)?;
    let mut buffer = sealed[1 + NONCE_LEN..].to_vec();
    let opened = key.open_in_place(nonce, Aad::from(aad), &mut buffer);
    let len = opened.map_err(|_| VaultError::NotAuthentic)?.len();
    buffer.truncate(len);
    Ok(buffer)
}

#[cfg(test)]
mod tests;
