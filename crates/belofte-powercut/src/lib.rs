// SPDX-License-Identifier: EUPL-1.2
//! Keeps a diary of what a program does to the files of one folder, so that a test can say what a
//! disk would hold of them after a power cut. Preloaded (`LD_PRELOAD`) into the program as it is;
//! no release holds it and no crate links it.
//!
//! `BELOFTE_POWERCUT_FOLDER` names the folder by its real, absolute path, `BELOFTE_POWERCUT_DIARY` the
//! diary. Several programs may keep one diary, one after the other or at once. Each
//! change is carried out and written down under one lock, so the order of the diary is the order of the
//! changes. A sync really happens, outside the lock, and is written down when it has returned, with the
//! length of the diary when it began: what was changed since then is not covered by it.
//!
//! What this crate does *not* know: Belofte, SQLite, and what becomes of a change that was not
//! synced; the test that reads the diary decides that. Files in shared memory (`-shm`) are none of
//! its business: they need not outlive the program. What it cannot follow (a mapping that is written
//! through, a rename of a folder) it writes down as such, and the test fails.

#![allow(unsafe_code, reason = "standing in for functions of C is done in no other way")]

mod diary;
mod files;
mod folders;
