// SPDX-License-Identifier: EUPL-1.2
//! Small helpers for reading requests.

use serde::{Deserialize, Deserializer};

/// Tells a field that is null (`Some(None)`) from one that is left out (`None`, by
/// `#[serde(default)]`): null ends something, left out leaves it.
///
/// # Errors
/// Those of reading `T`.
pub fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}
