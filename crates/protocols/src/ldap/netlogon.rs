//! The answer of a domain controller to a ping: `NETLOGON_SAM_LOGON_RESPONSE_EX` (MS-ADTS 6.3.1.9).

use crate::bytes::Cursor;

/// Labels read of one name.
const MAX_LABELS: usize = 32;

/// What a domain controller says of itself.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Answer {
    pub(super) flags: u32,
    pub(super) forest: String,
    pub(super) domain: String,
    pub(super) host: String,
    pub(super) netbios_domain: String,
    pub(super) netbios_host: String,
    pub(super) site: String,
}

/// A name compressed as in DNS (RFC 1035 section 4.1.4), pointers counted from the start of the answer.
fn name<'a>(whole: &'a [u8], c: &mut Cursor<'a>) -> Option<String> {
    let mut name = String::new();
    let mut jumped: Option<Cursor<'a>> = None;
    for _ in 0..MAX_LABELS {
        let reader = jumped.as_mut().unwrap_or(c);
        let length = reader.u8()?;
        if length & 0xc0 == 0xc0 {
            let to = usize::from(length & 0x3f) << 8 | usize::from(reader.u8()?);
            jumped = Some(Cursor::new(whole.get(to..)?));
            continue;
        }
        if length == 0 {
            return Some(name);
        }
        let label = reader.take(length.into())?;
        if !name.is_empty() {
            name.push('.');
        }
        name.extend(label.iter().map(|byte| char::from(*byte)).filter(|c| !c.is_control()));
    }
    None
}

/// Reads the answer. `None` if it is of an older form.
pub(super) fn read(bytes: &[u8]) -> Option<Answer> {
    let mut c = Cursor::new(bytes);
    if !matches!(c.le16()?, 0x17 | 0x19) {
        return None;
    }
    c.skip(2)?;
    let flags = c.le32()?;
    c.skip(16)?;
    let forest = name(bytes, &mut c)?;
    let domain = name(bytes, &mut c)?;
    let host = name(bytes, &mut c)?;
    let netbios_domain = name(bytes, &mut c)?;
    let netbios_host = name(bytes, &mut c)?;
    let _user = name(bytes, &mut c)?;
    let site = name(bytes, &mut c)?;
    Some(Answer { flags, forest, domain, host, netbios_domain, netbios_host, site })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    #[test]
    fn an_answer_is_read() {
        let mut bytes = hex("1700 0000 fd33 0000");
        bytes.extend([7; 16]);
        bytes.extend(hex(
            "04706f7274 056c6f63616c 00 c018 03646331 c018 04504f5254 00 03444331 00 00 04596172 64 00 c050",
        ));
        let answer = read(&bytes).unwrap();
        assert_eq!((answer.domain.as_str(), answer.host.as_str()), ("port.local", "dc1.port.local"));
        assert_eq!((answer.netbios_host.as_str(), answer.site.as_str()), ("DC1", "Yard"));
        for end in 0..bytes.len() {
            let _ = read(&bytes[..end]);
        }
        // A name that points at itself ends.
        bytes[24] = 0xc0;
        bytes[25] = 24;
        assert_eq!(read(&bytes), None);
    }
}
