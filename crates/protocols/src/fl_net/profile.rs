//! The device profile (JEM-TR 214): names and values one behind the other, in ASN.1 BER.

use quaywatch_model::Attribute;

use crate::ber::{Reader, tag};
use crate::bytes::device_text;

/// ASN.1 PrintableString.
const PRINTABLE: u8 = 0x13;
/// Sequences within sequences that are followed.
const DEPTH_LIMIT: usize = 4;

/// What is told of a profile.
const WANTED: [(&[u8], Attribute, &str); 3] = [
    (b"VENDOR", Attribute::Vendor, "fl-net profile VENDOR"),
    (b"DVMODEL", Attribute::Model, "fl-net profile DVMODEL"),
    (b"DVCATEGORY", Attribute::Capability, "fl-net profile DVCATEGORY"),
];

/// Calls `tell` for each wanted parameter of the profile.
pub fn read(bytes: &[u8], tell: &mut dyn FnMut(Attribute, &str, &'static str)) {
    follow(bytes, DEPTH_LIMIT, tell);
}

fn follow(bytes: &[u8], depth: usize, tell: &mut dyn FnMut(Attribute, &str, &'static str)) {
    let mut reader = Reader::new(bytes);
    let mut named = None;
    while let Some((kind, content)) = reader.element() {
        if kind == tag::SEQUENCE {
            named = None;
            if let Some(depth) = depth.checked_sub(1) {
                follow(content, depth, tell);
            }
            continue;
        }
        match named.take() {
            Some((attribute, method)) => {
                if let Some(text) = device_text(content).filter(|_| kind == PRINTABLE) {
                    tell(attribute, &text, method);
                }
            }
            None => {
                let known = WANTED.iter().find(|(name, ..)| kind == PRINTABLE && *name == content);
                named = known.map(|(_, attribute, method)| (*attribute, *method));
            }
        }
    }
}
