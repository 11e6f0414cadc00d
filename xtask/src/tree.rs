//! The files of the repository, read once: those that are tracked, and new ones that nothing ignores.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::process::Command;

/// Longest file whose text is looked at, bytes.
const MAX_TEXT: u64 = 4 << 20;

/// Path, with `/`, to text; `None` for what is no text.
pub(crate) struct Tree {
    files: BTreeMap<String, Option<String>>,
}

impl Tree {
    /// Reads the repository at `root`.
    pub(crate) fn read(root: &Path) -> Result<Tree, String> {
        let output = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .map_err(|bad| format!("git cannot be run: {bad}; install it"))?;
        if !output.status.success() {
            return Err(format!("git ls-files failed: {}", String::from_utf8_lossy(&output.stderr).trim()));
        }
        let listed = String::from_utf8(output.stdout).map_err(|_| "a file name is not UTF-8".to_owned())?;
        let files = listed.split('\0').filter(|path| !path.is_empty());
        let files = files.filter(|path| root.join(path).is_file());
        Ok(Tree { files: files.map(|path| (path.to_owned(), text(&root.join(path)))).collect() })
    }

    /// A tree made by hand, for tests.
    #[cfg(test)]
    pub(crate) fn made(files: &[(&str, &str)]) -> Tree {
        Tree { files: files.iter().map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned()))).collect() }
    }

    /// Number of files.
    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    /// All paths, sorted.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// All text files with path, sorted.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// Text files whose path starts and ends so.
    pub(crate) fn select(&self, start: &str, end: &str) -> impl Iterator<Item = (&str, &str)> {
        self.texts().filter(move |(path, _)| path.starts_with(start) && path.ends_with(end))
    }

    /// The text of one file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// Whether there is a file or folder of this path.
    pub(crate) fn holds(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.files.contains_key(path) || self.paths().any(|file| in_folder(file, path))
    }
}

fn in_folder(file: &str, folder: &str) -> bool {
    folder.is_empty() || file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn text(path: &Path) -> Option<String> {
    if std::fs::metadata(path).ok()?.len() > MAX_TEXT {
        return None;
    }
    std::fs::read_to_string(path).ok().filter(|text| !text.contains('\0'))
}

/// The last part of a path without its ending.
pub(crate) fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Something that is not as the house has it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Problem {
    file: String,
    /// From 1; 0 for the file as a whole.
    line: usize,
    message: String,
}

impl Problem {
    /// About a file as a whole.
    pub(crate) fn file(file: &str, message: impl Into<String>) -> Problem {
        Problem { file: file.to_owned(), line: 0, message: message.into() }
    }

    /// About line `index`, counted from 0.
    pub(crate) fn line(file: &str, index: usize, message: impl Into<String>) -> Problem {
        Problem { file: file.to_owned(), line: index + 1, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            line => write!(f, "{}:{line}: {}", self.file, self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_held_by_their_files() {
        let tree = Tree::made(&[("docs/decisions/0001-a.md", ""), ("README.md", "")]);
        assert!(tree.holds("docs") && tree.holds("docs/decisions/") && tree.holds("README.md"));
        assert!(!tree.holds("doc") && !tree.holds("docs/decisions/0002"));
    }

    #[test]
    fn a_repository_is_read_without_what_it_ignores() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert!(Command::new("git").args(["init", "-q"]).current_dir(root).status().unwrap().success());
        std::fs::write(root.join(".gitignore"), "junk\n").unwrap();
        std::fs::write(root.join("junk"), "x").unwrap();
        std::fs::write(root.join("a.rs"), "fn a() {}").unwrap();
        std::fs::write(root.join("b.bin"), b"\x00\x01").unwrap();
        let tree = Tree::read(root).unwrap();
        assert_eq!(tree.paths().collect::<Vec<_>>(), [".gitignore", "a.rs", "b.bin"]);
        assert_eq!((tree.text("a.rs"), tree.text("b.bin")), (Some("fn a() {}"), None));
    }
}
