//! What was given on the command line, expanded to single inputs: captures, what is none, and what cannot be read.
//!
//! Captures are recognised by their first bytes, not by their names. The list is the run's list of inputs: the index
//! of an input is its [`SourceId`].

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use quaywatch_model::SourceId;
use sha2::{Digest, Sha256};

use super::mapping::Mapping;
use super::{source, walk};
use crate::packet::CaptureError;

/// Bytes hashed at a time.
const HASH_STEP: usize = 256 << 10;
/// The same for a mapped file: large enough that giving pages back is rare.
const MAPPED_STEP: usize = 4 << 20;

/// Threads that hash; more would only wait for the disk.
const HASH_THREADS: usize = 8;

/// What an input is, judged by its first bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// A capture, to be read.
    Capture,
    /// Standard input or a pipe, to be read; what it holds shows then.
    Stream,
    /// The same bytes as another capture of the run, not to be read again.
    Duplicate {
        /// The first input with these bytes.
        of: SourceId,
    },
    /// No capture; the error says what it starts with. It may be a document.
    Other(CaptureError),
    /// It cannot be read at all.
    Unreadable(CaptureError),
}

/// One input of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Input {
    /// Its index in the run's list.
    pub id: SourceId,
    /// Relative to the folder given, with `/` between the parts; the file name of a named file; unique in the run.
    pub name: String,
    /// Where it is; `-` for standard input.
    pub path: PathBuf,
    /// Its size in bytes as it lies on disk; 0 for a stream.
    pub bytes: u64,
    /// Whether the user named it, rather than a folder it is in.
    pub named: bool,
    /// SHA-256 of a capture file as it lies on disk, if another input has its size; the others' is in the
    /// [`SourceReport`](super::SourceReport) once they are read.
    pub sha256: Option<[u8; 32]>,
    /// What it is.
    pub content: Content,
}

/// All inputs of a run.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Inputs {
    /// In the order given, the files of a folder sorted by relative path.
    pub list: Vec<Input>,
    /// What was passed over inside the folders given: its relative path, and why.
    pub skipped: Vec<(String, &'static str)>,
}

impl Inputs {
    /// The inputs that are read as captures.
    pub fn captures(&self) -> impl Iterator<Item = &Input> {
        self.list.iter().filter(|input| matches!(input.content, Content::Capture | Content::Stream))
    }
}

/// Expands files and folders to inputs, recognises the captures among them, and finds those that are there twice.
///
/// It never fails as a whole: what cannot be read is in the list with the reason. `-` stands for standard input; a
/// named pipe is read as a stream, too.
#[must_use]
pub fn expand(paths: &[PathBuf]) -> Inputs {
    let mut inputs = Inputs::default();
    let mut names = Names::default();
    for path in paths {
        let is_stdin = path.as_os_str() == "-";
        if !is_stdin && path.is_dir() {
            let found = walk::walk(path);
            for (name, file) in found.files {
                push(&mut inputs.list, names.unique(name, Some(path)), file, false);
            }
            inputs.skipped.extend(found.skipped);
        } else {
            let name = path.file_name().map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy());
            push(&mut inputs.list, names.unique(name.into_owned(), None), path.clone(), true);
        }
    }
    hash_captures(&mut inputs.list);
    mark_duplicates(&mut inputs.list);
    inputs
}

/// Names given out, and how often each was asked for.
#[derive(Default)]
struct Names(HashMap<String, u32>);

impl Names {
    /// `name`, or if it is taken, with the folder's own name in front, or else with a number behind.
    fn unique(&mut self, name: String, folder: Option<&Path>) -> String {
        let folder = folder.and_then(Path::file_name).map(|folder| folder.to_string_lossy());
        let name = match folder {
            Some(folder) if self.0.contains_key(&name) => format!("{folder}/{name}"),
            _ => name,
        };
        let asked = self.0.entry(name.clone()).or_default();
        *asked += 1;
        match *asked {
            1 => name,
            count => {
                let numbered = format!("{name} ({count})");
                self.unique(numbered, None)
            }
        }
    }
}

fn push(list: &mut Vec<Input>, name: String, path: PathBuf, named: bool) {
    let (content, bytes) = look_at(&path);
    let id = SourceId(u32::try_from(list.len()).unwrap_or(u32::MAX));
    list.push(Input { id, name, path, bytes, named, sha256: None, content });
}

/// What lies at `path`, and how many bytes it has.
fn look_at(path: &Path) -> (Content, u64) {
    if path.as_os_str() == "-" {
        return (Content::Stream, 0);
    }
    match fs::metadata(path) {
        Err(error) => (Content::Unreadable(source::unreadable(&error)), 0),
        Ok(metadata) if metadata.is_file() => {
            let content = match source::check(path) {
                Ok(()) => Content::Capture,
                Err(source::Refusal::NoCapture(error)) => Content::Other(error),
                Err(source::Refusal::Unreadable(error)) => Content::Unreadable(error),
            };
            (content, metadata.len())
        }
        Ok(_) => (Content::Stream, 0),
    }
}

/// SHA-256 of the file at `path`.
///
/// # Errors
/// When it cannot be read.
pub fn sha256_of(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    if let Ok(mut mapping) = Mapping::of(&file) {
        let mut from = 0;
        while let Some(step) =
            mapping.get(from..(from + MAPPED_STEP).min(mapping.len())).filter(|step| !step.is_empty())
        {
            hash.update(step);
            from += step.len();
            mapping.release_before(from);
        }
        return Ok(hash.finalize().into());
    }
    let mut buffer = vec![0; HASH_STEP];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(count) => hash.update(buffer.get(..count).unwrap_or(&[])),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Hashes captures that have the size of another, several at a time: only they can be duplicates. The others are hashed while
/// they are read.
fn hash_captures(list: &mut [Input]) {
    let mut sizes: HashMap<u64, u32> = HashMap::new();
    for input in list.iter().filter(|input| input.content == Content::Capture) {
        *sizes.entry(input.bytes).or_default() += 1;
    }
    let twin =
        |input: &&mut Input| input.content == Content::Capture && sizes.get(&input.bytes).is_some_and(|n| *n > 1);
    let wanted: Vec<&mut Input> = list.iter_mut().filter(twin).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(HASH_THREADS).min(wanted.len());
    let next = AtomicUsize::new(0);
    let paths: Vec<&Path> = wanted.iter().map(|input| input.path.as_path()).collect();
    let work = || {
        let mut done = Vec::new();
        while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push((*path, sha256_of(path)));
        }
        done
    };
    let mut hashes = HashMap::new();
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for handle in handles {
            // A panic in there would be a bug; the files it took stay without a hash.
            hashes.extend(handle.join().unwrap_or_default().into_iter().map(|(path, hash)| (path.to_owned(), hash)));
        }
    });
    for input in wanted {
        match hashes.get(&input.path) {
            Some(Ok(hash)) => input.sha256 = Some(*hash),
            Some(Err(error)) => input.content = Content::Unreadable(source::unreadable(error)),
            None => {}
        }
    }
}

fn mark_duplicates(list: &mut [Input]) {
    let mut first = HashMap::new();
    for input in list {
        let Some(hash) = input.sha256 else { continue };
        let of = *first.entry(hash).or_insert(input.id);
        if of != input.id {
            input.content = Content::Duplicate { of };
        }
    }
}
