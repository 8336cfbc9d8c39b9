// SPDX-License-Identifier: EUPL-1.2
//! Names: folders made and removed, files named, renamed and unlinked.

use libc::{AT_FDCWD, c_char, c_int, c_uint, mode_t};

use crate::diary::{Kind, diary, int};

/// Carries out `call` and writes it down as `kind` when it succeeded on something in the folder.
///
/// # Safety
/// `path` is null or a string of C.
unsafe fn one(
    kind: Kind,
    number: u64,
    at: c_int,
    path: *const c_char,
    call: impl FnOnce() -> libc::c_long,
) -> c_int {
    // SAFETY: as the caller promises.
    let watched = diary().and_then(|diary| Some((diary, unsafe { diary.within(at, path) }?)));
    let Some((diary, path)) = watched else { return int(call()) };
    let _order = diary.order();
    let result = int(call());
    if result == 0 {
        diary.note(kind, [0, number], &[&path]);
    }
    result
}

/// As [`one`], for what has two paths.
///
/// # Safety
/// Both paths are null or strings of C.
unsafe fn two(
    kind: Kind,
    from: (c_int, *const c_char),
    to: (c_int, *const c_char),
    call: impl FnOnce() -> libc::c_long,
) -> c_int {
    let Some(diary) = diary() else { return int(call()) };
    // SAFETY: as the caller promises.
    let paths = unsafe { (diary.within(from.0, from.1), diary.within(to.0, to.1)) };
    let _order = diary.order();
    let result = int(call());
    if result == 0 {
        match paths {
            (Some(from), Some(to)) => diary.note(kind, [0, 0], &[&from, &[0], &to]),
            (None, None) => {}
            _ => diary.note(Kind::Unfollowed, [0, 0], &[b"a name came from or went to another folder"]),
        }
    }
    result
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkdir(path: *const c_char, mode: mode_t) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { mkdirat(AT_FDCWD, path, mode) }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkdirat(at: c_int, path: *const c_char, mode: mode_t) -> c_int {
    let call = || unsafe { libc::syscall(libc::SYS_mkdirat, at, path, mode) };
    // SAFETY: as the caller promises.
    unsafe { one(Kind::Mkdir, u64::from(mode), at, path, call) }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rmdir(path: *const c_char) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { unlinkat(AT_FDCWD, path, libc::AT_REMOVEDIR) }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unlink(path: *const c_char) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { unlinkat(AT_FDCWD, path, 0) }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unlinkat(at: c_int, path: *const c_char, flags: c_int) -> c_int {
    let kind = if flags & libc::AT_REMOVEDIR == 0 { Kind::Unlink } else { Kind::Rmdir };
    let call = || unsafe { libc::syscall(libc::SYS_unlinkat, at, path, flags) };
    // SAFETY: as the caller promises.
    unsafe { one(kind, 0, at, path, call) }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { renameat2(AT_FDCWD, from, AT_FDCWD, to, 0) }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn renameat(
    from_at: c_int,
    from: *const c_char,
    to_at: c_int,
    to: *const c_char,
) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { renameat2(from_at, from, to_at, to, 0) }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn renameat2(
    from_at: c_int,
    from: *const c_char,
    to_at: c_int,
    to: *const c_char,
    flags: c_uint,
) -> c_int {
    let call = || unsafe { libc::syscall(libc::SYS_renameat2, from_at, from, to_at, to, flags) };
    let kind = if flags & libc::RENAME_EXCHANGE == 0 { Kind::Rename } else { Kind::Unfollowed };
    // SAFETY: as the caller promises.
    unsafe { two(kind, (from_at, from), (to_at, to), call) }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn link(from: *const c_char, to: *const c_char) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { linkat(AT_FDCWD, from, AT_FDCWD, to, 0) }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linkat(
    from_at: c_int,
    from: *const c_char,
    to_at: c_int,
    to: *const c_char,
    flags: c_int,
) -> c_int {
    let call = || unsafe { libc::syscall(libc::SYS_linkat, from_at, from, to_at, to, flags) };
    // SAFETY: as the caller promises.
    unsafe { two(Kind::Link, (from_at, from), (to_at, to), call) }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn symlink(target: *const c_char, path: *const c_char) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { symlinkat(target, AT_FDCWD, path) }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn symlinkat(target: *const c_char, at: c_int, path: *const c_char) -> c_int {
    let call = || unsafe { libc::syscall(libc::SYS_symlinkat, target, at, path) };
    // SAFETY: as the caller promises.
    unsafe { one(Kind::Unfollowed, 0, at, path, call) }
}
