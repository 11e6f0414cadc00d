//! Codes of IEC 60870-5-104 and their names.

use quaywatch_model::OperationClass;

/// Who sends objects of a type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// The controlled station, about the process.
    Monitor,
    /// The controlling station asks, the controlled one confirms.
    Control,
    /// Either.
    File,
    /// Security extension (IEC 60870-5-7), either.
    Security,
}

/// A type of ASDU (IEC 60870-5-101 clause 7.2.1.1, IEC 60870-5-104 clause 6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Type {
    /// The label of the standard and what it is.
    pub name: &'static str,
    /// What it does.
    pub class: OperationClass,
    /// Who sends it.
    pub way: Way,
    /// Octets of one object without its address; `None` if they vary.
    pub size: Option<usize>,
}

const fn monitor(name: &'static str, size: usize) -> Option<Type> {
    Some(Type { name, class: OperationClass::Cyclic, way: Way::Monitor, size: Some(size) })
}

const fn control(name: &'static str, class: OperationClass, size: usize) -> Option<Type> {
    Some(Type { name, class, way: Way::Control, size: Some(size) })
}

const fn file(name: &'static str, size: Option<usize>) -> Option<Type> {
    Some(Type { name, class: OperationClass::Program, way: Way::File, size })
}

const fn security(name: &'static str) -> Option<Type> {
    Some(Type { name, class: OperationClass::Session, way: Way::Security, size: None })
}

/// The type of an identification.
#[must_use]
pub const fn asdu(code: u8) -> Option<Type> {
    use OperationClass::{Configure, Control, Diagnose, Read, Write};
    match code {
        1 => monitor("M_SP_NA_1 single point", 1),
        2 => monitor("M_SP_TA_1 single point with time", 4),
        3 => monitor("M_DP_NA_1 double point", 1),
        4 => monitor("M_DP_TA_1 double point with time", 4),
        5 => monitor("M_ST_NA_1 step position", 2),
        6 => monitor("M_ST_TA_1 step position with time", 5),
        7 => monitor("M_BO_NA_1 bitstring", 5),
        8 => monitor("M_BO_TA_1 bitstring with time", 8),
        9 => monitor("M_ME_NA_1 measured value, normalized", 3),
        10 => monitor("M_ME_TA_1 measured value, normalized, with time", 6),
        11 => monitor("M_ME_NB_1 measured value, scaled", 3),
        12 => monitor("M_ME_TB_1 measured value, scaled, with time", 6),
        13 => monitor("M_ME_NC_1 measured value, float", 5),
        14 => monitor("M_ME_TC_1 measured value, float, with time", 8),
        15 => monitor("M_IT_NA_1 integrated totals", 5),
        16 => monitor("M_IT_TA_1 integrated totals with time", 8),
        17 => monitor("M_EP_TA_1 protection, with time", 6),
        18 => monitor("M_EP_TB_1 packed start of protection, with time", 7),
        19 => monitor("M_EP_TC_1 packed output of protection, with time", 7),
        20 => monitor("M_PS_NA_1 packed single points", 5),
        21 => monitor("M_ME_ND_1 measured value, normalized, without quality", 2),
        30 => monitor("M_SP_TB_1 single point with time CP56", 8),
        31 => monitor("M_DP_TB_1 double point with time CP56", 8),
        32 => monitor("M_ST_TB_1 step position with time CP56", 9),
        33 => monitor("M_BO_TB_1 bitstring with time CP56", 12),
        34 => monitor("M_ME_TD_1 measured value, normalized, with time CP56", 10),
        35 => monitor("M_ME_TE_1 measured value, scaled, with time CP56", 10),
        36 => monitor("M_ME_TF_1 measured value, float, with time CP56", 12),
        37 => monitor("M_IT_TB_1 integrated totals with time CP56", 12),
        38 => monitor("M_EP_TD_1 protection, with time CP56", 10),
        39 => monitor("M_EP_TE_1 packed start of protection, with time CP56", 11),
        40 => monitor("M_EP_TF_1 packed output of protection, with time CP56", 11),
        41 => security("S_IT_TC_1 security statistics"),
        45 => control("C_SC_NA_1 single command", Control, 1),
        46 => control("C_DC_NA_1 double command", Control, 1),
        47 => control("C_RC_NA_1 regulating step command", Control, 1),
        48 => control("C_SE_NA_1 setpoint, normalized", Write, 3),
        49 => control("C_SE_NB_1 setpoint, scaled", Write, 3),
        50 => control("C_SE_NC_1 setpoint, float", Write, 5),
        51 => control("C_BO_NA_1 bitstring command", Write, 4),
        58 => control("C_SC_TA_1 single command with time", Control, 8),
        59 => control("C_DC_TA_1 double command with time", Control, 8),
        60 => control("C_RC_TA_1 regulating step command with time", Control, 8),
        61 => control("C_SE_TA_1 setpoint, normalized, with time", Write, 10),
        62 => control("C_SE_TB_1 setpoint, scaled, with time", Write, 10),
        63 => control("C_SE_TC_1 setpoint, float, with time", Write, 12),
        64 => control("C_BO_TA_1 bitstring command with time", Write, 11),
        70 => Some(Type { name: "M_EI_NA_1 end of initialization", class: Diagnose, way: Way::Monitor, size: Some(1) }),
        81 => security("S_CH_NA_1 challenge"),
        82 => security("S_RP_NA_1 reply"),
        83 => security("S_AR_NA_1 aggressive mode request"),
        84 => security("S_KR_NA_1 session key status request"),
        85 => security("S_KS_NA_1 session key status"),
        86 => security("S_KC_NA_1 session key change"),
        87 => security("S_ER_NA_1 authentication error"),
        90 => security("S_US_NA_1 user status change"),
        91 => security("S_UQ_NA_1 update key change request"),
        92 => security("S_UR_NA_1 update key change reply"),
        93 => security("S_UK_NA_1 update key change symmetric"),
        94 => security("S_UA_NA_1 update key change asymmetric"),
        95 => security("S_UC_NA_1 update key change confirmation"),
        100 => control("C_IC_NA_1 interrogation", Read, 1),
        101 => control("C_CI_NA_1 counter interrogation", Read, 1),
        102 => control("C_RD_NA_1 read", Read, 0),
        103 => control("C_CS_NA_1 clock synchronization", Configure, 7),
        104 => control("C_TS_NA_1 test", Diagnose, 2),
        105 => control("C_RP_NA_1 reset process", Control, 1),
        106 => control("C_CD_NA_1 delay acquisition", Diagnose, 2),
        107 => control("C_TS_TA_1 test with time", Diagnose, 9),
        110 => control("P_ME_NA_1 parameter, normalized", Configure, 3),
        111 => control("P_ME_NB_1 parameter, scaled", Configure, 3),
        112 => control("P_ME_NC_1 parameter, float", Configure, 5),
        113 => control("P_AC_NA_1 parameter activation", Configure, 1),
        120 => file("F_FR_NA_1 file ready", Some(6)),
        121 => file("F_SR_NA_1 section ready", Some(7)),
        122 => file("F_SC_NA_1 call or select file", Some(4)),
        123 => file("F_LS_NA_1 last section or segment", Some(5)),
        124 => file("F_AF_NA_1 acknowledge file", Some(4)),
        125 => file("F_SG_NA_1 segment", None),
        126 => file("F_DR_TA_1 directory", Some(13)),
        127 => file("F_SC_NB_1 query log", Some(16)),
        _ => None,
    }
}

/// Cause of transmission (IEC 60870-5-101 clause 7.2.3).
#[must_use]
pub const fn cause(code: u8) -> &'static str {
    match code {
        1 => "periodic",
        2 => "background-scan",
        3 => "spontaneous",
        4 => "initialized",
        5 => "request",
        6 => "activation",
        7 => "activation-confirmation",
        8 => "deactivation",
        9 => "deactivation-confirmation",
        10 => "activation-termination",
        11 => "return-remote-command",
        12 => "return-local-command",
        13 => "file-transfer",
        14 => "authentication",
        15 => "session-key-maintenance",
        16 => "user-role-and-update-key-maintenance",
        20 => "interrogated-by-station",
        21 => "interrogated-by-group-1",
        22 => "interrogated-by-group-2",
        23 => "interrogated-by-group-3",
        24 => "interrogated-by-group-4",
        25 => "interrogated-by-group-5",
        26 => "interrogated-by-group-6",
        27 => "interrogated-by-group-7",
        28 => "interrogated-by-group-8",
        29 => "interrogated-by-group-9",
        30 => "interrogated-by-group-10",
        31 => "interrogated-by-group-11",
        32 => "interrogated-by-group-12",
        33 => "interrogated-by-group-13",
        34 => "interrogated-by-group-14",
        35 => "interrogated-by-group-15",
        36 => "interrogated-by-group-16",
        37 => "counters-requested",
        38 => "counters-group-1-requested",
        39 => "counters-group-2-requested",
        40 => "counters-group-3-requested",
        41 => "counters-group-4-requested",
        44 => "unknown-type",
        45 => "unknown-cause",
        46 => "unknown-common-address",
        47 => "unknown-object-address",
        _ => "reserved",
    }
}

/// An unnumbered function (IEC 60870-5-104 clause 5.3), by its first control octet.
#[must_use]
pub const fn unnumbered(control: u8) -> Option<&'static str> {
    Some(match control {
        0x07 => "STARTDT act",
        0x0b => "STARTDT con",
        0x13 => "STOPDT act",
        0x23 => "STOPDT con",
        0x43 => "TESTFR act",
        0x83 => "TESTFR con",
        _ => return None,
    })
}

/// Cause of an initialization.
#[must_use]
pub const fn initialization(code: u8) -> &'static str {
    match code & 0x7f {
        0 => "local-power-on",
        1 => "local-manual-reset",
        2 => "remote-reset",
        _ => "reserved",
    }
}

/// What a reset process command asks.
#[must_use]
pub const fn reset(code: u8) -> &'static str {
    match code {
        1 => "general-reset",
        2 => "reset-of-pending-information-with-time",
        _ => "reserved",
    }
}
