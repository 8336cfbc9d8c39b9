// SPDX-License-Identifier: EUPL-1.2
//! Rows of the tables of `visible.rs` for tags, saved views and changes of many cases.

/// Functions that show nothing of a case, and why they need not look at what is visible.
pub(super) const OTHERS: &[(&str, &str)] = &[
    ("change_saved_view", "changes; a view that the one who asks has"),
    ("change_tag", "changes; settings of the tenant"),
    ("create_saved_view", "changes; a view of the one who asks"),
    ("create_tag", "changes; settings of the tenant"),
    ("merge_tag", "changes; settings of the tenant: whoever sees a case sees it under the other tag"),
    ("remove_saved_view", "changes; a view that the one who asks has"),
    ("saved_views", "names and filters; what a view shows is looked up as any list"),
    ("tags", "settings of the tenant: what a case can be called is known to all who can tag one"),
];
