//! Numbers and names of LLRP (EPCglobal Low Level Reader Protocol 1.0.1 section 16, and 1.1).

use quaywatch_model::OperationClass;

/// `KEEPALIVE`, from the reader.
pub const KEEPALIVE: u16 = 62;
/// `KEEPALIVE_ACK`, from the client.
pub const KEEPALIVE_ACK: u16 = 72;
/// `RO_ACCESS_REPORT`.
pub const REPORT: u16 = 61;
/// `READER_EVENT_NOTIFICATION`.
pub const NOTIFICATION: u16 = 63;
/// `ERROR_MESSAGE`: takes the place of any reply.
pub const ERROR: u16 = 100;
/// `CUSTOM_MESSAGE`: a maker's own, in both directions.
pub const CUSTOM: u16 = 1023;
/// `GET_READER_CAPABILITIES_RESPONSE`.
pub const CAPABILITIES: u16 = 11;
/// `GET_READER_CONFIG_RESPONSE`.
pub const CONFIGURATION: u16 = 12;

/// What a message type is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Asked by the client, answered with this type.
    Ask(u16),
    /// Told by the client, with no answer.
    Tell,
    /// Answered by the reader.
    Answer,
    /// Asked by the reader, answered with this type.
    ReaderAsks(u16),
    /// Answered by the client.
    ClientAnswers,
    /// Told by the reader, with no answer.
    ReaderTells,
    /// Either side's.
    Custom,
}

/// A message type.
#[derive(Clone, Copy, Debug)]
pub struct Message {
    /// Its number.
    pub kind: u16,
    /// Its name in the standard.
    pub name: &'static str,
    /// Who sends it.
    pub role: Role,
    /// What it does to the reader.
    pub class: OperationClass,
}

const fn message(kind: u16, name: &'static str, role: Role, class: OperationClass) -> Message {
    Message { kind, name, role, class }
}

use OperationClass::{Configure, Control, Cyclic, Diagnose, Identify, Read, Session};

/// Message types (section 16.1).
#[rustfmt::skip]
const MESSAGES: &[Message] = &[
    message(1, "GET_READER_CAPABILITIES", Role::Ask(11), Identify),
    message(2, "GET_READER_CONFIG", Role::Ask(12), Read),
    message(3, "SET_READER_CONFIG", Role::Ask(13), Configure),
    message(4, "CLOSE_CONNECTION_RESPONSE", Role::Answer, Session),
    message(11, "GET_READER_CAPABILITIES_RESPONSE", Role::Answer, Identify),
    message(12, "GET_READER_CONFIG_RESPONSE", Role::Answer, Read),
    message(13, "SET_READER_CONFIG_RESPONSE", Role::Answer, Configure),
    message(14, "CLOSE_CONNECTION", Role::Ask(4), Session),
    message(20, "ADD_ROSPEC", Role::Ask(30), Configure),
    message(21, "DELETE_ROSPEC", Role::Ask(31), Configure),
    message(22, "START_ROSPEC", Role::Ask(32), Control),
    message(23, "STOP_ROSPEC", Role::Ask(33), Control),
    message(24, "ENABLE_ROSPEC", Role::Ask(34), Control),
    message(25, "DISABLE_ROSPEC", Role::Ask(35), Control),
    message(26, "GET_ROSPECS", Role::Ask(36), Read),
    message(30, "ADD_ROSPEC_RESPONSE", Role::Answer, Configure),
    message(31, "DELETE_ROSPEC_RESPONSE", Role::Answer, Configure),
    message(32, "START_ROSPEC_RESPONSE", Role::Answer, Control),
    message(33, "STOP_ROSPEC_RESPONSE", Role::Answer, Control),
    message(34, "ENABLE_ROSPEC_RESPONSE", Role::Answer, Control),
    message(35, "DISABLE_ROSPEC_RESPONSE", Role::Answer, Control),
    message(36, "GET_ROSPECS_RESPONSE", Role::Answer, Read),
    message(40, "ADD_ACCESSSPEC", Role::Ask(50), Configure),
    message(41, "DELETE_ACCESSSPEC", Role::Ask(51), Configure),
    message(42, "ENABLE_ACCESSSPEC", Role::Ask(52), Control),
    message(43, "DISABLE_ACCESSSPEC", Role::Ask(53), Control),
    message(44, "GET_ACCESSSPECS", Role::Ask(54), Read),
    message(45, "CLIENT_REQUEST_OP", Role::ReaderAsks(55), Control),
    message(46, "GET_SUPPORTED_VERSION", Role::Ask(56), Identify),
    message(47, "SET_PROTOCOL_VERSION", Role::Ask(57), Session),
    message(50, "ADD_ACCESSSPEC_RESPONSE", Role::Answer, Configure),
    message(51, "DELETE_ACCESSSPEC_RESPONSE", Role::Answer, Configure),
    message(52, "ENABLE_ACCESSSPEC_RESPONSE", Role::Answer, Control),
    message(53, "DISABLE_ACCESSSPEC_RESPONSE", Role::Answer, Control),
    message(54, "GET_ACCESSSPECS_RESPONSE", Role::Answer, Read),
    message(55, "CLIENT_REQUEST_OP_RESPONSE", Role::ClientAnswers, Control),
    message(56, "GET_SUPPORTED_VERSION_RESPONSE", Role::Answer, Identify),
    message(57, "SET_PROTOCOL_VERSION_RESPONSE", Role::Answer, Session),
    message(60, "GET_REPORT", Role::Tell, Read),
    message(REPORT, "RO_ACCESS_REPORT", Role::ReaderTells, Cyclic),
    message(KEEPALIVE, "KEEPALIVE", Role::ReaderAsks(KEEPALIVE_ACK), Session),
    message(NOTIFICATION, "READER_EVENT_NOTIFICATION", Role::ReaderTells, Diagnose),
    message(64, "ENABLE_EVENTS_AND_REPORTS", Role::Tell, Configure),
    message(KEEPALIVE_ACK, "KEEPALIVE_ACK", Role::ClientAnswers, Session),
    message(ERROR, "ERROR_MESSAGE", Role::Answer, Diagnose),
    message(CUSTOM, "CUSTOM_MESSAGE", Role::Custom, Configure),
];

/// The message of this type.
#[must_use]
pub fn message_of(kind: u16) -> Option<&'static Message> {
    MESSAGES.iter().find(|message| message.kind == kind)
}

/// Parameter types: TV below 128, TLV from there (section 16.2).
#[rustfmt::skip]
const PARAMETERS: &[(u16, &str)] = &[
    (1, "AntennaID"), (2, "FirstSeenTimestampUTC"), (3, "FirstSeenTimestampUptime"), (4, "LastSeenTimestampUTC"),
    (5, "LastSeenTimestampUptime"), (6, "PeakRSSI"), (7, "ChannelIndex"), (8, "TagSeenCount"), (9, "ROSpecID"),
    (10, "InventoryParameterSpecID"), (11, "C1G2CRC"), (12, "C1G2PC"), (13, "EPC-96"), (14, "SpecIndex"),
    (15, "ClientRequestOpSpecResult"), (16, "AccessSpecID"), (17, "OpSpecID"), (18, "C1G2SingulationDetails"),
    (19, "C1G2XPCW1"), (20, "C1G2XPCW2"),
    (128, "UTCTimestamp"), (129, "Uptime"), (137, "GeneralDeviceCapabilities"), (139, "ReceiveSensitivityTableEntry"),
    (140, "PerAntennaAirProtocol"), (141, "GPIOCapabilities"), (142, "LLRPCapabilities"),
    (143, "RegulatoryCapabilities"), (144, "UHFBandCapabilities"), (145, "TransmitPowerLevelTableEntry"),
    (146, "FrequencyInformation"), (147, "FrequencyHopTable"), (148, "FixedFrequencyTable"),
    (149, "PerAntennaReceiveSensitivityRange"),
    (177, "ROSpec"), (178, "ROBoundarySpec"), (179, "ROSpecStartTrigger"), (180, "PeriodicTriggerValue"),
    (181, "GPITriggerValue"), (182, "ROSpecStopTrigger"), (183, "AISpec"), (184, "AISpecStopTrigger"),
    (185, "TagObservationTrigger"), (186, "InventoryParameterSpec"), (187, "RFSurveySpec"),
    (188, "RFSurveySpecStopTrigger"),
    (207, "AccessSpec"), (208, "AccessSpecStopTrigger"), (209, "AccessCommand"), (210, "ClientRequestOpSpec"),
    (211, "ClientRequestResponse"),
    (217, "LLRPConfigurationStateValue"), (218, "Identification"), (219, "GPOWriteData"), (220, "KeepaliveSpec"),
    (221, "AntennaProperties"), (222, "AntennaConfiguration"), (223, "RFReceiver"), (224, "RFTransmitter"),
    (225, "GPIPortCurrentState"), (226, "EventsAndReports"),
    (237, "ROReportSpec"), (238, "TagReportContentSelector"), (239, "AccessReportSpec"), (240, "TagReportData"),
    (241, "EPCData"), (242, "RFSurveyReportData"), (243, "FrequencyRSSILevelEntry"),
    (244, "ReaderEventNotificationSpec"), (245, "EventNotificationState"), (246, "ReaderEventNotificationData"),
    (247, "HoppingEvent"), (248, "GPIEvent"), (249, "ROSpecEvent"), (250, "ReportBufferLevelWarningEvent"),
    (251, "ReportBufferOverflowErrorEvent"), (252, "ReaderExceptionEvent"), (253, "RFSurveyEvent"),
    (254, "AISpecEvent"), (255, "AntennaEvent"), (256, "ConnectionAttemptEvent"), (257, "ConnectionCloseEvent"),
    (287, "LLRPStatus"), (288, "FieldError"), (289, "ParameterError"),
    (327, "C1G2LLRPCapabilities"), (328, "UHFC1G2RFModeTable"), (329, "UHFC1G2RFModeTableEntry"),
    (330, "C1G2InventoryCommand"), (331, "C1G2Filter"), (332, "C1G2TagInventoryMask"),
    (333, "C1G2TagInventoryStateAwareFilterAction"), (334, "C1G2TagInventoryStateUnawareFilterAction"),
    (335, "C1G2RFControl"), (336, "C1G2SingulationControl"), (337, "C1G2TagInventoryStateAwareSingulationAction"),
    (338, "C1G2TagSpec"), (339, "C1G2TargetTag"), (341, "C1G2Read"), (342, "C1G2Write"), (343, "C1G2Kill"),
    (344, "C1G2Lock"), (345, "C1G2LockPayload"), (346, "C1G2BlockErase"), (347, "C1G2BlockWrite"),
    (348, "C1G2EPCMemorySelector"), (349, "C1G2ReadOpSpecResult"), (350, "C1G2WriteOpSpecResult"),
    (351, "C1G2KillOpSpecResult"), (352, "C1G2LockOpSpecResult"), (353, "C1G2BlockEraseOpSpecResult"),
    (354, "C1G2BlockWriteOpSpecResult"), (355, "LoopSpec"), (356, "SpecLoopEvent"), (357, "C1G2Recommission"),
    (358, "C1G2BlockPermalock"), (359, "C1G2GetBlockPermalockStatus"), (360, "C1G2RecommissionOpSpecResult"),
    (361, "C1G2BlockPermalockOpSpecResult"), (362, "C1G2GetBlockPermalockStatusOpSpecResult"),
    (363, "MaximumReceiveSensitivity"), (365, "RFSurveyFrequencyCapabilities"), (1023, "Custom"),
];

/// Name of a parameter type; empty if the standard has none.
#[must_use]
pub fn parameter(kind: u16) -> &'static str {
    PARAMETERS.iter().find(|(number, _)| *number == kind).map_or("", |(_, name)| *name)
}

/// The parameter type of this name.
#[must_use]
pub fn parameter_type(name: &str) -> Option<u16> {
    PARAMETERS.iter().find(|(_, candidate)| *candidate == name).map(|(number, _)| *number)
}

/// Length of the value of a TV parameter, bytes (section 16.2.8.3); `None` for types the standard does not have.
#[must_use]
pub const fn tv_length(kind: u16) -> Option<usize> {
    match kind {
        6 => Some(1),
        1 | 7 | 8 | 10 | 11 | 12 | 14 | 15 | 17 | 19 | 20 => Some(2),
        9 | 16 | 18 => Some(4),
        2..=5 => Some(8),
        13 => Some(12),
        _ => None,
    }
}

/// Status codes of `LLRPStatus` (section 14.2.2): M of the message, P of a parameter, A of the reader's abilities, R of the device.
#[must_use]
pub const fn status(code: u32) -> &'static str {
    match code {
        0 => "M_Success",
        100 => "M_ParameterError",
        101 => "M_FieldError",
        102 => "M_UnexpectedParameter",
        103 => "M_MissingParameter",
        104 => "M_DuplicateParameter",
        105 => "M_OverflowParameter",
        106 => "M_OverflowField",
        107 => "M_UnknownParameter",
        108 => "M_UnknownField",
        109 => "M_UnsupportedMessage",
        110 => "M_UnsupportedVersion",
        111 => "M_UnsupportedParameter",
        112 => "M_UnexpectedMessage",
        200 => "P_ParameterError",
        201 => "P_FieldError",
        202 => "P_UnexpectedParameter",
        203 => "P_MissingParameter",
        204 => "P_DuplicateParameter",
        205 => "P_OverflowParameter",
        206 => "P_OverflowField",
        207 => "P_UnknownParameter",
        208 => "P_UnknownField",
        209 => "P_UnsupportedParameter",
        300 => "A_Invalid",
        301 => "A_OutOfRange",
        401 => "R_DeviceError",
        _ => "unknown status",
    }
}

/// Status of `ConnectionAttemptEvent` (section 13.2.6.12).
#[must_use]
pub const fn connection_attempt(code: u16) -> &'static str {
    match code {
        0 => "accepted",
        1 => "refused: a connection opened by the reader exists",
        2 => "refused: a connection opened by a client exists",
        3 => "refused for another reason",
        4 => "another connection was attempted",
        _ => "unknown",
    }
}

/// What `GET_READER_CAPABILITIES` asks for (section 9.1.1).
#[must_use]
pub const fn requested_capabilities(code: u8) -> &'static str {
    match code {
        0 => "all",
        1 => "general device capabilities",
        2 => "llrp capabilities",
        3 => "regulatory capabilities",
        4 => "air protocol capabilities",
        _ => "unknown",
    }
}

/// What `GET_READER_CONFIG` asks for (section 12.1.1).
#[must_use]
pub const fn requested_configuration(code: u8) -> &'static str {
    match code {
        0 => "all",
        1 => "identification",
        2 => "antenna properties",
        3 => "antenna configuration",
        4 => "ro report spec",
        5 => "reader event notification spec",
        6 => "access report spec",
        7 => "llrp configuration state",
        8 => "keepalive spec",
        9 => "gpi port current state",
        10 => "gpo write data",
        11 => "events and reports",
        _ => "unknown",
    }
}

/// Start triggers of a ROSpec (section 10.2.1.1.1).
#[must_use]
pub const fn start_trigger(code: u8) -> &'static str {
    match code {
        0 => "none",
        1 => "immediate",
        2 => "periodic",
        3 => "gpi",
        _ => "unknown",
    }
}

/// Stop triggers of a ROSpec (section 10.2.1.1.2).
#[must_use]
pub const fn stop_trigger(code: u8) -> &'static str {
    match code {
        0 => "none",
        1 => "duration",
        2 => "gpi with timeout",
        _ => "unknown",
    }
}

/// What an operation on tags is called, by the parameter that orders it or that tells its result.
#[must_use]
pub const fn tag_operation(parameter: u16) -> Option<&'static str> {
    Some(match parameter {
        341 | 349 => "read tag",
        342 | 350 => "write tag",
        343 | 351 => "kill tag",
        344 | 352 => "lock tag",
        346 | 353 => "erase tag block",
        347 | 354 => "write tag block",
        357 | 360 => "recommission tag",
        358 | 361 => "lock tag block for ever",
        359 | 362 => "read tag block lock",
        _ => return None,
    })
}

const WRITE_RESULTS: &[&str] = &[
    "success",
    "tag memory overrun",
    "tag memory locked",
    "insufficient power",
    "nonspecific tag error",
    "no response from tag",
    "nonspecific reader error",
    "incorrect password",
];
const READ_RESULTS: &[&str] = &[
    "success",
    "nonspecific tag error",
    "no response from tag",
    "nonspecific reader error",
    "tag memory overrun",
    "tag memory locked",
    "incorrect password",
];
const KILL_RESULTS: &[&str] = &[
    "success",
    "zero kill password",
    "insufficient power",
    "nonspecific tag error",
    "no response from tag",
    "nonspecific reader error",
    "incorrect password",
];
const LOCK_RESULTS: &[&str] = &[
    "success",
    "insufficient power",
    "nonspecific tag error",
    "no response from tag",
    "nonspecific reader error",
    "incorrect password",
    "tag memory overrun",
    "tag memory locked",
];

/// Result of an operation on a tag (section 15.2.1.5.6), by the parameter that tells it.
#[must_use]
pub fn tag_result(parameter: u16, code: u8) -> &'static str {
    let table = match parameter {
        349 => READ_RESULTS,
        350 | 353 | 354 => WRITE_RESULTS,
        351 => KILL_RESULTS,
        352 => LOCK_RESULTS,
        _ if code == 0 => return "success",
        _ => return "error",
    };
    table.get(usize::from(code)).copied().unwrap_or("error")
}

/// Makers of readers by their IANA private enterprise number.
#[must_use]
pub const fn manufacturer(number: u32) -> Option<&'static str> {
    match number {
        161 => Some("Motorola (Zebra)"),
        17_996 => Some("Alien Technology"),
        24_831 => Some("Sirit"),
        25_882 => Some("Impinj"),
        26_554 => Some("ThingMagic"),
        _ => None,
    }
}

/// Product of a maker by its model number.
#[must_use]
pub const fn product(manufacturer: u32, model: u32) -> Option<&'static str> {
    match (manufacturer, model) {
        (25_882, 2_001_001) => Some("Speedway R220"),
        (25_882, 2_001_002) => Some("Speedway R420"),
        _ => None,
    }
}

/// Coding scheme by the first byte of an EPC (GS1 EPC Tag Data Standard 1.13 section 14.2).
#[must_use]
pub const fn scheme(header: u8) -> &'static str {
    match header {
        0x2c => "gdti-96",
        0x2d => "gsrn-96",
        0x2e => "gsrnp-96",
        0x2f => "usdod-96",
        0x30 => "sgtin-96",
        0x31 => "sscc-96",
        0x32 => "sgln-96",
        0x33 => "grai-96",
        0x34 => "giai-96",
        0x35 => "gid-96",
        0x36 => "sgtin-198",
        0x37 => "grai-170",
        0x38 => "giai-202",
        0x39 => "sgln-195",
        0x3b => "adi-var",
        0x3c => "cpi-96",
        0x3d => "cpi-var",
        0x3e => "gdti-174",
        0x3f => "sgcn-96",
        _ => "",
    }
}
