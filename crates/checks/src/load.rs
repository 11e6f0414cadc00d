//! Reads controls, built in or from a user's folder, and says precisely what is wrong with one.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use quaywatch_model::control::{Area, Control};
use quaywatch_model::table::Table;

use crate::registry::CONTROLS;

/// Longest control file that is read, bytes.
pub const MAX_FILE: u64 = 256 * 1024;

/// What is wrong with a control file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ControlError {
    /// The file, as given.
    pub file: String,
    /// Line from 1; 0 if the file as a whole is meant.
    pub line: u64,
    /// Column from 1; 0 if unknown.
    pub column: u64,
    /// What is wrong and what was expected.
    pub message: String,
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (0, _) => write!(f, "{}: {}", self.file, self.message),
            (line, 0) => write!(f, "{}:{line}: {}", self.file, self.message),
            (line, column) => write!(f, "{}:{line}:{column}: {}", self.file, self.message),
        }
    }
}

impl std::error::Error for ControlError {}

/// Parses one control file and checks what a parser cannot.
///
/// # Errors
/// [`ControlError`] with line and column where the text is not a control.
pub fn parse(file: &str, text: &str) -> Result<Control, ControlError> {
    let error = |line: u64, column: u64, message: String| ControlError { file: file.to_owned(), line, column, message };
    let control: Control = serde_saphyr::from_str(text).map_err(|bad| {
        let place = bad.location();
        let (line, column) = place.map_or((0, 0), |place| (place.line(), place.column()));
        error(line, column, first_line(&bad.to_string()))
    })?;
    let line_of = |key: &str| {
        let at = text.lines().position(|line| line.trim_start().starts_with(&format!("{key}:")));
        at.map_or(0, |at| at as u64 + 1)
    };
    check(file, &control).map_err(|(key, message)| error(line_of(key), 0, message))?;
    Ok(control)
}

/// The parser shows the place as a drawing below its message; the place is told in our own way.
fn first_line(message: &str) -> String {
    let line = message.lines().find(|line| !line.trim().is_empty()).unwrap_or(message);
    line.trim().trim_start_matches("error: ").to_owned()
}

const fn prefix(area: Area) -> &'static str {
    match area {
        Area::Segmentation => "seg-",
        Area::Updates => "upd-",
        Area::Scanning => "scan-",
        Area::Monitoring => "mon-",
        Area::Accounts => "acct-",
        Area::Recovery => "rec-",
    }
}

/// What the types cannot say: returns the key at fault and the message.
fn check(file: &str, control: &Control) -> Result<(), (&'static str, String)> {
    let stem = Path::new(file).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if control.id != stem {
        return Err(("id", format!("the id `{}` differs from the file's name `{stem}`", control.id)));
    }
    let wanted = prefix(control.area);
    if !control.id.starts_with(wanted) {
        return Err(("id", format!("the id of a control of area {} starts with `{wanted}`", control.area.name())));
    }
    if !control.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        return Err(("id", "an id has lower-case letters, digits and hyphens only".to_owned()));
    }
    for (key, text) in [
        ("title", &control.title),
        ("question", &control.question),
        ("why", &control.why),
        ("remediation", &control.remediation),
        ("sql", &control.sql),
    ] {
        if text.trim().is_empty() {
            return Err((key, format!("`{key}` is empty")));
        }
    }
    if control.needs.is_empty() {
        return Err(("needs", "without `needs` nothing tells a pass from missing evidence".to_owned()));
    }
    match control.needs.iter().find(|need| Table::find(&need.table).is_none()) {
        Some(need) => Err(("needs", format!("there is no table `{}`{}", need.table, nearest(&need.table)))),
        None => Ok(()),
    }
}

/// A hint at the table whose name shares the longest beginning with `name`.
fn nearest(name: &str) -> String {
    let shared = |other: &str| name.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let best = quaywatch_model::table::TABLES.iter().max_by_key(|table| shared(table.name));
    match best {
        Some(table) if shared(table.name) >= 3 => format!(", did you mean `{}`?", table.name),
        _ => String::new(),
    }
}

/// The controls that ship with the product, by area and id.
///
/// # Errors
/// None of those that ship is at fault; a test holds that.
pub fn builtin() -> Result<Vec<Control>, ControlError> {
    let mut controls = CONTROLS.iter().map(|(path, text)| parse(path, text)).collect::<Result<Vec<_>, _>>()?;
    sort(&mut controls);
    Ok(controls)
}

/// Adds the controls of a user's folder (`*.yaml`, `*.yml`, with subfolders) to `controls`. One with the id of a control at hand takes its place.
///
/// # Errors
/// Every file at fault, with its place; the others are added all the same.
pub fn from_folder(folder: &Path, controls: &mut Vec<Control>) -> Vec<ControlError> {
    let mut errors = Vec::new();
    let mut by_id: BTreeMap<String, Control> =
        controls.drain(..).map(|control| (control.id.clone(), control)).collect();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(bad) => {
                errors.push(whole_file(&folder, format!("cannot be read as a folder: {bad}")));
                continue;
            }
        };
        let mut paths: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") {
                match read(&path) {
                    Ok(control) => drop(by_id.insert(control.id.clone(), control)),
                    Err(bad) => errors.push(bad),
                }
            }
        }
    }
    controls.extend(by_id.into_values());
    sort(controls);
    errors
}

fn whole_file(path: &Path, message: String) -> ControlError {
    ControlError { file: path.display().to_string(), line: 0, column: 0, message }
}

fn read(path: &Path) -> Result<Control, ControlError> {
    let size = fs::metadata(path).map_err(|bad| whole_file(path, format!("cannot be read: {bad}")))?.len();
    if size > MAX_FILE {
        return Err(whole_file(path, format!("{size} bytes is too long for a control; the limit is {MAX_FILE}")));
    }
    let text = fs::read_to_string(path).map_err(|bad| whole_file(path, format!("cannot be read: {bad}")))?;
    parse(&path.display().to_string(), &text)
}

fn sort(controls: &mut [Control]) {
    controls.sort_by(|a, b| (a.area, &a.id).cmp(&(b.area, &b.id)));
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
id: seg-x
title: T
area: segmentation
severity: high
question: Q
why: W
needs:
  - table: flows
    collect: C
frameworks: {}
remediation: R
sql: SELECT 1
";

    #[test]
    fn every_shipped_control_loads_and_covers_all_areas_and_weaknesses() {
        let controls = builtin().unwrap();
        assert!(controls.len() >= 15);
        for area in Area::ALL {
            assert!(controls.iter().any(|control| control.area == *area), "{}", area.name());
        }
        for weakness in quaywatch_model::control::WeaknessKind::ALL {
            assert!(controls.iter().any(|control| control.weakness == Some(*weakness)), "{}", weakness.name());
        }
    }

    #[test]
    fn mistakes_are_told_with_file_line_and_remedy() {
        let told = |text: &str| parse("seg-x.yaml", text).unwrap_err().to_string();
        assert!(parse("seg-x.yaml", GOOD).is_ok());
        let severity = told(&GOOD.replace("high", "grave"));
        assert!(severity.starts_with("seg-x.yaml:4"), "{severity}");
        assert!(severity.contains("grave") && severity.contains("critical"), "{severity}");
        let unknown = told(&GOOD.replace("why: W", "wy: W"));
        assert!(unknown.starts_with("seg-x.yaml:6") && unknown.contains("wy"), "{unknown}");
        let table = told(&GOOD.replace("table: flows", "table: flow"));
        assert!(table.contains("did you mean `flows`"), "{table}");
        let id = told(&GOOD.replace("id: seg-x", "id: seg-y"));
        assert!(id.starts_with("seg-x.yaml:1") && id.contains("seg-y"), "{id}");
        let area = told(&GOOD.replace("area: segmentation", "area: recovery"));
        assert!(area.contains("`rec-`"), "{area}");
        let broken = told("id: [");
        assert!(broken.starts_with("seg-x.yaml:"), "{broken}");
    }

    #[test]
    fn a_folder_adds_and_replaces_and_names_what_it_cannot_read() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("seg-x.yaml"), GOOD).unwrap();
        fs::write(folder.path().join("seg-crane-to-crane.yaml"), GOOD.replace("seg-x", "seg-crane-to-crane")).unwrap();
        fs::write(folder.path().join("bad.yml"), "id: bad").unwrap();
        fs::write(folder.path().join("notes.txt"), "not a control").unwrap();
        let mut controls = builtin().unwrap();
        let before = controls.len();
        let errors = from_folder(folder.path(), &mut controls);
        assert_eq!(controls.len(), before + 1);
        assert_eq!(controls.iter().find(|c| c.id == "seg-crane-to-crane").unwrap().title, "T");
        assert_eq!(errors.len(), 1);
        assert!(errors[0].file.ends_with("bad.yml"));
        let missing = from_folder(&folder.path().join("none"), &mut controls);
        assert!(missing[0].to_string().contains("cannot be read as a folder"));
    }
}
