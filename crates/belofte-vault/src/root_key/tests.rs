// SPDX-License-Identifier: EUPL-1.2
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use proptest::prelude::*;

use uuid::Uuid;
use zeroize::Zeroizing;

use super::*;
use crate::EpochKey;

fn render(key: &DataKey) -> Zeroizing<String> {
    key_file::render(key, MAGIC, COMMENT)
}

fn parse(text: &str) -> Result<DataKey, VaultError> {
    key_file::parse(text, MAGIC)
}

fn tenant() -> TenantId {
    TenantId(Uuid::from_u128(1))
}

#[test]
fn a_created_key_opens_again_and_wraps_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root.key");
    let random = Random::seeded(1);
    assert!(RootKey::open_file(&path).unwrap().is_none());

    let made = RootKey::create_file(&path, &random).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no partial file stays");

    let child = DataKey::generate(KeyId(Uuid::from_u128(2)), &random);
    let wrapped = made.wrap(&random, tenant(), &child);
    let opened = RootKey::open_file(&path).unwrap().unwrap();
    assert_eq!(opened.id(), made.id());
    let unwrapped = opened.unwrap_key(tenant(), child.id(), &wrapped).unwrap();
    assert_eq!(unwrapped.secret(), child.secret());

    let other = RootKey::create_file(&folder.path().join("other.key"), &random).unwrap();
    assert!(matches!(other.unwrap_key(tenant(), child.id(), &wrapped), Err(VaultError::NotAuthentic)));
}

#[test]
fn an_existing_key_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root.key");
    RootKey::create_file(&path, &Random::seeded(1)).unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(RootKey::create_file(&path, &Random::seeded(2)), Err(VaultError::RootKeyExists)));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no partial file stays");
}

#[test]
fn a_file_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root.key");
    RootKey::create_file(&path, &Random::seeded(1)).unwrap();
    for mode in [0o640, 0o604, 0o660, 0o601, 0o620, 0o644] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(
            matches!(RootKey::open_file(&path), Err(VaultError::RootKeyExposed { mode: m }) if m == mode)
        );
    }
    for mode in [0o400, 0o600] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(RootKey::open_file(&path).unwrap().is_some());
    }
    assert!(RootKey::open_file(folder.path()).is_err(), "a folder is no key");
}

#[test]
fn a_damaged_file_is_called_damaged() {
    let key = DataKey::generate(KeyId(Uuid::from_u128(2)), &Random::seeded(1));
    let good = render(&key);
    assert_eq!(parse(&good).unwrap().secret(), key.secret());
    let digit = |text: &str, line: &str| {
        let at = text.find(&format!("\n{line} ")).unwrap() + line.len() + 3;
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
        String::from_utf8(bytes).unwrap()
    };
    for bad in [
        String::new(),
        good[..good.len() / 2].to_owned(),
        good[..good.len() - 3].to_owned(),
        good.replace(MAGIC, "belofte-root-key-2"),
        digit(&good, "id"),
        digit(&good, "key"),
        digit(&good, "check"),
        format!("{}id {}\n", &*good, key.id()),
        format!("{}colour red\n", &*good),
    ] {
        assert!(matches!(parse(&bad), Err(VaultError::RootKeyMalformed(_))), "{bad}");
    }
}

#[test]
fn debug_and_errors_show_no_key() {
    let key = DataKey::from_secret(KeyId(Uuid::nil()), Zeroizing::new([0xab; 32]));
    let shown = format!("{:?}", RootKey::File(FileRootKey(key.clone())));
    assert_eq!(shown, "File(FileRootKey(00000000-0000-0000-0000-000000000000))");
    let damaged = render(&key).replace("check", "chcek");
    let error = parse(&damaged).unwrap_err();
    assert!(!format!("{error:?} {error}").contains("abab"));
}

proptest! {
    #[test]
    fn any_text_is_refused_without_a_panic(text in "\\PC{0,200}") {
        prop_assert!(parse(&text).is_err());
        let lines = format!("{MAGIC}\n{text}");
        prop_assert!(parse(&lines).is_err());
    }
}

#[test]
fn a_key_of_an_epoch_is_gone_when_it_was_destroyed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, random) = (folder.path().join("epoch-1.key"), Random::seeded(1));
    let made = EpochKey::create_file(&path, &random).unwrap();
    assert_eq!(EpochKey::open_file(&path).unwrap().unwrap().id(), made.id());
    assert!(RootKey::open_file(&path).is_err(), "one kind is not taken for another");
    assert!(!format!("{made:?}").contains(&hex::encode(made.data_key().secret())));
    let second_name = folder.path().join("same-bytes");
    fs::hard_link(&path, &second_name).unwrap();
    EpochKey::destroy_file(&path).unwrap();
    assert!(EpochKey::open_file(&path).unwrap().is_none());
    assert!(fs::read(&second_name).unwrap().iter().all(|byte| *byte == 0), "what was there is written over");
    EpochKey::destroy_file(&path).unwrap();
}
