//! Session descriptions (SDP, RFC 8866), as far as they name media, ports and codecs.

use std::fmt::{self, Display};

use super::message::Shown;

/// Media and codecs told of one description.
const MAX_NAMED: usize = 16;

/// Payload types that need no line of their own to be known (RFC 3551 tables 4 and 5), with clock rates in hertz.
const STATIC_PAYLOADS: &[(&str, &str)] = &[
    ("0", "PCMU/8000"),
    ("3", "GSM/8000"),
    ("4", "G723/8000"),
    ("5", "DVI4/8000"),
    ("6", "DVI4/16000"),
    ("7", "LPC/8000"),
    ("8", "PCMA/8000"),
    ("9", "G722/8000"),
    ("10", "L16/44100/2"),
    ("11", "L16/44100"),
    ("12", "QCELP/8000"),
    ("13", "CN/8000"),
    ("14", "MPA/90000"),
    ("15", "G728/8000"),
    ("16", "DVI4/11025"),
    ("17", "DVI4/22050"),
    ("18", "G729/8000"),
    ("25", "CelB/90000"),
    ("26", "JPEG/90000"),
    ("28", "nv/90000"),
    ("31", "H261/90000"),
    ("32", "MPV/90000"),
    ("33", "MP2T/90000"),
    ("34", "H263/90000"),
];

/// A description.
#[derive(Clone, Copy, Debug)]
pub(super) struct Description<'a>(&'a [u8]);

impl<'a> Description<'a> {
    /// The description in a body, which may have other parts beside it (RFC 2046 section 5.1).
    pub(super) fn find(content_type: &[u8], body: &'a [u8]) -> Option<Self> {
        if body.starts_with(b"v=0") {
            return Some(Description(body));
        }
        let multipart = content_type.get(..10).is_some_and(|front| front.eq_ignore_ascii_case(b"multipart/"));
        let start = if multipart { body.windows(5).position(|w| w == b"\nv=0\r" || w == b"\nv=0\n") } else { None };
        start.and_then(|start| body.get(start.saturating_add(1)..)).map(Description)
    }

    /// Each medium: kind, port and transport, e.g. `audio 49170 RTP/AVP`. Port 0 refuses it.
    pub(super) fn media(self) -> impl Iterator<Item = Medium<'a>> {
        self.sections().map(|section| Medium(section.media)).take(MAX_NAMED)
    }

    /// The codecs of all media, those known by number alone too, e.g. `PCMU/8000`.
    pub(super) fn codecs(self) -> impl Iterator<Item = Shown<'a>> {
        self.sections().flat_map(Section::codecs).take(MAX_NAMED)
    }

    /// Where media are to be sent.
    pub(super) fn address(self) -> Option<Shown<'a>> {
        let line = lines(self.0).find_map(|line| line.strip_prefix(b"c="))?;
        line.split(|b| *b == b' ').nth(2).map(Shown)
    }

    /// Whether it hands over the keys of its media (RFC 4568).
    pub(super) fn has_key(self) -> bool {
        lines(self.0).any(|line| line.starts_with(b"a=crypto:") && line.windows(7).any(|w| w == b"inline:"))
    }

    fn sections(self) -> impl Iterator<Item = Section<'a>> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let start = rest.windows(3).position(|w| w == b"\nm=")?.saturating_add(3);
            let section = rest.get(start..)?;
            let end = section.windows(3).position(|w| w == b"\nm=").unwrap_or(section.len());
            let (section, after) = section.split_at_checked(end)?;
            rest = after;
            let (media, attributes) = section.split_at_checked(section.iter().position(|b| *b == b'\n')?)?;
            Some(Section { media: media.trim_ascii(), attributes })
        })
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|b| *b == b'\n').map(<[u8]>::trim_ascii_end)
}

#[derive(Clone, Copy, Debug)]
struct Section<'a> {
    media: &'a [u8],
    attributes: &'a [u8],
}

impl<'a> Section<'a> {
    fn codecs(self) -> impl Iterator<Item = Shown<'a>> {
        self.media.split(|b| *b == b' ').skip(3).filter_map(move |format| self.codec(format)).map(Shown)
    }

    fn codec(self, format: &[u8]) -> Option<&'a [u8]> {
        let mapped = lines(self.attributes).find_map(|line| {
            line.strip_prefix(b"a=rtpmap:")?.strip_prefix(format)?.strip_prefix(b" ").map(<[u8]>::trim_ascii)
        });
        let known = || STATIC_PAYLOADS.iter().find(|(number, _)| number.as_bytes() == format);
        mapped.or_else(|| known().map(|(_, name)| name.as_bytes()))
    }
}

/// A medium of a description.
#[derive(Clone, Copy, Debug)]
pub(super) struct Medium<'a>(&'a [u8]);

impl Display for Medium<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = self.0.split(|b| *b == b' ');
        let mut next = || Shown(parts.next().unwrap_or_default());
        write!(f, "{} {} {}", next(), next(), next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3264 section 10.1, the offer, with a key line after RFC 4568 section 10.1.
    const OFFER: &[u8] = b"v=0\r\no=alice 2890844526 2890844526 IN IP4 host.anywhere.com\r\ns=\r\n\
        c=IN IP4 host.anywhere.com\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n\
        m=video 51372 RTP/SAVP 31\r\na=crypto:1 F8_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n\
        a=rtpmap:31 H261/90000\r\nm=video 53000 RTP/AVP 32\r\na=rtpmap:32 MPV/90000\r\n";

    fn told(description: Description<'_>) -> (Vec<String>, Vec<String>) {
        (description.media().map(|m| m.to_string()).collect(), description.codecs().map(|c| c.to_string()).collect())
    }

    #[test]
    fn media_ports_and_codecs_are_named() {
        let description = Description::find(b"application/sdp", OFFER).unwrap();
        let (media, codecs) = told(description);
        assert_eq!(media, ["audio 49170 RTP/AVP", "video 51372 RTP/SAVP", "video 53000 RTP/AVP"]);
        assert_eq!(codecs, ["PCMU/8000", "telephone-event/8000", "H261/90000", "MPV/90000"]);
        assert_eq!(description.address().unwrap().to_string(), "host.anywhere.com");
        assert!(description.has_key());
    }

    #[test]
    fn a_description_among_other_parts_is_found() {
        let body = [b"--b\r\nContent-Type: application/sdp\r\n\r\n", OFFER, b"\r\n--b--\r\n"].concat();
        assert_eq!(told(Description::find(b"Multipart/mixed;boundary=b", &body).unwrap()).0.len(), 3);
        assert!(Description::find(b"text/plain", &body).is_none());
    }

    #[test]
    fn a_cut_description_does_no_harm() {
        for end in 0..OFFER.len() {
            if let Some(description) = Description::find(b"", &OFFER[..end]) {
                told(description);
                description.address();
            }
        }
    }
}
