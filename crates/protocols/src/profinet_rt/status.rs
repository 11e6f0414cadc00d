//! PNIOStatus: the four bytes in which every refusal of PROFINET IO is coded (IEC 61158-6-10, "Coding of the field PNIOStatus").

use std::fmt;

/// A status: error code (which service), error decode (whose codes follow), error code 1 and 2. All zero is success.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PnioStatus(pub u32);

impl PnioStatus {
    /// The four bytes in the order of the standard.
    #[must_use]
    pub const fn bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }

    /// Whether the service was carried out.
    #[must_use]
    pub const fn is_success(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for PnioStatus {
    /// What refused and why: `write refused: CMRPC, AR UUID unknown`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [code, decode, first, second] = self.bytes();
        if self.is_success() {
            return f.write_str("success");
        }
        f.write_str(service(code))?;
        f.write_str(": ")?;
        match decode {
            0x80 => write!(f, "{}", Named(record_error(first), first)),
            0x81 if code == 0xcf => write!(f, "{}", Named(abort_reason(first, second), second)),
            0x81 => write!(f, "{}, {}", Named(part(first), first), Named(part_error(first, second), second)),
            0x82 => write!(f, "manufacturer's code {first:#04x} {second:#04x}"),
            _ => write!(f, "code {decode:#04x} {first:#04x} {second:#04x}"),
        }
    }
}

/// A name, or the number where the table has none.
struct Named(&'static str, u8);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { write!(f, "code {}", self.1) } else { f.write_str(self.0) }
    }
}

/// The service that failed (ErrorCode).
const fn service(code: u8) -> &'static str {
    match code {
        0x81 => "error",
        0xcf => "aborted",
        0xda => "alarm refused",
        0xdb => "connect refused",
        0xdc => "release refused",
        0xdd => "control refused",
        0xde => "read refused",
        0xdf => "write refused",
        _ => "unknown service failed",
    }
}

/// Why a record was not read or written (ErrorCode1 under PNIORW): class in the high, reason in the low half.
const fn record_error(first: u8) -> &'static str {
    match first {
        0xa0 => "read error",
        0xa1 => "write error",
        0xa2 => "module failure",
        0xa7 => "busy",
        0xa8 => "version conflict",
        0xa9 => "feature not supported",
        0xb0 => "invalid index",
        0xb1 => "write length error",
        0xb2 => "invalid slot or subslot",
        0xb3 => "type conflict",
        0xb4 => "invalid area",
        0xb5 => "state conflict",
        0xb6 => "access denied",
        0xb7 => "invalid range",
        0xb8 => "invalid parameter",
        0xb9 => "invalid type",
        0xba => "backup",
        0xc0 => "read constrained",
        0xc1 => "write constrained",
        0xc2 => "resource busy",
        0xc3 => "resource unavailable",
        _ => "",
    }
}

/// The part of the request or of the protocol machine that refused (ErrorCode1 under PNIO).
const fn part(first: u8) -> &'static str {
    match first {
        1 => "application relationship block",
        2 => "communication relationship block",
        3 => "expected submodule block",
        4 => "alarm relationship block",
        5 => "parameter server block",
        6 => "multicast relationship block",
        7 => "remote procedure block",
        8 => "read or write header",
        20..=29 => "control block",
        40 => "release block",
        60 => "alarm acknowledge",
        61 => "CMDEV",
        62 => "CMCTL",
        63 => "CTLDINA",
        64 => "CMRPC",
        65 => "ALPMI",
        66 => "ALPMR",
        67 => "LMPM",
        68 => "MAC",
        69 => "RPC",
        70 => "APMR",
        71 => "APMS",
        72 => "CPM",
        73 => "PPM",
        74..=77 => "DCP",
        78 => "FSPM",
        _ => "",
    }
}

/// What went wrong in that part (ErrorCode2); for blocks it is the number of the field at fault.
const fn part_error(first: u8, second: u8) -> &'static str {
    match (first, second) {
        (61 | 62, 0) => "state conflict",
        (61 | 62, 1) => "timeout",
        (61 | 62, 2) => "no data sent",
        (64, 0) => "length of arguments invalid",
        (64, 1) => "unknown blocks",
        (64, 2) => "communication relationship missing",
        (64, 3) => "wrong count of alarm relationship blocks",
        (64, 4) => "out of application relationships",
        (64, 5) => "AR UUID unknown",
        (64, 6) => "state conflict",
        (64, 7) => "out of provider, consumer or alarm resources",
        (64, 8) => "out of memory",
        (69, 1) => "call rejected",
        (69, 2) => "call faulted",
        (69, 3) => "call timed out",
        (69, 4) => "call failed",
        _ => "",
    }
}

/// Why an alarm relationship, and with it all exchange of data, was broken off (ErrorCode2 under RTA_ERR_CLS_PROTOCOL, 0xfd).
const fn abort_reason(first: u8, second: u8) -> &'static str {
    if first != 0xfd {
        return "";
    }
    match second {
        1 => "sequence numbers do not fit",
        2 => "instance closed",
        3 => "out of memory",
        4 => "adding provider or consumer failed",
        5 => "consumer missed data (watchdog expired)",
        6 => "initiator timed out",
        7 => "alarm relationship not opened",
        8 => "alarm not sent",
        9 => "alarm acknowledge not sent",
        10 => "alarm data too long",
        11 => "alarm receive error",
        12 => "remote procedure call failed",
        13 => "abort requested",
        14 => "a new connection took the place of this one",
        15 => "released",
        16 => "device deactivated",
        17 => "relationship removed",
        18 => "protocol violation",
        19 => "name of station not resolved",
        20 => "bind failed",
        21 => "connect failed",
        22 => "read failed",
        23 => "write failed",
        24 => "control failed",
        25 => "forbidden pull or plug",
        26 => "access point removed",
        27 => "link down",
        28 => "multicast address not registered",
        29 => "not synchronised",
        30 => "wrong topology",
        31 => "name of station changed",
        32 => "reset to factory settings",
        33 => "parameters of the interface not accepted",
        34 => "parameterisation failed",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_read_as_words() {
        for (status, words) in [
            (0, "success"),
            (0xdf81_4005, "write refused: CMRPC, AR UUID unknown"),
            (0xde80_b000, "read refused: invalid index"),
            (0xcf81_fd1f, "aborted: name of station changed"),
            (0xcf81_fdf0, "aborted: code 240"),
            (0xdb81_0107, "connect refused: application relationship block, code 7"),
            (0xdf82_0102, "write refused: manufacturer's code 0x01 0x02"),
            (0x1122_3344, "unknown service failed: code 0x22 0x33 0x44"),
        ] {
            assert_eq!(PnioStatus(status).to_string(), words);
        }
    }
}
