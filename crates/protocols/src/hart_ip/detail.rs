//! What commands and their replies say.

use quaywatch_model::{Address, At, Attribute, Sink};

use super::frame::{Device, Frame, Message, packed_text};
use super::{names, session_terms};
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;
use crate::detail_json::{DetailJson, Hex};

/// What a message without a command names: the terms of a session, the commands of a direct PDU.
pub fn message_object(message: &Message<'_>) -> String {
    match message.id {
        0 => session_terms(message.body)
            .map(|(master, patience)| format!("{master} master, {} s", patience / 1000))
            .unwrap_or_default(),
        4 => direct_commands(message.body),
        _ => String::new(),
    }
}

/// Device status and extended status, then commands with their lengths (HCF_SPEC-085 section 6.2.5).
fn direct_commands(body: &[u8]) -> String {
    let mut cursor = Cursor::new(body);
    let mut named = Vec::new();
    if cursor.skip(2).is_some() {
        while let (Some(command), Some(length)) = (cursor.be16(), cursor.u8()) {
            if cursor.skip(usize::from(length)).is_none() {
                break;
            }
            named.push(
                names::command(command).map_or_else(|| format!("command {command}"), |(name, _)| name.to_owned()),
            );
        }
    }
    named.truncate(8);
    named.join(", ")
}

/// What a command is done to.
pub fn command_object(frame: &Frame<'_>) -> String {
    let mut object = frame.device.to_string();
    match (frame.command, frame.data) {
        (6, [address, ..]) => object += &format!(", polling address {address}"),
        (18, tag) if tag.len() >= 6 => object += &format!(", tag {}", packed_text(tag.get(..6).unwrap_or_default())),
        (20..=22, [_, ..]) => {
            object += &device_text(frame.data).map(|tag| format!(", tag {tag}")).unwrap_or_default();
        }
        (79, [variable, ..]) => object += &format!(", variable {variable}"),
        (71, [code, ..]) => object += if *code == 0 { ", unlock" } else { ", lock" },
        (77, [card, channel, ..]) => object += &format!(", card {card} channel {channel}"),
        _ => {}
    }
    object
}

/// Which device.
pub fn device(detail: &mut DetailJson, device: Device) {
    match device {
        Device::Short(address) => detail.number("polling_address", address),
        Device::Long(address) => detail.text("address", Hex(&address)),
    }
}

/// What a reply says.
pub fn reply(detail: &mut DetailJson, frame: &Frame<'_>) {
    device(detail, frame.device);
    if let Some((_, status)) = frame.status
        && status != 0
    {
        detail.number("device_status", status);
        detail
            .texts("device_says", (0..8).filter(|bit| status >> bit & 1 == 1).filter_map(|bit| names::STATUS.get(bit)));
    }
    if !is_good(frame) {
        return;
    }
    match frame.command {
        0 | 11 | 21 => {
            let Some(who) = Who::read(frame.data) else { return };
            detail.text("device_type", Hex(&who.kind));
            detail.text("device_id", Hex(&who.id));
            detail.number("hart_revision", who.hart);
            detail.number("device_revision", who.device);
            detail.number("software_revision", who.software);
            if let Some(maker) = who.maker {
                detail.number("manufacturer", maker);
                if let Some(name) = names::manufacturer(maker) {
                    detail.text("manufacturer_name", name);
                }
            }
        }
        13 => {
            if let Some(tag) = frame.data.get(..6) {
                detail.text("tag", packed_text(tag));
            }
            if let Some(descriptor) = frame.data.get(6..18) {
                detail.text("descriptor", packed_text(descriptor));
            }
        }
        20 => {
            if let Some(tag) = device_text(frame.data) {
                detail.text("long_tag", tag);
            }
        }
        _ => {}
    }
}

fn is_good(frame: &Frame<'_>) -> bool {
    frame.status.is_some_and(|(code, _)| code == 0)
}

/// Claims of who the addressed host is: of the device at polling address 0, which is the host itself.
pub fn claim(claims: &mut Claims, frame: &Frame<'_>, subject: Address, at: At, out: &mut dyn Sink) {
    if frame.device != Device::Short(0) || frame.command != 0 || !is_good(frame) {
        return;
    }
    let Some(who) = Who::read(frame.data) else { return };
    let method = "hart identity";
    let kind = format!("HART device type 0x{:02x}{:02x}", who.kind[0], who.kind[1]);
    claims.identify(out, at, subject, (Attribute::Product, &kind, method));
    claims.identify(out, at, subject, (Attribute::Firmware, &who.software.to_string(), method));
    let id = who.id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    claims.identify(out, at, subject, (Attribute::Serial, &id, method));
    if let Some(maker) = who.maker.and_then(names::manufacturer) {
        claims.identify(out, at, subject, (Attribute::Vendor, maker, method));
    }
}

/// Reply to command 0 (HCF_SPEC-127 section 6.1).
struct Who {
    kind: [u8; 2],
    hart: u8,
    device: u8,
    software: u8,
    id: [u8; 3],
    maker: Option<u16>,
}

impl Who {
    fn read(data: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(data);
        if cursor.u8()? != 254 {
            return None;
        }
        let kind = cursor.take(2)?.try_into().ok()?;
        cursor.skip(1)?;
        let (hart, device, software) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
        cursor.skip(2)?;
        let id = cursor.take(3)?.try_into().ok()?;
        // Since HART 7: preambles, variables, change counter, extended status, then the maker.
        cursor.skip(5);
        Some(Who { kind, hart, device, software, id, maker: cursor.be16().filter(|_| hart >= 6) })
    }
}
