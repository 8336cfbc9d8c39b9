// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about authorisations.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where to go.
#[derive(Serialize, ToSchema)]
pub struct BegunAuthorisation {
    /// The address at the provider, for the browser of who asked.
    pub authorization_url: String,
    /// Where the provider sends them back to; it has to stand on the provider's list.
    pub redirect_uri: String,
}

/// What somebody came back with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteAuthorisation {
    /// What they were sent with.
    #[schema(min_length = 1, max_length = 200)]
    pub state: String,
    /// The provider's code.
    #[schema(min_length = 1, max_length = 4096)]
    pub code: String,
}
