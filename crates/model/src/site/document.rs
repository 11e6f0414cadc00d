//! The shape of a `site.toml` as written, each value with its place in the text, before any meaning is checked.

use serde::Deserialize;
use toml::{Spanned, Value};

use super::SiteError;
use super::place_in_text::{nearest, problem};

pub(super) type Text = Spanned<String>;
pub(super) type Texts = Vec<Text>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub site: Spanned<SiteText>,
    #[serde(default)]
    pub segment: Vec<SegmentText>,
    #[serde(default)]
    pub zone: Vec<ZoneText>,
    #[serde(default)]
    pub conduit: Vec<ConduitText>,
    #[serde(default)]
    pub crane: Vec<CraneText>,
    #[serde(default)]
    pub system: Vec<SystemText>,
    #[serde(default)]
    pub asset: Vec<AssetText>,
    #[serde(default)]
    pub remote_access: Vec<RemoteAccessText>,
    #[serde(default)]
    pub maintenance_window: Vec<WindowText>,
    #[serde(default)]
    pub intervals: IntervalsText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SiteText {
    pub id: Text,
    #[serde(default)]
    pub name: String,
    pub as_of: Option<Spanned<Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SegmentText {
    pub id: Text,
    #[serde(default)]
    pub captures: Texts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ZoneText {
    pub id: Text,
    pub kind: Text,
    pub level: Option<Spanned<i64>>,
    #[serde(default)]
    pub segments: Texts,
    #[serde(default)]
    pub cidrs: Texts,
    #[serde(default)]
    pub vlans: Vec<Spanned<i64>>,
    #[serde(default)]
    pub macs: Texts,
    #[serde(default)]
    pub names: Texts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConduitText {
    pub id: Text,
    pub from: Text,
    pub to: Text,
    #[serde(default)]
    pub protocols: Texts,
    #[serde(default)]
    pub classes: Texts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CraneText {
    pub id: Text,
    pub kind: Text,
    #[serde(default)]
    pub maker: String,
    #[serde(default)]
    pub model: String,
    pub year: Option<Spanned<i64>>,
    pub foreign: Option<bool>,
    #[serde(default)]
    pub members: Texts,
    #[serde(default)]
    pub zones: Texts,
    #[serde(default)]
    pub sisters: Texts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SystemText {
    pub id: Text,
    pub kind: Text,
    #[serde(default)]
    pub members: Texts,
    #[serde(default)]
    pub zones: Texts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AssetText {
    pub segment: Text,
    pub address: Text,
    #[serde(default)]
    pub name: String,
    pub role: Option<Text>,
    #[serde(default)]
    pub critical: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoteAccessText {
    pub id: Text,
    pub address: Text,
    #[serde(default)]
    pub vendor: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WindowText {
    pub system: Text,
    pub from: Spanned<Value>,
    pub to: Spanned<Value>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct IntervalsText {
    pub scan_days: Option<Spanned<i64>>,
    pub backup_days: Option<Spanned<i64>>,
    pub review_days: Option<Spanned<i64>>,
    pub restore_test_days: Option<Spanned<i64>>,
}

/// Reads the text into its shape.
pub(super) fn read(text: &str) -> Result<Document, SiteError> {
    toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        SiteError { problems: vec![problem(text, offset, explain(error.message()))] }
    })
}

/// The reader's message, with the nearest known key where an unknown one was met.
fn explain(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    if !message.starts_with("unknown field") {
        return message.to_owned();
    }
    let Some(unknown) = quoted.next() else {
        return message.to_owned();
    };
    let known: Vec<&str> = quoted.collect();
    let hint = nearest(unknown, known.iter().copied()).map(|near| format!("; did you mean `{near}`?"));
    format!("unknown key `{unknown}`; expected one of {}{}", known.join(", "), hint.unwrap_or_default())
}
