//! What User-Agent and Server fields say (RFC 3261 sections 20.35 and 20.41). Their form is free: those of makers are known.

use quaywatch_model::Attribute;

/// Makers of telephones, intercoms, loudspeakers and gateways, as the field begins, and how the maker is told.
const MAKERS: &[(&str, &str)] = &[
    ("2N ", "2N"),
    ("Aastra", "Aastra"),
    ("Akuvox", "Akuvox"),
    ("Alcatel", "Alcatel-Lucent"),
    ("Algo-", "Algo"),
    ("Audiocodes", "AudioCodes"),
    ("Avaya", "Avaya"),
    ("AXIS", "Axis"),
    ("Barix", "Barix"),
    ("Cisco", "Cisco"),
    ("Commend", "Commend"),
    ("CyberData", "CyberData"),
    ("Dahua", "Dahua"),
    ("Fanvil", "Fanvil"),
    ("Gigaset", "Gigaset"),
    ("Grandstream", "Grandstream"),
    ("Hikvision", "Hikvision"),
    ("Htek", "Htek"),
    ("Linksys", "Linksys"),
    ("Mitel", "Mitel"),
    ("Panasonic", "Panasonic"),
    ("Patton", "Patton"),
    ("Polycom", "Polycom"),
    ("snom", "Snom"),
    ("Yealink", "Yealink"),
    ("Zenitel", "Zenitel"),
];

/// What the text says beyond its wording. Of a device of a known maker the maker, the model and the firmware; of others
/// the product.
pub(super) fn parts(text: &str) -> impl Iterator<Item = (Attribute, &str)> {
    let split = version(text);
    let product = split.map_or(text, |(product, _)| product);
    let maker = MAKERS.iter().find(|(word, _)| starts(text, word));
    let (vendor, model, firmware, product) = match maker {
        Some((word, vendor)) => (Some(*vendor), model(product, word), split.map(|(_, version)| version), None),
        // Without a version it is not known where the product ends.
        None => (None, None, None, split.map(|(product, _)| product)),
    };
    [
        vendor.map(|value| (Attribute::Vendor, value)),
        model.map(|value| (Attribute::Model, value)),
        firmware.map(|value| (Attribute::Firmware, value)),
        product.map(|value| (Attribute::Product, value)),
    ]
    .into_iter()
    .flatten()
}

fn starts(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|front| front.eq_ignore_ascii_case(word))
}

/// The model behind the maker's name; the whole product where the two are one word, as in `snom370`.
fn model<'t>(product: &'t str, word: &str) -> Option<&'t str> {
    let rest = product.get(word.trim_end().len()..)?;
    let model = rest.strip_prefix([' ', '-', '/']).map_or(product, str::trim);
    (!rest.is_empty() && !model.is_empty()).then_some(model)
}

/// The text before the first version and the version: a word that begins with a digit, `v` before it or not, and has a point.
fn version(text: &str) -> Option<(&str, &str)> {
    text.char_indices().filter(|(_, c)| matches!(c, ' ' | '/' | '(')).find_map(|(at, _)| {
        let (product, rest) = text.split_at_checked(at)?;
        let word = rest.get(1..)?.split([' ', '(', ')', ';', ',']).next()?;
        let digits = word.strip_prefix(['v', 'V']).unwrap_or(word);
        let product = product.trim_end_matches([' ', '/', '(']);
        let fits = digits.starts_with(|c: char| c.is_ascii_digit()) && digits.contains('.') && !product.is_empty();
        fits.then_some((product, digits))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(&'static str, &str)> {
        parts(text).map(|(attribute, value)| (attribute.name(), value)).collect()
    }

    #[test]
    fn forms_of_makers_are_read() {
        assert_eq!(
            read("Yealink SIP-T46G 28.83.0.50"),
            [("vendor", "Yealink"), ("model", "SIP-T46G"), ("firmware", "28.83.0.50")]
        );
        assert_eq!(read("Cisco-CP7960G/8.0"), [("vendor", "Cisco"), ("model", "CP7960G"), ("firmware", "8.0")]);
        assert_eq!(read("snom370/8.7.3.25"), [("vendor", "Snom"), ("model", "snom370"), ("firmware", "8.7.3.25")]);
        assert_eq!(read("2N IP Force 2.32"), [("vendor", "2N"), ("model", "IP Force"), ("firmware", "2.32")]);
        assert_eq!(read("Polycom"), [("vendor", "Polycom")]);
    }

    #[test]
    fn programs_are_no_devices() {
        assert_eq!(read("Asterisk PBX 13.18.3"), [("product", "Asterisk PBX")]);
        assert_eq!(read("kamailio (5.6.3 (x86_64/linux))"), [("product", "kamailio")]);
        assert_eq!(read("baresip v1.0.0 (x86_64/linux)"), [("product", "baresip")]);
        assert_eq!(read("friendly-scanner"), []);
        assert_eq!(read(" 1.2"), []);
        assert_eq!(read("ü/ü"), []);
    }
}
