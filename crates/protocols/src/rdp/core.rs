//! The settings that client and server exchange in MCS Connect-Initial and Connect-Response
//! ([MS-RDPBCGR] sections 2.2.1.3 and 2.2.1.4; T.125 section 7; T.124 section 8.7).

use super::names;
use crate::bytes::Cursor;
use crate::detail_json::DetailJson;

/// The key that marks data of Microsoft's clients, and the one of their servers (T.124 H.221 keys).
const CLIENT_KEY: &[u8] = b"Duca";
const SERVER_KEY: &[u8] = b"McDn";

/// Static channels listed; a client may have at most 31.
const MAX_CHANNELS: usize = 31;

const CLIENT_CORE: u16 = 0xc001;
const CLIENT_SECURITY: u16 = 0xc002;
const CLIENT_NETWORK: u16 = 0xc003;
const CLIENT_CLUSTER: u16 = 0xc004;
const SERVER_CORE: u16 = 0x0c01;
const SERVER_SECURITY: u16 = 0x0c02;

/// What the client says of itself.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Client {
    /// `0x00080004`: major version in the upper half, minor in the lower.
    pub(super) version: u32,
    pub(super) name: String,
    pub(super) build: u32,
    pub(super) keyboard_layout: u32,
    pub(super) keyboard_type: u32,
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) product_id: String,
    pub(super) encryption_methods: Option<u32>,
    pub(super) channels: Vec<String>,
    /// It asks for the console or administration session.
    pub(super) console: bool,
}

/// What the server chose.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Server {
    pub(super) result: u32,
    pub(super) version: u32,
    pub(super) requested_protocols: Option<u32>,
    /// Encryption method and level.
    pub(super) encryption: Option<(u32, u32)>,
}

/// The length octets of a BER element (X.690 section 8.1.3), definite form.
fn ber_length(cursor: &mut Cursor<'_>) -> Option<usize> {
    match cursor.u8()? {
        short @ 0..=0x7f => Some(short.into()),
        0x81 => cursor.u8().map(usize::from),
        0x82 => cursor.be16().map(usize::from),
        _ => None,
    }
}

/// Passes over one BER element of this tag and returns its content.
fn element<'a>(cursor: &mut Cursor<'a>, tag: u8) -> Option<&'a [u8]> {
    (cursor.u8()? == tag).then_some(())?;
    let length = ber_length(cursor)?;
    cursor.take(length)
}

/// A length determinant of aligned PER (X.691 section 11.9), up to 16383.
fn per_length(cursor: &mut Cursor<'_>) -> Option<usize> {
    let first = cursor.u8()?;
    if first & 0x80 == 0 {
        return Some(first.into());
    }
    let second = cursor.u8()?;
    Some(usize::from(u16::from_be_bytes([first & 0x3f, second])))
}

/// The settings behind a key in the user data of a conference create request or response.
fn settings<'a>(user_data: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let at = user_data.windows(key.len()).position(|window| window == key)?;
    let mut cursor = Cursor::new(user_data.get(at.checked_add(key.len())?..)?);
    let length = per_length(&mut cursor)?;
    Some(cursor.rest().get(..length).unwrap_or(cursor.rest()))
}

/// Calls `each` with type and content of every block.
fn blocks(bytes: &[u8], mut each: impl FnMut(u16, Cursor<'_>)) {
    let mut cursor = Cursor::new(bytes);
    while let (Some(kind), Some(length)) = (cursor.le16(), cursor.le16()) {
        let Some(content) = usize::from(length).checked_sub(4).and_then(|length| cursor.take(length)) else { return };
        each(kind, Cursor::new(content));
    }
}

/// Text of UTF-16LE up to its first zero.
pub(super) fn utf16(bytes: &[u8]) -> String {
    let (pairs, _) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).take_while(|unit| *unit != 0);
    let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    text.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned()
}

impl Client {
    /// Reads Connect-Initial, from its tag on; `None` if it is no such message of remote desktop.
    pub(super) fn parse(message: &[u8]) -> Option<Client> {
        let mut cursor = Cursor::new(message);
        (cursor.be16()? == 0x7f65).then_some(())?;
        ber_length(&mut cursor)?;
        // Calling and called domain, upward flag, three sets of domain parameters.
        for tag in [4, 4, 1, 0x30, 0x30, 0x30] {
            element(&mut cursor, tag)?;
        }
        (cursor.u8()? == 4).then_some(())?;
        ber_length(&mut cursor)?;
        let mut client = Client::default();
        blocks(settings(cursor.rest(), CLIENT_KEY)?, |kind, mut content| {
            // Later fields are missing from older clients.
            let _ = match kind {
                CLIENT_CORE => client.core(&mut content),
                CLIENT_SECURITY => content.le32().map(|methods| client.encryption_methods = Some(methods)),
                CLIENT_NETWORK => client.network(&mut content),
                // REDIRECTED_SESSIONID_FIELD_VALID with session 0.
                CLIENT_CLUSTER => content.le32().zip(content.le32()).map(|(flags, session)| {
                    client.console = flags & 2 != 0 && session == 0;
                }),
                _ => None,
            };
        });
        Some(client)
    }

    fn core(&mut self, content: &mut Cursor<'_>) -> Option<()> {
        self.version = content.le32()?;
        self.width = content.le16()?;
        self.height = content.le16()?;
        // Colour depth and secure attention sequence.
        content.skip(4)?;
        self.keyboard_layout = content.le32()?;
        self.build = content.le32()?;
        self.name = utf16(content.take(32)?);
        self.keyboard_type = content.le32()?;
        // Keyboard subtype, function keys, input method, depths, product, serial number, capabilities.
        content.skip(4 + 4 + 64 + 2 + 2 + 4 + 2 + 2 + 2)?;
        self.product_id = utf16(content.take(64)?);
        Some(())
    }

    fn network(&mut self, content: &mut Cursor<'_>) -> Option<()> {
        let count = usize::try_from(content.le32()?).ok()?;
        for _ in 0..count.min(MAX_CHANNELS) {
            let name = content.take(8)?;
            content.skip(4)?;
            self.channels.extend(crate::bytes::device_text(name));
        }
        Some(())
    }

    pub(super) fn describe(&self, detail: &mut DetailJson) {
        detail.text("client_name", &self.name);
        detail.number("client_build", self.build);
        detail.number("client_version_major", self.version >> 16);
        detail.number("client_version_minor", self.version & 0xffff);
        if !names::version(self.version).is_empty() {
            detail.text("client_version", names::version(self.version));
        }
        detail.text("keyboard_layout", format_args!("0x{:04x}", self.keyboard_layout));
        detail.text("keyboard_type", names::keyboard(self.keyboard_type));
        detail.number("screen_width", self.width);
        detail.number("screen_height", self.height);
        if !self.product_id.is_empty() {
            detail.text("product_id", &self.product_id);
        }
        if let Some(methods) = self.encryption_methods {
            let offered = [1, 2, 8, 16].into_iter().filter(|bit| methods & bit != 0).map(names::method);
            detail.texts("offered_encryption", offered);
        }
        if !self.channels.is_empty() {
            detail.texts("channels", &self.channels);
            let carried = self.channels.iter().map(|name| names::channel(name)).filter(|what| !what.is_empty());
            detail.texts("channels_carry", carried);
        }
        if self.console {
            detail.flag("console", true);
        }
    }
}

impl Server {
    /// Reads Connect-Response, from its tag on; `None` if it is no such message.
    pub(super) fn parse(message: &[u8]) -> Option<Server> {
        let mut cursor = Cursor::new(message);
        (cursor.be16()? == 0x7f66).then_some(())?;
        ber_length(&mut cursor)?;
        let result = element(&mut cursor, 0x0a)?.first().copied()?;
        let mut server = Server { result: result.into(), ..Server::default() };
        // Called connect id and domain parameters.
        element(&mut cursor, 2)?;
        element(&mut cursor, 0x30)?;
        (cursor.u8()? == 4).then_some(())?;
        ber_length(&mut cursor)?;
        blocks(settings(cursor.rest(), SERVER_KEY).unwrap_or_default(), |kind, mut content| match kind {
            SERVER_CORE => {
                server.version = content.le32().unwrap_or(0);
                server.requested_protocols = content.le32();
            }
            SERVER_SECURITY => server.encryption = content.le32().zip(content.le32()),
            _ => {}
        });
        Some(server)
    }

    pub(super) fn describe(&self, detail: &mut DetailJson) {
        detail.number("server_version_major", self.version >> 16);
        detail.number("server_version_minor", self.version & 0xffff);
        if !names::version(self.version).is_empty() {
            detail.text("server_version", names::version(self.version));
        }
        if let Some((method, level)) = self.encryption {
            detail.text("encryption_method", names::method(method));
            detail.text("encryption_level", names::level(level));
        }
    }
}
