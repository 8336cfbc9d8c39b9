// SPDX-License-Identifier: EUPL-1.2
//! Keys and sealing: the only crate that touches a key or a cipher.
//!
//! | module | gives |
//! |---|---|
//! | `data_key` | [`DataKey`]: seal and open a value, wrap and unwrap another key; [`Unwrapper`], [`Opener`]: open those of a list |
//! | `root_key` | [`RootKey`]: the provider of the key above all tenants |
//! | `epoch_key` | [`EpochKey`]: seals the back-ups of keys of one week |
//! | `lookup` | [`LookupKey`] (blind indexes), [`MacKey`] (short authenticators) |
//! | `words`, `search_key`, `lexicon` | search over sealed text: words, keyed tokens, sealed suggestions |
//! | [`blob`] | sealed byte streams that can be read from the middle |
//! | `ledger_signer` | [`LedgerSigner`]: signs checkpoints, gives the key to nobody |
//! | `dkim_key` | [`DkimKey`]: signs mail for a domain, gives the key to nobody |
//! | `push_key` | [`PushKey`]: says to push services who sends, gives the key to nobody |
//! | [`password`], `token`, `totp` | what a sign-in is checked against |
//! | `pii`, `random` | personal values that do not print, chance that is an argument |
//!
//! What this crate does *not* know: SQL, HTTP, async, the current time, where a wrapped key is
//! stored, and which key belongs to whom. It never tries keys in turn: AES-GCM does not commit
//! to its key, so the caller names the key and the seal names it too.

pub mod blob;
mod data_key;
mod derive;
mod dkim_key;
mod epoch_key;
mod error;
mod key_file;
mod ledger_signer;
mod lexicon;
mod lookup;
pub mod password;
mod pii;
mod push_key;
mod random;
mod root_key;
mod search_key;
mod token;
mod totp;
mod words;

pub use data_key::{DataKey, Opener, SealContext, Unwrapper};
pub use dkim_key::DkimKey;
pub use epoch_key::EpochKey;
pub use error::VaultError;
pub use ledger_signer::LedgerSigner;
pub use lexicon::{Lexicon, MessageWords, Suggested};
pub use lookup::{LookupKey, MacKey};
pub use pii::Pii;
pub use push_key::PushKey;
pub use random::{Random, SeededRandom};
pub use root_key::{FileRootKey, RootKey};
pub use search_key::{SearchKey, TokenField, Tokens};
pub use token::{Sha256, new_token, sha256, token_hash};
pub use totp::{TotpSecret, new_recovery_code};
pub use words::{WordFinder, fold_text, query_words, words};
