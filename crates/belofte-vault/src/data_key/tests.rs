// SPDX-License-Identifier: EUPL-1.2
use belofte_model::Timestamp;
use proptest::prelude::*;

use super::*;

fn id<T: From<Uuid>>(n: u128) -> T {
    T::from(Uuid::from_u128(n))
}

fn ctx() -> SealContext {
    SealContext { tenant: id(1), column: Column(42), row: Uuid::from_u128(3) }
}

#[test]
fn opens_only_in_its_place() {
    let random = Random::seeded(1);
    let key = DataKey::generate(id(9), &random);
    let sealed = key.seal(&random, &ctx(), b"geheim");
    assert_eq!(key.open(&ctx(), &sealed).unwrap(), b"geheim");

    let moved = [
        SealContext { tenant: id(2), ..ctx() },
        SealContext { column: Column(43), ..ctx() },
        SealContext { row: Uuid::from_u128(4), ..ctx() },
    ];
    for place in moved {
        assert!(matches!(key.open(&place, &sealed), Err(VaultError::NotAuthentic)), "{place:?}");
    }
    // The same bytes under another key id are another key.
    let renamed = DataKey::from_secret(id(10), Zeroizing::new(*key.secret()));
    assert!(matches!(renamed.open(&ctx(), &sealed), Err(VaultError::NotAuthentic)));
    // The same id with other bytes too.
    let other = DataKey::generate(id(9), &random);
    assert!(matches!(other.open(&ctx(), &sealed), Err(VaultError::NotAuthentic)));
}

#[test]
fn every_flipped_bit_is_noticed() {
    let random = Random::seeded(2);
    let key = DataKey::generate(id(9), &random);
    let sealed = key.seal(&random, &ctx(), b"abc");
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let refused = key.open(&ctx(), &changed).unwrap_err();
        assert_eq!(
            key.open_in_place(&ctx(), &mut changed.clone()).unwrap_err().to_string(),
            refused.to_string()
        );
        if bit < 8 {
            assert!(matches!(refused, VaultError::UnknownVersion(_)));
        } else {
            assert!(matches!(refused, VaultError::NotAuthentic));
        }
    }
}

#[test]
fn truncation_is_refused_at_every_length_and_nothing_can_be_empty() {
    let random = Random::seeded(3);
    let key = DataKey::generate(id(9), &random);
    let empty = key.seal(&random, &ctx(), b"");
    assert_eq!(empty.len(), OVERHEAD);
    assert_eq!(key.open(&ctx(), &empty).unwrap(), b"");
    let sealed = key.seal(&random, &ctx(), b"abcdef");
    for len in 0..sealed.len() {
        let refused = key.open(&ctx(), &sealed[..len]).unwrap_err();
        let in_place = key.open_in_place(&ctx(), &mut sealed[..len].to_vec()).unwrap_err();
        assert_eq!(in_place.to_string(), refused.to_string());
        if len < OVERHEAD {
            assert!(matches!(refused, VaultError::Truncated { len: l } if l == len));
        } else {
            assert!(matches!(refused, VaultError::NotAuthentic));
        }
    }
}

#[test]
fn a_key_wraps_for_one_tenant_and_one_name() {
    let random = Random::seeded(4);
    let parent = DataKey::generate(id(1), &random);
    let child = DataKey::generate(id(2), &random);
    let tenant: TenantId = id(7);
    let wrapped = parent.wrap(&random, tenant, &child);
    let opened = parent.unwrap_key(tenant, child.id(), &wrapped).unwrap();
    assert_eq!(opened.secret(), child.secret());
    assert_eq!(opened.id(), child.id());

    assert!(parent.unwrap_key(id(8), child.id(), &wrapped).is_err(), "another tenant");
    assert!(parent.unwrap_key(tenant, id(3), &wrapped).is_err(), "another child");
    let renamed = DataKey::from_secret(id(5), Zeroizing::new(*parent.secret()));
    assert!(renamed.unwrap_key(tenant, child.id(), &wrapped).is_err(), "another parent");
    assert!(parent.unwrap_key(tenant, child.id(), &wrapped[..wrapped.len() - 1]).is_err());
    assert!(parent.unwrap_key(tenant, child.id(), &[]).is_err());
}

#[test]
fn an_opener_opens_what_its_key_sealed_and_nothing_else() {
    let random = Random::seeded(8);
    let (parent, child) = (DataKey::generate(id(1), &random), DataKey::generate(id(2), &random));
    let tenant: TenantId = id(7);
    let wrapped = parent.wrap(&random, tenant, &child);
    let (first, second) =
        (child.seal(&random, &ctx(), b"een lang antwoord"), child.seal(&random, &ctx(), b"kort"));
    let unwrapper = parent.unwrapper(tenant);
    let opener = unwrapper.opener(child.id(), &wrapped).unwrap();
    assert_eq!((unwrapper.parent(), opener.id()), (parent.id(), child.id()));
    let mut buffer = Vec::new();
    assert_eq!(opener.open(&ctx(), &first, &mut buffer).unwrap(), b"een lang antwoord");
    assert_eq!(opener.open(&ctx(), &second, &mut buffer).unwrap(), b"kort", "nothing of the one before");
    let elsewhere = SealContext { row: Uuid::from_u128(4), ..ctx() };
    assert!(opener.open(&elsewhere, &first, &mut buffer).is_err(), "another place");
    for len in 0..first.len() {
        let refused = opener.open(&ctx(), &first[..len], &mut buffer).unwrap_err();
        assert_eq!(refused.to_string(), child.open(&ctx(), &first[..len]).unwrap_err().to_string());
    }

    assert!(unwrapper.opener(id(3), &wrapped).is_err(), "another child");
    assert!(parent.unwrapper(id(8)).opener(child.id(), &wrapped).is_err(), "another tenant");
    assert!(child.unwrapper(tenant).opener(child.id(), &wrapped).is_err(), "another parent");
    for len in 0..wrapped.len() {
        assert!(unwrapper.opener(child.id(), &wrapped[..len]).is_err(), "{len} bytes");
    }
    for bit in 0..wrapped.len() * 8 {
        let mut changed = wrapped.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(unwrapper.opener(child.id(), &changed).is_err(), "bit {bit}");
    }
    // A value that its parent sealed is no key, even where it is as long as one.
    let value = parent.seal(&random, &ctx(), &[5; 32]);
    assert!(unwrapper.opener(child.id(), &value).is_err());
    assert_eq!(
        format!("{unwrapper:?} {opener:?}"),
        format!("Unwrapper({}) Opener({})", id::<KeyId>(1), id::<KeyId>(2))
    );
}

#[test]
fn a_wrapped_key_is_no_value() {
    let random = Random::seeded(5);
    let parent = DataKey::generate(id(1), &random);
    let child = DataKey::generate(id(2), &random);
    let wrapped = parent.wrap(&random, id(1), &child);
    assert!(parent.open(&ctx(), &wrapped).is_err());
}

#[test]
fn debug_shows_only_the_name() {
    let key_id = KeyId::new(Timestamp::from_millis(5), [1; 10]);
    let key = DataKey::generate(key_id, &Random::seeded(6));
    assert_eq!(format!("{key:?}"), format!("DataKey({key_id})"));
}

#[test]
fn the_format_stays() {
    // A change of version, labels, order or prefixes of the associated data turns this red:
    // what is stored then could no longer be opened.
    let key = DataKey::from_secret(id(9), Zeroizing::new([3; 32]));
    let random = Random::seeded(0);
    let sealed = key.seal(&random, &ctx(), b"Dag Sanne");
    assert_eq!(hex::encode(&sealed), GOLDEN_SEAL);
    assert_eq!(key.open(&ctx(), &hex::decode(GOLDEN_SEAL).unwrap()).unwrap(), b"Dag Sanne");
    let child = DataKey::from_secret(id(2), Zeroizing::new([4; 32]));
    assert_eq!(hex::encode(key.wrap(&random, id(1), &child)), GOLDEN_WRAP);
}

// Computed with another implementation (Python `cryptography`).
const GOLDEN_SEAL: &str = "01a4a11ce5fbe8f96bf302803598a76e212bd1736713840c7c4327baaf7952baa78d21877f57";
const GOLDEN_WRAP: &str = concat!(
    "01c9fd8f5cd4e947bb0901fdf46dffc4217126ed303665c697eb1baae480d46f6b5bddc265c1ce6c",
    "96cfefb7f979e09768578f62cfcd5b424aa11f9a5e"
);

proptest! {
    #[test]
    fn any_value_comes_back(plain in proptest::collection::vec(any::<u8>(), 0..3000)) {
        let random = Random::seeded(7);
        let key = DataKey::generate(id(1), &random);
        let mut sealed = key.seal(&random, &ctx(), &plain);
        prop_assert_eq!(&key.open(&ctx(), &sealed).unwrap(), &plain);
        prop_assert_eq!(key.open_in_place(&ctx(), &mut sealed).unwrap(), &plain);
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let key = DataKey::generate(id(1), &Random::seeded(8));
        prop_assert!(key.open(&ctx(), &bytes).is_err());
        prop_assert!(key.unwrap_key(id(1), id(2), &bytes).is_err());
    }
}
