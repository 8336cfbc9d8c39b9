// SPDX-License-Identifier: EUPL-1.2
//! A disk that forgets: from the diary of crates/belofte-powercut, what a data folder would hold after
//! a power cut.
//!
//! Certain is only what POSIX promises: the content of a file as it was when its last `fsync` began,
//! and the entries of a folder as they were when *its* last `fsync` began (that ext4 writes the entry of a
//! new file with the file is a courtesy of ext4). Of everything after that each sector of a file has
//! any one of the contents that it had since, the length is any one of its lengths since, and each entry
//! came to the disk or did not; a rename is one step.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Chance that can be repeated (xorshift).
#[derive(Clone)]
pub struct Chance(u64);

impl Chance {
    /// A stream that `seed` decides.
    pub fn new(seed: u64) -> Self {
        let mut chance = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            chance.next();
        }
        chance
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `limit`, which is not zero.
    pub fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 11) % limit
    }
}

/// One record of a diary.
struct Record<'a> {
    kind: u8,
    /// Where it begins in the diary.
    at: u64,
    numbers: [u64; 2],
    octets: &'a [u8],
}

/// The records of `diary`; half a record at its end, which a kill may leave, is none.
fn records(diary: &[u8], from: u64) -> impl Iterator<Item = Record<'_>> {
    let mut at = usize::try_from(from).expect("it is in memory");
    std::iter::from_fn(move || {
        let head = diary.get(at..at + 21)?;
        let length = u32::from_le_bytes(head[..4].try_into().expect("four octets")) as usize;
        let whole = diary.get(at..at + length)?;
        let number =
            |from: usize| u64::from_le_bytes(whole[from..from + 8].try_into().expect("eight octets"));
        let record =
            Record { kind: whole[4], at: at as u64, numbers: [number(5), number(13)], octets: &whole[21..] };
        at += length;
        Some(record)
    })
}

/// Where each record of `diary` ends: the moments at which the power can fail.
pub fn moments(diary: &[u8]) -> Vec<u64> {
    records(diary, 0).map(|record| record.at + 21 + record.octets.len() as u64).collect()
}

/// What is kept of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing.
    All,
    /// Everything, as when only the process dies.
    Nothing,
    /// Each piece by chance.
    Some,
}

/// Syncs that a disk ignores, by the path of the file or folder below the data folder (empty for the data folder
/// itself): to see that the test notices when the product forgets them.
pub type Deaf = fn(path: &str) -> bool;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Node {
    File(usize),
    Folder(usize),
}

enum Change {
    Set(String, Node),
    Remove(String),
    Rename(String, String, Node),
}

#[derive(Default)]
struct Folder {
    durable: BTreeMap<String, Node>,
    live: BTreeMap<String, Node>,
    pending: Vec<(u64, Change)>,
}

enum Edit {
    Write(u64, Vec<u8>),
    Length(u64),
}

#[derive(Default)]
struct File {
    mode: u32,
    durable: Vec<u8>,
    pending: Vec<(u64, Edit)>,
}

/// The disk, up to some moment of the diary.
pub struct Disk {
    /// The folder that holds the data folder, and the name of the data folder in it.
    above: PathBuf,
    data: PathBuf,
    deaf: Deaf,
    files: Vec<File>,
    inodes: HashMap<u64, (usize, String)>,
    /// The first one is the folder that holds the data folder.
    folders: Vec<Folder>,
    now: u64,
}

impl Disk {
    /// A disk on which `data`, an absolute path, is not there yet.
    pub fn new(data: &Path, deaf: Deaf) -> Self {
        let above = data.parent().expect("it lies somewhere").to_owned();
        Self {
            above,
            data: data.to_owned(),
            deaf,
            files: Vec::new(),
            inodes: HashMap::new(),
            folders: vec![Folder::default()],
            now: 0,
        }
    }

    /// Takes the diary up to the octet `until`, which is not before the last one.
    ///
    /// # Panics
    /// When the diary tells of something that cannot be followed.
    pub fn advance(&mut self, diary: &[u8], until: u64) {
        for record in records(diary, self.now) {
            let end = record.at + 21 + record.octets.len() as u64;
            if end > until {
                break;
            }
            self.now = end;
            self.take(&record);
        }
    }

    fn take(&mut self, record: &Record<'_>) {
        let (at, [first, second]) = (record.at, record.numbers);
        let text = String::from_utf8_lossy(record.octets).into_owned();
        match record.kind {
            1 => {
                let mode = u32::try_from(second).expect("a mode");
                self.files.push(File { mode, ..File::default() });
                let file = self.files.len() - 1;
                self.inodes.insert(first, (file, self.below(&text)));
                self.change(at, &text, |name| Change::Set(name, Node::File(file)));
            }
            2 => {
                self.folders.push(Folder::default());
                let folder = self.folders.len() - 1;
                self.change(at, &text, |name| Change::Set(name, Node::Folder(folder)));
            }
            3 => self.edit(first, at, Edit::Write(second, record.octets.to_vec())),
            4 => self.edit(first, at, Edit::Length(second)),
            5 => {
                let Some((file, path)) = self.inodes.get(&first) else { return };
                if !(self.deaf)(path) {
                    let File { durable, pending, .. } = &mut self.files[*file];
                    for (_, edit) in pending.extract_if(.., |(made, _)| *made < second) {
                        edit.apply(durable);
                    }
                }
            }
            6 => {
                let path = PathBuf::from(&text);
                if !(path != self.above && (self.deaf)(&self.below(&text)))
                    && let Some(folder) = self.folder(&path)
                {
                    let Folder { durable, pending, .. } = &mut self.folders[folder];
                    for (_, change) in pending.extract_if(.., |(made, _)| *made < second) {
                        change.apply(durable);
                    }
                }
            }
            7 => {
                let (from, to) = text.split_once('\0').expect("two paths");
                let (from, to) = (Path::new(from), Path::new(to));
                assert_eq!(from.parent(), to.parent(), "a rename between folders is not followed");
                let node = self.node(from).expect("what is renamed is there");
                assert!(matches!(node, Node::File(_)), "a rename of a folder is not followed");
                let old = name_of(from);
                self.change(at, &to.display().to_string(), |new| Change::Rename(old, new, node));
            }
            8 => {
                let (from, to) = text.split_once('\0').expect("two paths");
                let node = self.node(Path::new(from)).expect("what is linked is there");
                self.change(at, to, |name| Change::Set(name, node));
            }
            9 | 10 => {
                if self.node(Path::new(&text)).is_some() {
                    self.change(at, &text, Change::Remove);
                }
            }
            _ => panic!("the diary cannot follow: {text}"),
        }
    }

    fn below(&self, path: &str) -> String {
        Path::new(path).strip_prefix(&self.data).map_or_else(|_| path.to_owned(), |p| p.display().to_string())
    }

    fn edit(&mut self, inode: u64, at: u64, edit: Edit) {
        let (file, _) = self.inodes.get(&inode).expect("a file is made before it is written");
        self.files[*file].pending.push((at, edit));
    }

    fn change(&mut self, at: u64, path: &str, make: impl FnOnce(String) -> Change) {
        let path = Path::new(path);
        let folder = path.parent().and_then(|parent| self.folder(parent)).expect("it lies in a folder");
        let change = make(name_of(path));
        let folder = &mut self.folders[folder];
        change.apply(&mut folder.live);
        folder.pending.push((at, change));
    }

    fn node(&self, path: &Path) -> Option<Node> {
        let folder = self.folder(path.parent()?)?;
        self.folders[folder].live.get(&name_of(path)).copied()
    }

    fn folder(&self, path: &Path) -> Option<usize> {
        let below = path.strip_prefix(&self.above).ok()?;
        below.components().try_fold(0, |folder, part| {
            match self.folders[folder].live.get(part.as_os_str().to_str()?)? {
                Node::Folder(next) => Some(*next),
                Node::File(_) => None,
            }
        })
    }

    /// Writes into `to`, which is there and empty, what the folder above the data folder holds when
    /// the power fails now.
    pub fn cut(&self, to: &Path, loss: Loss, mut chance: Chance) {
        let sector = if chance.below(2) == 0 { 512 } else { 4_096 };
        // How much of what was not synced came to the disk anyway, out of eight.
        let kept = [1, 4, 7][usize::try_from(chance.below(3)).expect("small")];
        let mut moment = Moment { disk: self, loss, chance, sector, kept };
        moment.folder(0, to);
    }
}

/// The files of `folder` with their content, by their path in it; what lies in shared memory is left out.
pub fn files_of(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Path, root: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(root).expect("within").display().to_string();
            if path.is_dir() {
                found.insert(format!("{name}/"), Vec::new());
                walk(&path, root, found);
            } else if !name.ends_with("-shm") {
                found.insert(name, fs::read(&path).expect("a file"));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

fn name_of(path: &Path) -> String {
    path.file_name().expect("a name").to_str().expect("our names are text").to_owned()
}

impl Change {
    fn apply(&self, entries: &mut BTreeMap<String, Node>) {
        match self {
            Self::Set(name, node) => {
                entries.insert(name.clone(), *node);
            }
            Self::Remove(name) => {
                entries.remove(name);
            }
            Self::Rename(from, to, node) => {
                // Of two names of the same file that are renamed to each other nothing changes (POSIX).
                if entries.get(from) == Some(node) {
                    entries.remove(from);
                }
                entries.insert(to.clone(), *node);
            }
        }
    }
}

impl Edit {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write(at, octets) => {
                let from = usize::try_from(*at).expect("it is in memory");
                if content.len() < from + octets.len() {
                    content.resize(from + octets.len(), 0);
                }
                content[from..from + octets.len()].copy_from_slice(octets);
            }
            Self::Length(length) => content.resize(usize::try_from(*length).expect("it is in memory"), 0),
        }
    }

    /// The sectors of `content` that it is about to change.
    fn touches(&self, content: &[u8], sector: usize) -> std::ops::Range<usize> {
        let (from, to) = match self {
            Self::Write(at, octets) => {
                let from = usize::try_from(*at).expect("it is in memory");
                (from, from + octets.len())
            }
            Self::Length(length) => {
                let length = usize::try_from(*length).expect("it is in memory");
                (length.min(content.len()), content.len())
            }
        };
        from / sector..to.div_ceil(sector)
    }
}

/// The moment of a cut.
struct Moment<'a> {
    disk: &'a Disk,
    loss: Loss,
    chance: Chance,
    sector: usize,
    kept: u64,
}

impl Moment<'_> {
    fn comes(&mut self) -> bool {
        match self.loss {
            Loss::All => false,
            Loss::Nothing => true,
            Loss::Some => self.chance.below(8) < self.kept,
        }
    }

    fn folder(&mut self, folder: usize, to: &Path) {
        let Folder { durable, pending, .. } = &self.disk.folders[folder];
        let mut entries = durable.clone();
        // Of a file system with a journal what came is a beginning; of one without, any part.
        let journal = self.chance.below(2) == 0;
        for (_, change) in pending {
            if self.comes() {
                change.apply(&mut entries);
            } else if journal {
                break;
            }
        }
        for (name, node) in entries {
            let path = to.join(name);
            match node {
                Node::Folder(next) => {
                    fs::create_dir(&path).expect("our own folder");
                    self.folder(next, &path);
                }
                Node::File(file) => {
                    let content = self.content(&self.disk.files[file]);
                    fs::write(&path, content).expect("our own folder");
                    let mode = fs::Permissions::from_mode(self.disk.files[file].mode);
                    fs::set_permissions(&path, mode).expect("our own file");
                }
            }
        }
    }

    fn content(&mut self, file: &File) -> Vec<u8> {
        let mut now = file.durable.clone();
        let mut lengths = vec![now.len()];
        // Of each sector that was touched since the last sync: what it held, in order.
        let mut versions: BTreeMap<usize, Vec<Vec<u8>>> = BTreeMap::new();
        let of = |content: &[u8], sector: usize, size: usize| {
            let mut octets: Vec<u8> = content.iter().skip(sector * size).take(size).copied().collect();
            octets.resize(size, 0);
            octets
        };
        for (_, edit) in &file.pending {
            let touched = edit.touches(&now, self.sector);
            for sector in touched.clone() {
                versions.entry(sector).or_insert_with(|| vec![of(&now, sector, self.sector)]);
            }
            edit.apply(&mut now);
            for sector in touched {
                let content = of(&now, sector, self.sector);
                versions.get_mut(&sector).expect("it was put there").push(content);
            }
            lengths.push(now.len());
        }
        let length = self.pick(&lengths);
        let mut content = file.durable.clone();
        content.resize(length.max(now.len()), 0);
        for (sector, versions) in &versions {
            let octets = self.pick(versions);
            let from = sector * self.sector;
            if from < content.len() {
                let to = content.len().min(from + self.sector);
                content[from..to].copy_from_slice(&octets[..to - from]);
            }
        }
        content.truncate(length);
        content
    }

    /// The first when everything is lost, the last when nothing is, and any by chance.
    fn pick<T: Clone>(&mut self, versions: &[T]) -> T {
        let last = versions.len() - 1;
        let which = if self.comes() {
            last
        } else if self.loss == Loss::All {
            0
        } else {
            usize::try_from(self.chance.below(last as u64 + 1)).expect("small")
        };
        versions[which].clone()
    }
}
