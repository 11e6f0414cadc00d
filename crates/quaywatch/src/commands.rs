//! One file per command.

pub(crate) mod assess;
pub(crate) mod controls;
pub(crate) mod decode;
pub(crate) mod protocols;
pub(crate) mod query;
pub(crate) mod site;

use std::fs;
use std::path::Path;

use quaywatch_checks::builtin;
use quaywatch_model::SiteModel;
use quaywatch_model::control::Control;

use crate::exit::{Failure, complain};

/// Reads a site model.
fn site_model(path: Option<&Path>) -> Result<Option<SiteModel>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let shown = path.display();
    let text = fs::read_to_string(path)
        .map_err(|bad| Failure::usage(format!("{shown}: the site model cannot be read: {bad}; check the path")))?;
    match SiteModel::parse(&text) {
        Ok(model) => Ok(Some(model)),
        Err(bad) => {
            let lines: Vec<String> = bad.to_string().lines().map(|line| format!("{shown}: {line}")).collect();
            Err(Failure::Usage(format!("the site model is wrong\n{}", lines.join("\n"))))
        }
    }
}

/// The shipped controls with those of a user's folder. Files at fault are told; the others are used.
fn controls(folder: Option<&Path>) -> Result<Vec<Control>, Failure> {
    let mut controls = builtin().map_err(Failure::failed)?;
    if let Some(folder) = folder {
        let errors = quaywatch_checks::from_folder(folder, &mut controls);
        for error in &errors {
            complain(&error.to_string());
        }
        if !errors.is_empty() {
            return Err(Failure::Usage(format!("{}: mend the controls named above", folder.display())));
        }
    }
    Ok(controls)
}
