// SPDX-License-Identifier: EUPL-1.2
//! Checkpoints: origin, size and root of a log as a signed note (C2SP `tlog-checkpoint` and
//! `signed-note`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use signed_note::{Note, Signature, StandardVerifier, Verifier as _, VerifierList, key_id};

use crate::Hash;
use crate::tree::MAX_SIZE;

/// The signature type of Ed25519 in signed notes.
const ED25519: u8 = 1;

/// Why a checkpoint is none, or is not signed by the key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The origin is empty, or holds white space, control characters or a plus.
    #[error("the origin of a checkpoint holds a character that it may not hold")]
    Origin,
    /// The key is not in the format of verifier keys of signed notes.
    #[error("the verifier key is malformed")]
    Key,
    /// The text is no checkpoint.
    #[error("the checkpoint is malformed")]
    Malformed,
    /// The checkpoint is not, or not rightly, signed by the key.
    #[error("the checkpoint is not signed by the key")]
    Signature,
    /// The checkpoint is of another log than its key.
    #[error("the checkpoint belongs to another log than its key")]
    OtherOrigin,
}

/// The state of a log at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name, unique for ever: `host/path` without scheme.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

fn origin_is_valid(origin: &str) -> bool {
    signed_note::is_key_name_valid(origin) && !origin.contains(char::is_control)
}

/// The public key in the notation that verifiers of signed notes take:
/// `origin+key id+base64(0x01 ‖ key)`.
///
/// # Errors
/// [`CheckpointError::Origin`].
pub fn verifier_key(origin: &str, public_key: &[u8; 32]) -> Result<String, CheckpointError> {
    if !origin_is_valid(origin) {
        return Err(CheckpointError::Origin);
    }
    let key = typed(public_key);
    Ok(format!("{origin}+{:08x}+{}", key_id(origin, &key), STANDARD.encode(key)))
}

fn typed(public_key: &[u8; 32]) -> [u8; 33] {
    let mut key = [ED25519; 33];
    key[1..].copy_from_slice(public_key);
    key
}

impl Checkpoint {
    /// The signed note. `sign` makes the Ed25519 signature of the key whose public half is
    /// `public_key`.
    ///
    /// # Errors
    /// [`CheckpointError::Origin`].
    pub fn sign(
        &self,
        public_key: &[u8; 32],
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Result<Vec<u8>, CheckpointError> {
        if !origin_is_valid(&self.origin) {
            return Err(CheckpointError::Origin);
        }
        let root = tlog_tiles::Hash(self.root);
        let text = tlog_tiles::Checkpoint::new(&self.origin, self.size, root, "")
            .map_err(|_| CheckpointError::Origin)?
            .to_bytes();
        let id = key_id(&self.origin, &typed(public_key));
        let signature = Signature::new(self.origin.clone(), id, sign(&text).to_vec())
            .map_err(|_| CheckpointError::Origin)?;
        let note = Note::new(&text, &[signature]).map_err(|_| CheckpointError::Malformed)?;
        Ok(note.to_bytes())
    }

    /// Reads a signed note and checks that it is signed by `verifier_key` and is of that key's
    /// log. Signatures of others (witnesses) are allowed and not judged.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn open(note: &[u8], verifier_key: &str) -> Result<Self, CheckpointError> {
        let verifier = StandardVerifier::new(verifier_key).map_err(|_| CheckpointError::Key)?;
        let origin = verifier.name().to_owned();
        if !origin_is_valid(&origin) {
            return Err(CheckpointError::Key);
        }
        let note = Note::from_bytes(note).map_err(|_| CheckpointError::Malformed)?;
        note.verify(&VerifierList::new(vec![Box::new(verifier)])).map_err(|_| CheckpointError::Signature)?;
        let read = tlog_tiles::Checkpoint::from_bytes(note.text()).map_err(|_| CheckpointError::Malformed)?;
        if read.size() > MAX_SIZE {
            return Err(CheckpointError::Malformed);
        }
        if read.origin() != origin {
            return Err(CheckpointError::OtherOrigin);
        }
        Ok(Self { origin, size: read.size(), root: read.hash().0 })
    }
}

#[cfg(test)]
mod tests {
    use belofte_model::KeyId;
    use belofte_vault::{DataKey, LedgerSigner, Random};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const ORIGIN: &str = "desk.voorbeeld.example/ledger/1";

    fn signer(seed: u64) -> LedgerSigner {
        LedgerSigner::from_data_key(&DataKey::generate(KeyId(Uuid::nil()), &Random::seeded(seed)))
    }

    fn note(checkpoint: &Checkpoint, signer: &LedgerSigner) -> Vec<u8> {
        checkpoint.sign(&signer.public_key(), |text| signer.sign(text)).unwrap()
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint { origin: ORIGIN.to_owned(), size: 3, root: [7; 32] }
    }

    #[test]
    fn a_signed_checkpoint_opens_with_its_key_only() {
        let signer = signer(1);
        let note = note(&checkpoint(), &signer);
        let key = verifier_key(ORIGIN, &signer.public_key()).unwrap();
        assert_eq!(Checkpoint::open(&note, &key), Ok(checkpoint()));
        let text = String::from_utf8(note.clone()).unwrap();
        assert!(text.starts_with(&format!(
            "{ORIGIN}\n3\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n\n— {ORIGIN} "
        )));

        let other = verifier_key(ORIGIN, &self::signer(2).public_key()).unwrap();
        assert_eq!(Checkpoint::open(&note, &other), Err(CheckpointError::Signature));
        let elsewhere = verifier_key("other.example", &signer.public_key()).unwrap();
        assert_eq!(Checkpoint::open(&note, &elsewhere), Err(CheckpointError::Signature));
        let larger = text.replace("\n3\n", "\n4\n");
        assert_eq!(Checkpoint::open(larger.as_bytes(), &key), Err(CheckpointError::Signature));
        assert_eq!(Checkpoint::open(&note, "nonsense"), Err(CheckpointError::Key));
    }

    #[test]
    fn a_note_that_names_another_log_is_refused() {
        let signer = signer(1);
        let text = b"other.example\n3\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n";
        let id = key_id(ORIGIN, &typed(&signer.public_key()));
        let signature = Signature::new(ORIGIN.to_owned(), id, signer.sign(text).to_vec()).unwrap();
        let note = Note::new(text, &[signature]).unwrap().to_bytes();
        let key = verifier_key(ORIGIN, &signer.public_key()).unwrap();
        assert_eq!(Checkpoint::open(&note, &key), Err(CheckpointError::OtherOrigin));
    }

    #[test]
    fn an_origin_that_would_break_the_note_is_refused() {
        for origin in ["", "a b", "a+b", "a\nb", "a\u{7}b", "a\u{a0}b"] {
            let bad = Checkpoint { origin: origin.to_owned(), ..checkpoint() };
            assert_eq!(bad.sign(&[0; 32], |_| [0; 64]), Err(CheckpointError::Origin), "{origin:?}");
            assert_eq!(verifier_key(origin, &[0; 32]), Err(CheckpointError::Origin));
        }
    }

    proptest! {
        #[test]
        fn any_changed_byte_is_refused(at in any::<prop::sample::Index>(), with in any::<u8>()) {
            let signer = signer(1);
            let key = verifier_key(ORIGIN, &signer.public_key()).unwrap();
            let good = note(&checkpoint(), &signer);
            let mut changed = good.clone();
            let at = at.index(good.len());
            changed[at] = with;
            prop_assert!(changed == good || Checkpoint::open(&changed, &key).is_err());
        }

        #[test]
        fn any_bytes_are_handled(note in proptest::collection::vec(any::<u8>(), 0..300), key in any::<String>()) {
            let good = verifier_key(ORIGIN, &signer(1).public_key()).unwrap();
            prop_assert!(Checkpoint::open(&note, &good).is_err());
            prop_assert!(Checkpoint::open(&note, &key).is_err());
            let shaped = format!("a+00000000+{key}");
            prop_assert!(Checkpoint::open(b"", &shaped).is_err());
        }
    }
}
