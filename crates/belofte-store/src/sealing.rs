// SPDX-License-Identifier: EUPL-1.2
//! Settings, profiles and names as sealed JSON under the settings key of their tenant.

use belofte_model::{Column, KeyId, TenantId};
use belofte_vault::{Random, SealContext};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::{Store, StoreError, TenantKeys};

/// Seals `value` for a row of the tenant of `keys` under its settings key.
pub(crate) fn seal_json<T: Serialize>(
    keys: &TenantKeys,
    random: &Random,
    column: Column,
    row: Uuid,
    value: &T,
) -> Result<Vec<u8>, StoreError> {
    let json = serde_json::to_vec(value)
        .map_err(|_| StoreError::Inconsistent { what: "a value to seal has no JSON form" })?;
    Ok(keys.settings.seal(random, &SealContext { tenant: keys.tenant, column, row }, &json))
}

impl Store {
    /// Opens sealed JSON with the key that its row names.
    pub(crate) async fn open_json<T: DeserializeOwned>(
        &self,
        tenant: TenantId,
        column: Column,
        row: Uuid,
        key: KeyId,
        sealed: &[u8],
    ) -> Result<T, StoreError> {
        let json = self.key(tenant, key).await?.open(&SealContext { tenant, column, row }, sealed)?;
        serde_json::from_slice(&json)
            .map_err(|_| StoreError::Inconsistent { what: "a sealed value has another shape than its code" })
    }
}
