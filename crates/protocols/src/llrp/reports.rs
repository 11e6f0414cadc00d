//! What readers tell unasked: tags, notifications, who they are.

use quaywatch_model::{Attribute, Timestamp};

use super::names;
use super::parameters::{Parameter, Parameters, find};
use super::requests::Message;
use crate::bytes::{Cursor, device_text};

/// One report of a tag.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Tag<'a> {
    /// Its code.
    pub(super) epc: &'a [u8],
    pub(super) antenna: Option<u16>,
    pub(super) rospec: Option<u32>,
    /// dBm.
    pub(super) rssi: Option<i8>,
    /// How often it was read since the last report.
    pub(super) seen: Option<u16>,
}

impl<'a> Tag<'a> {
    /// Reads `TagReportData`; `None` if it names no tag.
    pub(super) fn read(report: &Parameter<'a>) -> Option<Self> {
        let mut tag = Tag::default();
        for parameter in report.inner().flatten() {
            let mut cursor = Cursor::new(parameter.body);
            match parameter.kind {
                1 => tag.antenna = cursor.be16(),
                6 => tag.rssi = cursor.u8().map(u8::cast_signed),
                8 => tag.seen = cursor.be16(),
                9 => tag.rospec = cursor.be32(),
                13 => tag.epc = parameter.body,
                241 => {
                    let bits = usize::from(cursor.be16()?);
                    tag.epc = cursor.take(bits.div_ceil(8))?;
                }
                _ => {}
            }
        }
        (!tag.epc.is_empty()).then_some(tag)
    }
}

/// The reports of tags in a message.
pub(super) fn tags<'a>(message: &Message<'a>) -> impl Iterator<Item = Parameter<'a>> {
    message.parameters().flatten().filter(|parameter| parameter.kind == 240)
}

/// Types of the fields that reports of tags have in this message, each once.
pub(super) fn tag_fields(message: &Message<'_>, list: &mut Vec<u16>) {
    list.clear();
    for parameter in tags(message).flat_map(|tag| tag.inner().flatten()) {
        if !list.contains(&parameter.kind) && list.len() < super::requests::NAMED_LIMIT {
            list.push(parameter.kind);
        }
    }
}

/// Results of operations on the tag: parameter and code.
pub(super) fn results<'a>(report: &Parameter<'a>) -> impl Iterator<Item = (u16, u8)> + use<'a> {
    let inner: Parameters<'a> = report.inner();
    inner
        .flatten()
        .filter(|parameter| (349..=354).contains(&parameter.kind) || (360..=362).contains(&parameter.kind))
        .filter_map(|parameter| Some((parameter.kind, *parameter.body.first()?)))
}

/// What a notification tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Notice<'a> {
    pub(super) parameter: Parameter<'a>,
    /// Whether it belongs to the reader's steady work: told at first sight and counted.
    pub(super) routine: bool,
}

/// The notices of a message.
pub(super) fn notices<'a>(message: &Message<'a>) -> impl Iterator<Item = Notice<'a>> {
    let data = find(message.parameters(), 246);
    let inner = data.map_or(Parameters::new(&[]), |data| data.inner());
    inner.flatten().filter(|parameter| (247..=257).contains(&parameter.kind) || parameter.kind == 356).map(
        |parameter| {
            let routine = matches!(parameter.kind, 247 | 249 | 250 | 253 | 254 | 356);
            Notice { parameter, routine }
        },
    )
}

/// The reader's clock in a notification; `Err` if no calendar reaches so far.
pub(super) fn clock(message: &Message<'_>) -> Option<Result<Timestamp, ()>> {
    let time = find(message.parameters(), 246)?.find(128)?;
    let microseconds = Cursor::new(time.body).be64()?;
    let nanos = i64::try_from(microseconds).ok().and_then(|value| value.checked_mul(1_000));
    Some(nanos.map(Timestamp).ok_or(()))
}

/// Calls `each` with what the answer to `GET_READER_CAPABILITIES` or `GET_READER_CONFIG` says of the reader.
pub(super) fn identity(message: &Message<'_>, each: &mut dyn FnMut(Attribute, &str, &'static str)) {
    if let Some(general) = find(message.parameters(), 137) {
        capabilities(&general, each);
    }
    if let Some(identification) = find(message.parameters(), 218) {
        identification_of(&identification, each);
    }
}

fn capabilities(general: &Parameter<'_>, each: &mut dyn FnMut(Attribute, &str, &'static str)) -> Option<()> {
    let mut cursor = Cursor::new(general.body);
    cursor.skip(4)?;
    let (maker, model) = (cursor.be32()?, cursor.be32()?);
    match names::manufacturer(maker) {
        Some(name) => each(Attribute::Vendor, name, "llrp device manufacturer"),
        None => each(Attribute::Vendor, &format!("IANA enterprise {maker}"), "llrp device manufacturer"),
    }
    each(Attribute::Model, &model.to_string(), "llrp model name");
    if let Some(product) = names::product(maker, model) {
        each(Attribute::Product, product, "llrp model name");
    }
    let length = usize::from(cursor.be16()?);
    if let Some(firmware) = cursor.take(length).and_then(device_text) {
        each(Attribute::Firmware, &firmware, "llrp firmware version");
    }
    Some(())
}

/// `Identification` (section 12.2.2): a MAC address, an EUI-64, or an EPC.
fn identification_of(
    identification: &Parameter<'_>,
    each: &mut dyn FnMut(Attribute, &str, &'static str),
) -> Option<()> {
    let mut cursor = Cursor::new(identification.body);
    let kind = cursor.u8()?;
    let length = usize::from(cursor.be16()?);
    let id = cursor.take(length)?;
    match (kind, id) {
        (0, [a, b, c, 0xff, 0xfe, d, e, f]) | (0, [a, b, c, d, e, f]) => {
            let mac = quaywatch_model::MacAddr([*a, *b, *c, *d, *e, *f]);
            each(Attribute::Mac, &mac.to_string(), "llrp identification");
        }
        _ => {
            let text: String = id.iter().take(32).map(|byte| format!("{byte:02X}")).collect();
            each(Attribute::Serial, &text, "llrp identification");
        }
    }
    Some(())
}
