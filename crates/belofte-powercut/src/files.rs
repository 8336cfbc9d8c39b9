// SPDX-License-Identifier: EUPL-1.2
//! Content: files opened, written, cut and synced.
//!
//! `open` and `fcntl` take as many arguments as they are given in C. Their last one is a whole number or a
//! pointer here, which arrives in the same register on the machines that Linux with 64 bits knows.

use std::sync::atomic::{AtomicU64, Ordering};

use libc::{AT_FDCWD, c_char, c_int, c_long, c_void, iovec, mode_t, off64_t, size_t, ssize_t};

use crate::diary::{Diary, Kind, diary, int, path_of, status};

/// Descriptors are small numbers; no program here may open as many.
const MOST: usize = 1 << 16;

/// The inode of each open file of the folder; 0 for what is none.
static OPEN: [AtomicU64; MOST] = [const { AtomicU64::new(0) }; MOST];

fn slot(fd: c_int) -> Option<&'static AtomicU64> {
    usize::try_from(fd).ok().and_then(|fd| OPEN.get(fd))
}

/// The diary and the inode when `fd` is an open file of the folder.
fn watched(fd: c_int) -> Option<(&'static Diary, u64)> {
    let inode = slot(fd)?.load(Ordering::Acquire);
    if inode == 0 { None } else { Some((diary()?, inode)) }
}

/// Carries out `call`; what it says was written down is written down.
fn writing(fd: c_int, call: impl FnOnce() -> c_long, note: impl FnOnce(&Diary, u64, usize)) -> ssize_t {
    let Some((diary, inode)) = watched(fd) else { return call() as ssize_t };
    let _order = diary.order();
    let result = call();
    if let Ok(count) = usize::try_from(result) {
        note(diary, inode, count);
    }
    result as ssize_t
}

/// Where the descriptor stands: after a write, behind it.
fn position(fd: c_int) -> u64 {
    // SAFETY: a question about a number.
    let at = unsafe { libc::syscall(libc::SYS_lseek, fd, 0, libc::SEEK_CUR) };
    u64::try_from(at).unwrap_or(0)
}

/// # Safety
/// `octets` has `count` octets.
unsafe fn part<'a>(octets: *const c_void, count: usize) -> &'a [u8] {
    if count == 0 {
        return &[];
    }
    // SAFETY: as the caller promises.
    unsafe { std::slice::from_raw_parts(octets.cast(), count) }
}

/// # Safety
/// `path` is a string of C.
unsafe fn opening(at: c_int, path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    let raw = |flags: c_int| int(unsafe { libc::syscall(libc::SYS_openat, at, path, flags, mode) });
    let flags = flags | libc::O_LARGEFILE;
    // SAFETY: as the caller promises.
    let watched = diary().and_then(|diary| Some((diary, unsafe { diary.within(at, path) }?)));
    let Some((diary, whole)) = watched else { return raw(flags) };
    if whole.ends_with(b"-shm") || flags & (libc::O_DIRECTORY | libc::O_PATH) != 0 {
        return raw(flags);
    }
    let _order = diary.order();
    let (mut fd, mut made) = (-1, false);
    if flags & libc::O_CREAT != 0 {
        fd = raw(flags | libc::O_EXCL);
        made = fd >= 0;
    }
    if fd < 0 && flags & libc::O_EXCL == 0 {
        fd = raw(flags & !libc::O_CREAT);
    }
    if fd < 0 {
        // A question about it would take the place of the reason in `errno`.
        return fd;
    }
    let Some(status) = status(fd).filter(|status| status.st_mode & libc::S_IFMT == libc::S_IFREG) else {
        return fd;
    };
    if made {
        diary.note(Kind::Create, [status.st_ino, u64::from(status.st_mode & 0o7777)], &[&whole]);
    } else if flags & libc::O_TRUNC != 0 {
        diary.note(Kind::Length, [status.st_ino, 0], &[]);
    }
    if flags & (libc::O_DSYNC | libc::O_TMPFILE) & !libc::O_DIRECTORY != 0 {
        diary.note(Kind::Unfollowed, [0, 0], &[b"opened with O_SYNC, O_DSYNC or O_TMPFILE"]);
    }
    match slot(fd) {
        Some(slot) => slot.store(status.st_ino, Ordering::Release),
        None => diary.note(Kind::Unfollowed, [0, 0], &[b"more open files than are followed"]),
    }
    fd
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { opening(AT_FDCWD, path, flags, mode) }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { opening(AT_FDCWD, path, flags, mode) }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn openat(at: c_int, path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { opening(at, path, flags, mode) }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn openat64(at: c_int, path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { opening(at, path, flags, mode) }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn creat(path: *const c_char, mode: mode_t) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { opening(AT_FDCWD, path, libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC, mode) }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn close(fd: c_int) -> c_int {
    if let Some(slot) = slot(fd) {
        slot.store(0, Ordering::Release);
    }
    // SAFETY: as the caller promises.
    int(unsafe { libc::syscall(libc::SYS_close, fd) })
}

fn doubled(from: c_int, to: c_int) -> c_int {
    if let (Some(from), Some(to)) = (slot(from), slot(to)) {
        to.store(from.load(Ordering::Acquire), Ordering::Release);
    }
    to
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dup(fd: c_int) -> c_int {
    // SAFETY: as the caller promises.
    doubled(fd, int(unsafe { libc::syscall(libc::SYS_dup, fd) }))
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dup3(fd: c_int, to: c_int, flags: c_int) -> c_int {
    // SAFETY: as the caller promises.
    doubled(fd, int(unsafe { libc::syscall(libc::SYS_dup3, fd, to, flags) }))
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dup2(fd: c_int, to: c_int) -> c_int {
    if fd == to {
        // SAFETY: a question about a number.
        let there = int(unsafe { libc::syscall(libc::SYS_fcntl, fd, libc::F_GETFD) }) >= 0;
        return if there { to } else { -1 };
    }
    // SAFETY: as the caller promises.
    unsafe { dup3(fd, to, 0) }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fcntl(fd: c_int, command: c_int, argument: *mut c_void) -> c_int {
    // SAFETY: as the caller promises.
    let result = int(unsafe { libc::syscall(libc::SYS_fcntl, fd, command, argument) });
    if command == libc::F_DUPFD || command == libc::F_DUPFD_CLOEXEC { doubled(fd, result) } else { result }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fcntl64(fd: c_int, command: c_int, argument: *mut c_void) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { fcntl(fd, command, argument) }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn write(fd: c_int, octets: *const c_void, count: size_t) -> ssize_t {
    let call = || unsafe { libc::syscall(libc::SYS_write, fd, octets, count) };
    writing(fd, call, |diary, inode, count| {
        let at = position(fd).saturating_sub(count as u64);
        // SAFETY: the system has read as many from there.
        diary.note(Kind::Write, [inode, at], &[unsafe { part(octets, count) }]);
    })
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn writev(fd: c_int, vector: *const iovec, count: c_int) -> ssize_t {
    let call = || unsafe { libc::syscall(libc::SYS_writev, fd, vector, count) };
    writing(fd, call, |diary, inode, mut left| {
        let at = position(fd).saturating_sub(left as u64);
        let mut parts: Vec<&[u8]> = Vec::new();
        for number in 0..usize::try_from(count).unwrap_or(0) {
            // SAFETY: the system has read as many from there.
            let piece = unsafe { &*vector.add(number) };
            let taken = piece.iov_len.min(left);
            // SAFETY: as above.
            parts.push(unsafe { part(piece.iov_base, taken) });
            left -= taken;
        }
        diary.note(Kind::Write, [inode, at], &parts);
    })
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite64(fd: c_int, octets: *const c_void, count: size_t, at: off64_t) -> ssize_t {
    let call = || unsafe { libc::syscall(libc::SYS_pwrite64, fd, octets, count, at) };
    writing(fd, call, |diary, inode, count| {
        // SAFETY: the system has read as many from there.
        diary.note(Kind::Write, [inode, at.unsigned_abs()], &[unsafe { part(octets, count) }]);
    })
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite(fd: c_int, octets: *const c_void, count: size_t, at: off64_t) -> ssize_t {
    // SAFETY: as the caller promises.
    unsafe { pwrite64(fd, octets, count, at) }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftruncate64(fd: c_int, length: off64_t) -> c_int {
    let call = || unsafe { libc::syscall(libc::SYS_ftruncate, fd, length) };
    let note = |diary: &Diary, inode, _| diary.note(Kind::Length, [inode, length.unsigned_abs()], &[]);
    int(writing(fd, call, note) as c_long)
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftruncate(fd: c_int, length: off64_t) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { ftruncate64(fd, length) }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fallocate64(fd: c_int, mode: c_int, at: off64_t, length: off64_t) -> c_int {
    let call = || unsafe { libc::syscall(libc::SYS_fallocate, fd, mode, at, length) };
    let note = |diary: &Diary, inode, _| match (mode, status(fd)) {
        (0, Some(status)) => diary.note(Kind::Length, [inode, status.st_size.unsigned_abs()], &[]),
        (libc::FALLOC_FL_KEEP_SIZE, _) => {}
        _ => diary.note(Kind::Unfollowed, [0, 0], &[b"fallocate"]),
    };
    int(writing(fd, call, note) as c_long)
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fallocate(fd: c_int, mode: c_int, at: off64_t, length: off64_t) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { fallocate64(fd, mode, at, length) }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn copy_file_range(
    from: c_int,
    from_at: *mut off64_t,
    to: c_int,
    to_at: *mut off64_t,
    count: size_t,
    flags: libc::c_uint,
) -> ssize_t {
    if watched(to).is_some() {
        // The caller writes instead, and writes can be followed.
        // SAFETY: every thread has its own.
        unsafe { *libc::__errno_location() = libc::EXDEV };
        return -1;
    }
    // SAFETY: as the caller promises.
    let copied = unsafe { libc::syscall(libc::SYS_copy_file_range, from, from_at, to, to_at, count, flags) };
    copied as ssize_t
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sendfile64(to: c_int, from: c_int, at: *mut off64_t, count: size_t) -> ssize_t {
    if watched(to).is_some() {
        // SAFETY: every thread has its own.
        unsafe { *libc::__errno_location() = libc::EINVAL };
        return -1;
    }
    // SAFETY: as the caller promises.
    let sent = unsafe { libc::syscall(libc::SYS_sendfile, to, from, at, count) };
    sent as ssize_t
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sendfile(to: c_int, from: c_int, at: *mut off64_t, count: size_t) -> ssize_t {
    // SAFETY: as the caller promises.
    unsafe { sendfile64(to, from, at, count) }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mmap64(
    address: *mut c_void,
    length: size_t,
    protection: c_int,
    flags: c_int,
    fd: c_int,
    at: off64_t,
) -> *mut c_void {
    let shared = flags & libc::MAP_SHARED != 0 && protection & libc::PROT_WRITE != 0;
    if shared && let Some((diary, _)) = watched(fd) {
        diary.note(Kind::Unfollowed, [0, 0], &[b"a file is written through a mapping"]);
    }
    // SAFETY: as the caller promises.
    unsafe { libc::syscall(libc::SYS_mmap, address, length, protection, flags, fd, at) as *mut c_void }
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mmap(
    address: *mut c_void,
    length: size_t,
    protection: c_int,
    flags: c_int,
    fd: c_int,
    at: off64_t,
) -> *mut c_void {
    // SAFETY: as the caller promises.
    unsafe { mmap64(address, length, protection, flags, fd, at) }
}

/// Syncs, and writes down what of the folder is durable now.
fn syncing(fd: c_int, number: c_long) -> c_int {
    let Some(diary) = diary() else {
        // SAFETY: a call about a number.
        return int(unsafe { libc::syscall(number, fd) });
    };
    let began = diary.length();
    // SAFETY: as above.
    let result = int(unsafe { libc::syscall(number, fd) });
    if result != 0 {
        return result;
    }
    if let Some((diary, inode)) = watched(fd) {
        let _order = diary.order();
        diary.note(Kind::SyncFile, [inode, began], &[]);
    } else if status(fd).is_some_and(|status| status.st_mode & libc::S_IFMT == libc::S_IFDIR)
        && let Some(path) = path_of(fd).filter(|path| diary.holds(path) || diary.is_above(path))
    {
        let _order = diary.order();
        diary.note(Kind::SyncFolder, [0, began], &[&path]);
    }
    result
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fsync(fd: c_int) -> c_int {
    syncing(fd, libc::SYS_fsync)
}

/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fdatasync(fd: c_int) -> c_int {
    syncing(fd, libc::SYS_fdatasync)
}
