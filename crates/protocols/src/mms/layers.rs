//! What lies between COTP and MMS: session (X.225), presentation (X.226), association control (ACSE, X.227).

use crate::bytes::Cursor;

use super::ber::{Element, Elements, oid};

/// Levels of presentation PDUs around the user data.
const PRESENTATION_DEPTH: u8 = 4;

/// A session PDU with its user information (X.225 section 8.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spdu<'a> {
    /// CONNECT.
    Connect(&'a [u8]),
    /// ACCEPT.
    Accept(&'a [u8]),
    /// REFUSE.
    Refuse(&'a [u8]),
    /// FINISH: an orderly release.
    Finish(&'a [u8]),
    /// DISCONNECT: its answer.
    Disconnect(&'a [u8]),
    /// ABORT.
    Abort(&'a [u8]),
    /// DATA TRANSFER.
    Data(&'a [u8]),
    /// One without interest here: tokens alone, abort accept.
    Other,
}

/// Reads a session PDU; `None` if it is malformed or of a kind that MMS does not use.
#[must_use]
pub fn session(message: &[u8]) -> Option<Spdu<'_>> {
    let mut cursor = Cursor::new(message);
    let kind = cursor.u8()?;
    let length = parameter_length(&mut cursor)?;
    let parameters = cursor.take(length)?;
    Some(match kind {
        // Give tokens, please tokens: in front of data transfer, which has the code of the first.
        1 | 2 => match cursor.u8() {
            None => Spdu::Other,
            Some(1) => {
                let length = parameter_length(&mut cursor)?;
                cursor.skip(length)?;
                Spdu::Data(cursor.rest())
            }
            Some(_) => return None,
        },
        13 => Spdu::Connect(user_data(parameters)?),
        14 => Spdu::Accept(user_data(parameters)?),
        12 => Spdu::Refuse(user_data(parameters)?),
        9 => Spdu::Finish(user_data(parameters)?),
        10 => Spdu::Disconnect(user_data(parameters)?),
        25 => Spdu::Abort(user_data(parameters)?),
        8 | 26 => Spdu::Other,
        _ => return None,
    })
}

/// A byte, or 255 and two bytes.
fn parameter_length(cursor: &mut Cursor<'_>) -> Option<usize> {
    match cursor.u8()? {
        0xff => cursor.be16().map(usize::from),
        short => Some(short.into()),
    }
}

/// User data (193) or extended user data (194); empty if there is none.
fn user_data(parameters: &[u8]) -> Option<&[u8]> {
    let mut cursor = Cursor::new(parameters);
    while let Some(kind) = cursor.u8() {
        let length = parameter_length(&mut cursor)?;
        let value = cursor.take(length)?;
        if matches!(kind, 193 | 194) {
            return Some(value);
        }
    }
    Some(&[])
}

/// Calls `each` for every value in presentation user data, whatever presentation PDU is around it.
/// `None` if no value could be found.
pub fn presentation<'a>(bytes: &'a [u8], each: &mut impl FnMut(&'a [u8])) -> Option<()> {
    let mut found = None;
    for element in Elements::new(bytes) {
        if values(element, PRESENTATION_DEPTH, each).is_some() {
            found = Some(());
        }
    }
    found
}

fn values<'a>(element: Element<'a>, depth: u8, each: &mut impl FnMut(&'a [u8])) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    match element.first {
        // Fully encoded: lists of transfer syntax, context, and one of three ways to hold the value.
        0x61 => {
            let mut found = None;
            for list in element.children().filter(|list| list.first == 0x30) {
                for value in list.children().filter(|value| matches!(value.first, 0xa0 | 0x81 | 0x82)) {
                    each(value.content);
                    found = Some(());
                }
            }
            found
        }
        // Simply encoded.
        0x60 => {
            each(element.content);
            Some(())
        }
        // The PDUs of connect, its parameters, reject and abort.
        0x30 | 0x31 | 0xa0 | 0xa2 => {
            let mut found = None;
            for child in element.children() {
                if values(child, depth, each).is_some() {
                    found = Some(());
                }
            }
            found
        }
        _ => None,
    }
}

/// Association control, as far as it is kept.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Acse {
    /// First byte of its tag: request 0x60, response 0x61, release 0x62 and 0x63, abort 0x64.
    pub kind: u8,
    /// Result of a response: 0 accepted, 1 and 2 rejected.
    pub result: Option<u32>,
    /// Why, from the result's source.
    pub diagnostic: Option<u32>,
    /// Titles and qualifiers of the called (or responding) and the calling application entity.
    pub titles: [String; 4],
    /// Authentication mechanism; empty if none is named.
    pub mechanism: String,
    /// Whether an authentication value was sent.
    pub authenticates: bool,
}

/// An ACSE APDU.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Apdu<'a> {
    /// What is kept of it.
    pub acse: Acse,
    /// An authentication value that is a readable text: a secret.
    pub secret: Option<&'a [u8]>,
    /// The user information.
    pub user: Option<&'a [u8]>,
}

/// A password mechanism: {joint-iso-itu-t association-control authentication-mechanism password-1}.
pub const PASSWORD: &str = "2.2.3.1";

/// Reads an ACSE APDU.
#[must_use]
pub fn acse(bytes: &[u8]) -> Option<Apdu<'_>> {
    let apdu = Element::only(bytes)?;
    let mut acse = Acse { kind: apdu.first, ..Acse::default() };
    let (mut secret, mut user) = (None, None);
    let request = apdu.first == 0x60;
    for field in apdu.children() {
        let inner = Element::only(field.content);
        let number = || inner.and_then(|inner| inner.unsigned());
        match field.first {
            0xa2 if !request => acse.result = number(),
            0xa3 if !request => acse.diagnostic = inner.and_then(|source| Element::only(source.content)?.unsigned()),
            // Titles and qualifiers: the called one's stand where a response has the responding one's, two further on.
            0xa2 if request => acse.title(0, inner),
            0xa3 if request => acse.title(1, inner),
            0xa4 if !request => acse.title(0, inner),
            0xa5 if !request => acse.title(1, inner),
            0xa6 if request => acse.title(2, inner),
            0xa7 if request => acse.title(3, inner),
            0x8b if request => acse.mechanism = oid(field.content),
            0x89 if !request => acse.mechanism = oid(field.content),
            0xac if request => {
                acse.authenticates = true;
                // A text; a bit string, an external or another value holds a token.
                secret = inner.filter(|value| value.first == 0x80).map(|value| value.content);
            }
            0xbe => {
                let external = inner.filter(|external| external.first == 0x28);
                let value =
                    external.and_then(|external| external.children().find(|e| matches!(e.first, 0xa0 | 0x81 | 0x82)));
                user = value.map(|value| value.content);
            }
            _ => {}
        }
    }
    matches!(apdu.first, 0x60..=0x64).then_some(Apdu { acse, secret, user })
}

impl Acse {
    fn title(&mut self, at: usize, value: Option<Element<'_>>) {
        let Some((slot, value)) = self.titles.get_mut(at).zip(value) else { return };
        *slot = match value.first {
            6 => oid(value.content),
            2 => value.unsigned().map(|number| number.to_string()).unwrap_or_default(),
            _ => String::new(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    #[test]
    fn data_is_unwrapped() {
        let bytes = hex("01000100 610f300d020103a008a106020101a40180");
        let Some(Spdu::Data(user)) = session(&bytes) else { panic!("no data") };
        let mut found = Vec::new();
        presentation(user, &mut |value| found.push(value.to_vec())).unwrap();
        assert_eq!(found, [hex("a106020101a40180")]);
        for end in 0..bytes.len() {
            let _ = session(&bytes[..end]);
        }
        assert_eq!(session(&[1, 0]), Some(Spdu::Other));
        assert_eq!(session(&[0x32, 1]), None);
    }

    /// Two values in one list of user data.
    #[test]
    fn several_values_are_told_apart() {
        let mut found = 0;
        presentation(&hex("6112 3007020103a0028b00 3007020103a0028c00"), &mut |_| found += 1).unwrap();
        assert_eq!(found, 2);
        assert_eq!(presentation(&hex("0500"), &mut |_| ()), None);
    }

    /// Calling title 1.1.1.999, qualifier 12; password mechanism with a text.
    #[test]
    fn associations_are_read() {
        let bytes = hex("6020 a60606042901 8767 a703 02010c 8a0207 80 8b03520301 ac08 8006 736563726574");
        let Apdu { acse, secret, user } = acse(&bytes).unwrap();
        assert_eq!(acse.titles[2..], ["1.1.1.999".to_owned(), "12".to_owned()]);
        assert_eq!((acse.mechanism.as_str(), acse.authenticates), (PASSWORD, true));
        assert_eq!((secret, user), (Some(&b"secret"[..]), None));
    }
}
