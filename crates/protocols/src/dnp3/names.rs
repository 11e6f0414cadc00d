//! Codes of DNP3 and their names (IEEE 1815-2012).

use quaywatch_model::OperationClass;

/// What a function stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Function {
    /// Name as the standard writes it.
    pub name: &'static str,
    /// What it does, where the objects do not say otherwise.
    pub class: OperationClass,
}

const fn function_of(name: &'static str, class: OperationClass) -> Option<Function> {
    Some(Function { name, class })
}

/// A function code of the application layer (clause 4.4).
#[must_use]
pub const fn function(code: u8) -> Option<Function> {
    use OperationClass::{Configure, Control, Cyclic, Diagnose, Program, Read, Session, Write};
    match code {
        0 => function_of("Confirm", Session),
        1 => function_of("Read", Read),
        2 => function_of("Write", Write),
        3 => function_of("Select", Control),
        4 => function_of("Operate", Control),
        5 => function_of("Direct Operate", Control),
        6 => function_of("Direct Operate No Response", Control),
        7 => function_of("Immediate Freeze", Write),
        8 => function_of("Immediate Freeze No Response", Write),
        9 => function_of("Freeze and Clear", Write),
        10 => function_of("Freeze and Clear No Response", Write),
        11 => function_of("Freeze at Time", Write),
        12 => function_of("Freeze at Time No Response", Write),
        13 => function_of("Cold Restart", Control),
        14 => function_of("Warm Restart", Control),
        15 => function_of("Initialize Data", Control),
        16 => function_of("Initialize Application", Control),
        17 => function_of("Start Application", Control),
        18 => function_of("Stop Application", Control),
        19 => function_of("Save Configuration", Configure),
        20 => function_of("Enable Unsolicited", Configure),
        21 => function_of("Disable Unsolicited", Configure),
        22 => function_of("Assign Class", Configure),
        23 => function_of("Delay Measurement", Diagnose),
        24 => function_of("Record Current Time", Configure),
        25 => function_of("Open File", Program),
        26 => function_of("Close File", Program),
        27 => function_of("Delete File", Program),
        28 => function_of("Get File Information", Program),
        29 => function_of("Authenticate File", Session),
        30 => function_of("Abort File", Program),
        31 => function_of("Activate Configuration", Configure),
        32 => function_of("Authentication Request", Session),
        33 => function_of("Authentication Request No Response", Session),
        129 => function_of("Response", Read),
        130 => function_of("Unsolicited Response", Cyclic),
        131 => function_of("Authentication Response", Session),
        _ => None,
    }
}

/// Whether a request of this function is never answered.
#[must_use]
pub const fn is_unanswered(code: u8) -> bool {
    matches!(code, 0 | 6 | 8 | 10 | 12 | 33)
}

/// A function of the link layer sent by the end that asks (clause 9.2.4.1.3).
#[must_use]
pub const fn primary(code: u8) -> Option<Function> {
    use OperationClass::{Diagnose, Session};
    match code {
        0 => function_of("Reset Link States", Session),
        1 => function_of("Reset User Process", Session),
        2 => function_of("Test Link States", Diagnose),
        3 => function_of("Confirmed User Data", Session),
        4 => function_of("Unconfirmed User Data", Session),
        9 => function_of("Request Link Status", Diagnose),
        _ => None,
    }
}

/// A function of the link layer sent as an answer.
#[must_use]
pub const fn secondary(code: u8) -> Option<&'static str> {
    Some(match code {
        0 => "ack",
        1 => "nack",
        11 => "link-status",
        14 => "link-not-functioning",
        15 => "not-supported",
        _ => return None,
    })
}

/// The internal indications, from the lowest bit of the first octet to the highest of the second (clause 4.3.6).
pub static INDICATIONS: [&str; 16] = [
    "broadcast",
    "class-1-data",
    "class-2-data",
    "class-3-data",
    "need-time",
    "local-control",
    "device-trouble",
    "device-restart",
    "no-function-code-support",
    "object-unknown",
    "parameter-error",
    "buffer-overflow",
    "already-executing",
    "configuration-corrupt",
    "reserved-1",
    "reserved-2",
];

/// Status of a control (clause 11.6, CONTROL STATUS).
#[must_use]
pub const fn control_status(code: u8) -> &'static str {
    match code {
        0 => "success",
        1 => "timeout",
        2 => "no-select",
        3 => "format-error",
        4 => "not-supported",
        5 => "already-active",
        6 => "hardware-error",
        7 => "local",
        8 => "too-many-objects",
        9 => "not-authorized",
        10 => "automation-inhibit",
        11 => "processing-limited",
        12 => "out-of-range",
        13 => "downstream-local",
        14 => "already-complete",
        15 => "blocked",
        16 => "canceled",
        17 => "blocked-by-other-master",
        18 => "downstream-fail",
        126 => "non-participating",
        127 => "undefined",
        _ => "reserved",
    }
}

/// Status of a file operation (group 70).
#[must_use]
pub const fn file_status(code: u8) -> &'static str {
    match code {
        0 => "success",
        1 => "permission-denied",
        2 => "invalid-mode",
        3 => "not-found",
        4 => "file-locked",
        5 => "too-many-open",
        6 => "invalid-handle",
        7 => "block-size",
        8 => "communication-lost",
        9 => "cannot-abort",
        16 => "not-open",
        17 => "timeout",
        18 => "buffer-overflow",
        19 => "fatal",
        20 => "block-sequence",
        _ => "undefined",
    }
}

/// What an error of secure authentication says (group 120 variation 7).
#[must_use]
pub const fn authentication_error(code: u8) -> &'static str {
    match code {
        1 => "authentication-failed",
        2 => "unexpected-reply",
        3 => "no-reply",
        4 => "aggressive-mode-not-permitted",
        5 => "algorithm-not-permitted",
        6 => "key-wrap-not-permitted",
        7 => "authorization-failed",
        8 => "update-key-method-not-permitted",
        9 => "invalid-signature",
        10 => "invalid-certification-data",
        11 => "unknown-user",
        12 => "max-session-key-status-requests-exceeded",
        _ => "unknown",
    }
}

/// An object group (annex A).
#[must_use]
pub const fn group(number: u8) -> Option<&'static str> {
    Some(match number {
        0 => "device-attribute",
        1 => "binary-input",
        2 => "binary-input-change",
        3 => "double-bit-input",
        4 => "double-bit-input-change",
        10 => "binary-output",
        11 => "binary-output-change",
        12 => "binary-output-command",
        13 => "binary-output-command-change",
        20 => "counter",
        21 => "frozen-counter",
        22 => "counter-change",
        23 => "frozen-counter-change",
        30 => "analog-input",
        31 => "frozen-analog-input",
        32 => "analog-input-change",
        33 => "frozen-analog-input-change",
        34 => "analog-input-deadband",
        40 => "analog-output-status",
        41 => "analog-output-command",
        42 => "analog-output-change",
        43 => "analog-output-command-change",
        50 => "time",
        51 => "time-common-occurrence",
        52 => "time-delay",
        60 => "class-data",
        70 => "file",
        80 => "internal-indications",
        81 => "device-storage",
        82 => "device-profile",
        83 => "private-registration",
        85 => "data-set-prototype",
        86 => "data-set-descriptor",
        87 => "data-set",
        88 => "data-set-change",
        90 => "application",
        91 => "status-of-operation",
        100 => "floating-point",
        101 => "bcd",
        102 => "unsigned-integer",
        110 => "octet-string",
        111 => "octet-string-change",
        112 => "virtual-terminal-output",
        113 => "virtual-terminal-data",
        120 => "authentication",
        121 => "security-statistic",
        122 => "security-statistic-change",
        _ => return None,
    })
}

/// How one object of a variation is laid out in a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// So many octets.
    Octets(usize),
    /// So many bits, packed.
    Bits(usize),
    /// A type, a length, and that many octets (group 0).
    Counted,
}

/// The layout of a variation (annex A); `None` for those that are always preceded by their size, and unknown ones.
#[must_use]
pub const fn layout(group: u8, variation: u8) -> Option<Layout> {
    use Layout::{Bits, Counted, Octets};
    Some(match (group, variation) {
        (0, _) => Counted,
        (1 | 10 | 80, 1) | (12, 3) => Bits(1),
        (3, 1) => Bits(2),
        (1 | 3 | 10, 2) | (2 | 4 | 11 | 13, 1) => Octets(1),
        (2 | 4 | 11 | 13, 2) => Octets(7),
        (2 | 4, 3) => Octets(3),
        (12, 1 | 2) => Octets(11),
        (20, 1 | 3) | (21..=23, 1 | 3) => Octets(5),
        (20, 2 | 4) | (21..=23, 2 | 4) => Octets(3),
        (20, 5 | 7) | (21, 9 | 11) => Octets(4),
        (20, 6 | 8) | (21, 10 | 12) => Octets(2),
        (21..=23, 5 | 7) => Octets(11),
        (21..=23, 6 | 8) => Octets(9),
        (30, 1 | 5) | (31, 1 | 7) | (32 | 33 | 42 | 43, 1 | 5) | (40 | 41, 1 | 3) => Octets(5),
        (30..=33 | 40..=43, 2) => Octets(3),
        (30, 3) | (31, 5) => Octets(4),
        (30, 4) | (31, 6) => Octets(2),
        (30, 6) | (31, 8) | (32 | 33 | 42 | 43, 6) | (40 | 41, 4) => Octets(9),
        (31, 3) | (32 | 33 | 42 | 43, 3 | 7) => Octets(11),
        (31, 4) | (32 | 33 | 42 | 43, 4) => Octets(9),
        (32 | 33 | 42 | 43, 8) => Octets(15),
        (34, 1) => Octets(2),
        (34, 2 | 3) => Octets(4),
        (50, 1 | 3) | (51, 1 | 2) => Octets(6),
        (50, 2) => Octets(10),
        (50, 4) => Octets(11),
        (52, 1 | 2) => Octets(2),
        (60, _) => Octets(0),
        (81, 1) => Octets(3),
        (86, 2) => Octets(1),
        (101, 1) => Octets(2),
        (101, 2) => Octets(4),
        (101, 3) => Octets(8),
        (102, 1) => Octets(1),
        // Strings: the variation is the length.
        (110..=113, length) => Octets(length as usize),
        (120, 3) => Octets(6),
        (120, 4) => Octets(2),
        (121, 1) | (122, 1) => Octets(7),
        (122, 2) => Octets(13),
        _ => return None,
    })
}

/// What a control relay output block asks (group 12 variation 1, control code).
#[must_use]
pub const fn control(code: u8) -> &'static str {
    match (code & 0x0f, code >> 6) {
        (0, _) => "nul",
        (1, 1) => "close",
        (1, 2) => "trip",
        (1, _) => "pulse-on",
        (2, _) => "pulse-off",
        (3, 1) => "latch-on close",
        (3, 2) => "latch-on trip",
        (3, _) => "latch-on",
        (4, _) => "latch-off",
        _ => "undefined",
    }
}
