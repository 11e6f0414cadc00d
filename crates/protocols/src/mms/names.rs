//! Services, PDUs and errors of MMS and their names (ISO 9506-2), and the functional constraints of IEC 61850-7-2.

use quaywatch_model::{Attribute, OperationClass};

/// Added to the number of an unconfirmed service to make a code.
pub const UNCONFIRMED: u32 = 0x100;
/// Added to the tag of a PDU that is no service's to make a code.
pub const PDU: u32 = 0x200;
/// Added to class (times 256) and code of a service error to make a status: class 0 with code 0 must not read as success.
pub const SERVICE_ERROR: u32 = 0x1_0000;
/// Added to type (times 256) and reason of a reject to make a status.
pub const REJECTED: u32 = 0x2_0000;
/// Added to a data access error to make the status of a request all of whose items failed.
pub const ACCESS_ERROR: u32 = 0x3_0000;
/// Status of a request whose response holds not what it should.
pub const UNREADABLE: u32 = 0x4_0000;

/// Confirmed services by number, with what each does.
#[rustfmt::skip]
const SERVICES: [(&str, OperationClass); 79] = {
    use OperationClass::{Configure, Control, Diagnose, Identify, Program, Read, Write};
    [
        ("status", Diagnose), ("getNameList", Read), ("identify", Identify), ("rename", Configure), ("read", Read), ("write", Write),
        ("getVariableAccessAttributes", Read), ("defineNamedVariable", Configure), ("defineScatteredAccess", Configure),
        ("getScatteredAccessAttributes", Read), ("deleteVariableAccess", Configure), ("defineNamedVariableList", Configure),
        ("getNamedVariableListAttributes", Read), ("deleteNamedVariableList", Configure), ("defineNamedType", Configure),
        ("getNamedTypeAttributes", Read), ("deleteNamedType", Configure), ("input", Read), ("output", Write),
        ("takeControl", Control), ("relinquishControl", Control), ("defineSemaphore", Configure), ("deleteSemaphore", Configure),
        ("reportSemaphoreStatus", Diagnose), ("reportPoolSemaphoreStatus", Diagnose), ("reportSemaphoreEntryStatus", Diagnose),
        ("initiateDownloadSequence", Program), ("downloadSegment", Program), ("terminateDownloadSequence", Program),
        ("initiateUploadSequence", Program), ("uploadSegment", Program), ("terminateUploadSequence", Program),
        ("requestDomainDownload", Program), ("requestDomainUpload", Program), ("loadDomainContent", Program),
        ("storeDomainContent", Program), ("deleteDomain", Program), ("getDomainAttributes", Read),
        ("createProgramInvocation", Program), ("deleteProgramInvocation", Program), ("start", Control), ("stop", Control),
        ("resume", Control), ("reset", Control), ("kill", Control), ("getProgramInvocationAttributes", Read),
        ("obtainFile", Program), ("defineEventCondition", Configure), ("deleteEventCondition", Configure),
        ("getEventConditionAttributes", Read), ("reportEventConditionStatus", Diagnose), ("alterEventConditionMonitoring", Configure),
        ("triggerEvent", Control), ("defineEventAction", Configure), ("deleteEventAction", Configure),
        ("getEventActionAttributes", Read), ("reportEventActionStatus", Diagnose), ("defineEventEnrollment", Configure),
        ("deleteEventEnrollment", Configure), ("alterEventEnrollment", Configure), ("reportEventEnrollmentStatus", Diagnose),
        ("getEventEnrollmentAttributes", Read), ("acknowledgeEventNotification", Control), ("getAlarmSummary", Read),
        ("getAlarmEnrollmentSummary", Read), ("readJournal", Read), ("writeJournal", Write), ("initializeJournal", Configure),
        ("reportJournalStatus", Diagnose), ("createJournal", Configure), ("deleteJournal", Configure), ("getCapabilityList", Identify),
        ("fileOpen", Read), ("fileRead", Read), ("fileClose", Read), ("fileRename", Program), ("fileDelete", Program),
        ("fileDirectory", Read), ("additionalService", Configure),
    ]
};

/// Name and class of a confirmed service.
#[must_use]
pub fn service(number: u32) -> (&'static str, OperationClass) {
    let known = usize::try_from(number).ok().and_then(|number| SERVICES.get(number));
    known.copied().unwrap_or(("unknown service", OperationClass::Diagnose))
}

/// Names of what the bits of the services supported stand for: the confirmed services, then these (ISO 9506-2 `ServiceSupportOptions`).
const SUPPORTED_BEYOND: [&str; 7] = [
    "unsolicitedStatus",
    "informationReport",
    "eventNotification",
    "attachToEventCondition",
    "attachToSemaphore",
    "conclude",
    "cancel",
];

/// Name of a bit of the services supported.
#[must_use]
pub fn supported(bit: usize) -> Option<&'static str> {
    match bit.checked_sub(78) {
        None => SERVICES.get(bit).map(|(name, _)| *name),
        Some(beyond) => SUPPORTED_BEYOND.get(beyond).copied(),
    }
}

/// Name of an unconfirmed service.
#[must_use]
pub const fn unconfirmed(number: u32) -> &'static str {
    match number {
        0 => "informationReport",
        1 => "unsolicitedStatus",
        2 => "eventNotification",
        _ => "unknown unconfirmed service",
    }
}

/// Classes of service errors with their codes.
const ERRORS: [(&str, &[&str]); 13] = [
    (
        "vmd-state",
        &[
            "other",
            "vmd-state-conflict",
            "vmd-operational-problem",
            "domain-transfer-problem",
            "state-machine-id-invalid",
        ],
    ),
    (
        "application-reference",
        &[
            "other",
            "application-unreachable",
            "connection-lost",
            "application-reference-invalid",
            "context-unsupported",
        ],
    ),
    (
        "definition",
        &[
            "other",
            "object-undefined",
            "invalid-address",
            "type-unsupported",
            "type-inconsistent",
            "object-exists",
            "object-attribute-inconsistent",
        ],
    ),
    (
        "resource",
        &[
            "other",
            "memory-unavailable",
            "processor-resource-unavailable",
            "mass-storage-unavailable",
            "capability-unavailable",
            "capability-unknown",
        ],
    ),
    (
        "service",
        &[
            "other",
            "primitives-out-of-sequence",
            "object-state-conflict",
            "pdu-size",
            "continuation-invalid",
            "object-constraint-conflict",
        ],
    ),
    ("service-preempt", &["other", "timeout", "deadlock", "cancel"]),
    ("time-resolution", &["other", "unsupportable-time-resolution"]),
    (
        "access",
        &["other", "object-access-unsupported", "object-non-existent", "object-access-denied", "object-invalidated"],
    ),
    (
        "initiate",
        &[
            "other",
            "version-incompatible",
            "max-segment-insufficient",
            "max-services-outstanding-calling-insufficient",
            "max-services-outstanding-called-insufficient",
            "service-CBB-insufficient",
            "parameter-CBB-insufficient",
            "nesting-level-insufficient",
        ],
    ),
    ("conclude", &["other", "further-communication-required"]),
    ("cancel", &["other", "invoke-id-unknown", "cancel-not-possible"]),
    (
        "file",
        &[
            "other",
            "filename-ambiguous",
            "file-busy",
            "filename-syntax-error",
            "content-type-invalid",
            "position-invalid",
            "file-access-denied",
            "file-non-existent",
            "duplicate-filename",
            "insufficient-space-in-filestore",
        ],
    ),
    ("others", &["other"]),
];

/// Class and code of a service error in words.
#[must_use]
pub fn service_error(class: u32, code: u32) -> (&'static str, &'static str) {
    let known = usize::try_from(class).ok().and_then(|class| ERRORS.get(class));
    let (class, codes) = known.copied().unwrap_or(("unknown error class", &[]));
    (class, usize::try_from(code).ok().and_then(|code| codes.get(code)).copied().unwrap_or("unknown code"))
}

/// What kind of PDU a reject speaks of.
#[must_use]
pub const fn rejected(kind: u32) -> &'static str {
    match kind {
        1 => "rejected: confirmed request",
        2 => "rejected: confirmed response",
        3 => "rejected: confirmed error",
        4 => "rejected: unconfirmed PDU",
        5 => "rejected: PDU error",
        6 => "rejected: cancel request",
        7 => "rejected: cancel response",
        8 => "rejected: cancel error",
        9 => "rejected: conclude request",
        10 => "rejected: conclude response",
        11 => "rejected: conclude error",
        _ => "rejected",
    }
}

/// Why a variable could not be read or written (`DataAccessError`).
#[must_use]
pub const fn access_error(code: u32) -> &'static str {
    match code {
        0 => "object-invalidated",
        1 => "hardware-fault",
        2 => "temporarily-unavailable",
        3 => "object-access-denied",
        4 => "object-undefined",
        5 => "invalid-address",
        6 => "type-unsupported",
        7 => "type-inconsistent",
        8 => "object-attribute-inconsistent",
        9 => "object-access-unsupported",
        10 => "object-non-existent",
        11 => "object-value-invalid",
        _ => "unknown data access error",
    }
}

/// Classes of objects of getNameList.
#[must_use]
pub const fn object_class(class: u32) -> &'static str {
    match class {
        0 => "named variables",
        1 => "scattered accesses",
        2 => "named variable lists",
        3 => "named types",
        4 => "semaphores",
        5 => "event conditions",
        6 => "event actions",
        7 => "event enrollments",
        8 => "journals",
        9 => "domains",
        10 => "program invocations",
        11 => "operator stations",
        _ => "objects",
    }
}

/// State of the machine as a whole (`vmdLogicalStatus`).
#[must_use]
pub const fn logical_status(status: u32) -> &'static str {
    match status {
        0 => "state-changes-allowed",
        1 => "no-state-changes-allowed",
        2 => "limited-services-permitted",
        3 => "support-services-allowed",
        _ => "unknown",
    }
}

/// State of the hardware (`vmdPhysicalStatus`).
#[must_use]
pub const fn physical_status(status: u32) -> &'static str {
    match status {
        0 => "operational",
        1 => "partially-operational",
        2 => "inoperable",
        3 => "needs-commissioning",
        _ => "unknown",
    }
}

/// What an item of IEC 61850 is to control (IEC 61850-8-1 section 20): the attribute's name and what writing or, for SBO, reading it does.
#[must_use]
pub fn control(item: &str) -> Option<&'static str> {
    let mut parts = item.split('$');
    let constraint = parts.nth(1)?;
    if constraint != "CO" {
        return None;
    }
    parts.find_map(|part| match part {
        "Oper" => Some("operate"),
        "SBO" => Some("select"),
        "SBOw" => Some("select with value"),
        "Cancel" => Some("cancel"),
        _ => None,
    })
}

/// What writing an item does, by its functional constraint (IEC 61850-7-2 table 20).
#[must_use]
pub fn write_class(item: &str) -> OperationClass {
    match item.split('$').nth(1) {
        Some("CO") => OperationClass::Control,
        // Configuration, description, setting groups, control blocks of reports, logs, GOOSE and sampled values.
        Some("CF" | "DC" | "SG" | "SE" | "RP" | "BR" | "LG" | "GO" | "GS" | "MS" | "US" | "BL") => {
            OperationClass::Configure
        }
        _ => OperationClass::Write,
    }
}

/// What an item of a name plate says (IEC 61850-7-3 section 7.9: LPL, DPL): of the device, or of its logical device.
#[must_use]
pub fn name_plate(item: &str) -> Option<(Attribute, &'static str)> {
    let mut parts = item.split('$');
    let (node, constraint, object, attribute) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let device = object == "PhyNam";
    if !matches!(constraint, "DC" | "EX")
        || !(device || object == "NamPlt" && node.starts_with("LLN0"))
        || parts.next().is_some()
    {
        return None;
    }
    Some(match attribute {
        "vendor" if device => (Attribute::Vendor, "mms physical name plate"),
        "vendor" => (Attribute::Vendor, "mms name plate"),
        "model" if device => (Attribute::Model, "mms physical name plate"),
        "serNum" if device => (Attribute::Serial, "mms physical name plate"),
        "hwRev" if device => (Attribute::Hardware, "mms physical name plate"),
        "location" if device => (Attribute::Location, "mms physical name plate"),
        "swRev" if device => (Attribute::Firmware, "mms physical name plate"),
        "swRev" => (Attribute::Firmware, "mms name plate"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_have_their_numbers() {
        for (number, name) in
            [(0, "status"), (26, "initiateDownloadSequence"), (40, "start"), (72, "fileOpen"), (77, "fileDirectory")]
        {
            assert_eq!(service(number).0, name);
        }
        assert_eq!(
            (supported(77), supported(79), supported(84), supported(85)),
            (Some("fileDirectory"), Some("informationReport"), Some("cancel"), None)
        );
    }

    #[test]
    fn items_of_substations_say_what_they_do() {
        assert_eq!(control("CSWI1$CO$Pos$Oper"), Some("operate"));
        assert_eq!(control("CSWI1$CO$Pos$SBOw$ctlVal"), Some("select with value"));
        assert_eq!(control("CSWI1$ST$Pos$stVal"), None);
        assert_eq!(write_class("LLN0$BR$brcb1$RptEna"), OperationClass::Configure);
        assert_eq!(write_class("Transfer_Set"), OperationClass::Write);
        assert_eq!(name_plate("LPHD1$DC$PhyNam$serNum").map(|(attribute, _)| attribute), Some(Attribute::Serial));
        assert_eq!(name_plate("MMXU1$DC$NamPlt$vendor"), None);
    }
}
