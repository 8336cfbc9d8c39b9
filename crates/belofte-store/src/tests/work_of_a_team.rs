// SPDX-License-Identifier: EUPL-1.2
//! Rows of the tables of `visible.rs` for tags, saved views, macros, changes of many cases and merges.

/// Functions that show nothing of a case, and why they need not look at what is visible.
pub(super) const OTHERS: &[(&str, &str)] = &[
    ("change_macro", "changes; a macro that the one who asks has: macros.rs"),
    ("change_saved_view", "changes; a view that the one who asks has"),
    ("change_tag", "changes; settings of the tenant"),
    ("conversation_by_number", "looked up as any case: merges.rs"),
    ("conversation_in_force", "the address of a case that is seen: merges.rs"),
    ("create_macro", "changes; a macro of the one who asks: macros.rs"),
    ("create_saved_view", "changes; a view of the one who asks"),
    ("create_tag", "changes; settings of the tenant"),
    ("linked_conversations", "looked up as any case, beside one that is seen: merges.rs"),
    ("macro_with_texts", "words and ids of one that the one who asks has: macros.rs"),
    ("macros", "names and ids; what a macro does is done as any change"),
    ("merge_conversations", "changes; of cases that are seen: merges.rs"),
    ("merge_tag", "changes; settings of the tenant: whoever sees a case sees it under the other tag"),
    ("merged_conversations", "cases that were seen before they became part of one that is: merges.rs"),
    ("remove_macro", "changes; a macro that the one who asks has: macros.rs"),
    ("remove_saved_view", "changes; a view that the one who asks has"),
    ("saved_views", "names and filters; what a view shows is looked up as any list"),
    ("split_conversation", "changes; messages that are seen: merges.rs"),
    ("tags", "settings of the tenant: what a case can be called is known to all who can tag one"),
    ("unmerge_conversations", "changes; of cases that are seen: merges.rs"),
    ("unsplit_conversation", "changes; of cases that are seen: merges.rs"),
    ("add_push_device", "changes; a device of the one who asks"),
    ("allow_push", "changes; settings of the tenant"),
    ("note_push", "changes; what came of telling a device, which has no content"),
    ("push_devices", "the devices of the one who asks"),
    ("push_setting", "settings of the tenant"),
    ("push_target", "where a device is told; of a user their own alone"),
    ("remove_push_device", "changes; a device of the one who asks"),
];
