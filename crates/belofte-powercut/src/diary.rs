// SPDX-License-Identifier: EUPL-1.2
//! The diary: records one after the other, each in one write at its end.
//!
//! A record is its length in octets (`u32`, itself included), its kind (`u8`), two numbers (`u64` each) and
//! octets whose meaning the kind decides, all in little-endian order.

use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use libc::{c_int, c_long};

/// What happened.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum Kind {
    /// A file was made: its inode, its mode, its path.
    Create = 1,
    /// A folder was made: nothing, its mode, its path.
    Mkdir = 2,
    /// Octets were written: inode, offset, the octets.
    Write = 3,
    /// A file got another length: inode, length.
    Length = 4,
    /// A file was synced: inode, length of the diary when it began.
    SyncFile = 5,
    /// The entries of a folder were synced: nothing, length of the diary when it began, path.
    SyncFolder = 6,
    /// A file got another name: two paths, a zero between them.
    Rename = 7,
    /// A file got one more name: two paths, a zero between them.
    Link = 8,
    /// A name of a file went: its path.
    Unlink = 9,
    /// A folder went: its path.
    Rmdir = 10,
    /// Something that cannot be followed: words.
    Unfollowed = 11,
}

/// The lock under which changes are made and written down. `None` when no diary is kept.
static DIARY: OnceLock<Option<Diary>> = OnceLock::new();

pub(crate) struct Diary {
    /// The folder, without a slash at its end.
    folder: Vec<u8>,
    file: c_int,
    order: Mutex<()>,
}

/// What the diary of this process is, if it keeps one.
pub(crate) fn diary() -> Option<&'static Diary> {
    DIARY.get_or_init(Diary::open).as_ref()
}

impl Diary {
    fn open() -> Option<Self> {
        let folder = std::env::var_os("BELOFTE_POWERCUT_FOLDER")?.as_bytes().to_vec();
        let path = CString::new(std::env::var_os("BELOFTE_POWERCUT_DIARY")?.as_bytes()).ok()?;
        let flags = libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT | libc::O_CLOEXEC;
        // SAFETY: the path is a string of C that lives through the call.
        let file = unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), flags, 0o600) };
        let file = c_int::try_from(file).ok().filter(|file| *file >= 0)?;
        Some(Self { folder, file, order: Mutex::new(()) })
    }

    /// Holds back every other change until it is dropped. Who holds the lock of the diary's file
    /// meanwhile may kill this process: no change is half made then, or made and not written down.
    pub(crate) fn order(&self) -> Order<'_> {
        let turn = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: a call about a number. A signal may end the waiting before the lock is there.
        while unsafe { libc::syscall(libc::SYS_flock, self.file, libc::LOCK_EX) } != 0 {}
        Order { file: self.file, _turn: turn }
    }

    /// The length of the diary.
    pub(crate) fn length(&self) -> u64 {
        status(self.file).map_or(0, |status| status.st_size.unsigned_abs())
    }

    /// Writes a record down.
    pub(crate) fn note(&self, kind: Kind, numbers: [u64; 2], octets: &[&[u8]]) {
        let length = 21 + octets.iter().map(|part| part.len()).sum::<usize>();
        let mut record = Vec::with_capacity(length);
        record.extend_from_slice(&u32::try_from(length).expect("no write is that large").to_le_bytes());
        record.push(kind as u8);
        record.extend_from_slice(&numbers[0].to_le_bytes());
        record.extend_from_slice(&numbers[1].to_le_bytes());
        octets.iter().for_each(|part| record.extend_from_slice(part));
        // SAFETY: the octets live through the call.
        let written = unsafe { libc::syscall(libc::SYS_write, self.file, record.as_ptr(), record.len()) };
        if usize::try_from(written).ok() != Some(record.len()) {
            // Half a diary proves nothing.
            std::process::abort();
        }
    }

    /// The absolute path of what the program calls `path`, when it is the folder or lies in it.
    ///
    /// # Safety
    /// `path` is null or a string of C.
    pub(crate) unsafe fn within(&self, at: c_int, path: *const libc::c_char) -> Option<Vec<u8>> {
        if path.is_null() {
            return None;
        }
        // SAFETY: as the caller promises.
        let named = unsafe { CStr::from_ptr(path) }.to_bytes();
        let mut whole = Vec::new();
        if !named.starts_with(b"/") {
            whole = if at == libc::AT_FDCWD {
                std::env::current_dir().ok()?.as_os_str().as_bytes().to_vec()
            } else {
                path_of(at)?
            };
            whole.push(b'/');
        }
        whole.extend_from_slice(named);
        let whole = plain(&whole);
        self.holds(&whole).then_some(whole)
    }

    /// Whether an absolute path is that of the folder or of something in it.
    pub(crate) fn holds(&self, path: &[u8]) -> bool {
        path.strip_prefix(&*self.folder).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    }

    /// Whether an absolute path is that of the folder that the folder lies in.
    pub(crate) fn is_above(&self, path: &[u8]) -> bool {
        let end = self.folder.iter().rposition(|octet| *octet == b'/').unwrap_or(0);
        &self.folder[..end] == path
    }
}

/// The right to make a change and write it down.
pub(crate) struct Order<'a> {
    file: c_int,
    _turn: MutexGuard<'a, ()>,
}

impl Drop for Order<'_> {
    fn drop(&mut self) {
        // SAFETY: a call about a number. It does not fail, so that `errno` stays what it is.
        unsafe { libc::syscall(libc::SYS_flock, self.file, libc::LOCK_UN) };
    }
}

/// The path without `.`, `..` and doubled slashes.
fn plain(path: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|octet| *octet == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.iter().fold(Vec::new(), |mut path, part| {
        path.push(b'/');
        path.extend_from_slice(part);
        path
    })
}

/// The path behind a descriptor.
pub(crate) fn path_of(fd: c_int) -> Option<Vec<u8>> {
    let link = CString::new(format!("/proc/self/fd/{fd}")).expect("no zero in it");
    let mut buffer = vec![0_u8; 4_096];
    // SAFETY: the buffer is as long as is said, and lives through the call as the path does.
    let length = unsafe {
        libc::syscall(libc::SYS_readlinkat, libc::AT_FDCWD, link.as_ptr(), buffer.as_mut_ptr(), buffer.len())
    };
    buffer.truncate(usize::try_from(length).ok()?);
    Some(OsStr::from_bytes(&buffer).as_bytes().to_vec())
}

/// What the system knows of a descriptor.
pub(crate) fn status(fd: c_int) -> Option<libc::stat> {
    let mut status = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: `fstat` fills the whole structure when it succeeds.
    unsafe { (libc::fstat(fd, status.as_mut_ptr()) == 0).then(|| status.assume_init()) }
}

/// What a call of the system gives as an `int`: it is one, or -1 with `errno` set.
pub(crate) fn int(result: c_long) -> c_int {
    c_int::try_from(result).unwrap_or(-1)
}
