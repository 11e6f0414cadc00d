//! What the commands of ONVIF do, by the verbs of their names and by name where the verb does not tell.

use quaywatch_model::OperationClass::{self, Configure, Control, Diagnose, Identify, Read, Session, Write};

/// Commands whose verb does not tell what they do. Core Specification; PTZ, Imaging, Media, Device IO, Door Control,
/// Recording and Replay service specifications.
const NAMED: &[(&str, OperationClass)] = &[
    ("GetDeviceInformation", Identify),
    ("GetServices", Identify),
    ("GetServiceCapabilities", Identify),
    ("GetCapabilities", Identify),
    ("GetScopes", Identify),
    ("GetHostname", Identify),
    ("GetEndpointReference", Identify),
    ("GetWsdlUrl", Identify),
    ("SystemReboot", Control),
    ("RestoreSystem", Configure),
    ("StartSystemRestore", Configure),
    ("UpgradeSystemFirmware", Configure),
    ("StartFirmwareUpgrade", Configure),
    ("GetSystemLog", Diagnose),
    ("GetSystemSupportInformation", Diagnose),
    ("GetSystemUris", Diagnose),
    ("ScanAvailableDot11Networks", Diagnose),
    // Cameras are moved and outputs are set many times a day: values are written, no state is changed.
    ("ContinuousMove", Write),
    ("AbsoluteMove", Write),
    ("RelativeMove", Write),
    ("GeoMove", Write),
    ("MoveAndStartTracking", Write),
    ("Move", Write),
    ("Stop", Write),
    ("GotoPreset", Write),
    ("GotoHomePosition", Write),
    ("OperatePresetTour", Write),
    ("SetRelayOutputState", Write),
    ("SendAuxiliaryCommand", Write),
    ("SendSerialCommand", Write),
    // Doors and barriers.
    ("AccessDoor", Control),
    ("LockDoor", Control),
    ("UnlockDoor", Control),
    ("DoubleLockDoor", Control),
    ("BlockDoor", Control),
    ("LockDownDoor", Control),
    ("LockDownReleaseDoor", Control),
    ("LockOpenDoor", Control),
    ("LockOpenReleaseDoor", Control),
    ("CreatePullPointSubscription", Session),
    ("Subscribe", Session),
    ("Renew", Session),
    ("Unsubscribe", Session),
    ("PullMessages", Read),
    ("Seek", Session),
    ("SetSynchronizationPoint", Session),
    ("StartMulticastStreaming", Session),
    ("StopMulticastStreaming", Session),
    ("FindRecordings", Read),
    ("FindEvents", Read),
    ("EndSearch", Session),
    ("ExportRecordedData", Read),
];

/// What the verb before a name tells.
const VERBS: &[(&str, OperationClass)] = &[
    ("Get", Read),
    ("Set", Configure),
    ("Create", Configure),
    ("Delete", Configure),
    ("Add", Configure),
    ("Remove", Configure),
    ("Load", Configure),
    ("Modify", Configure),
    ("Upload", Configure),
    ("Assign", Configure),
];

/// What a command does; `None` if neither its name nor its verb is known.
pub(super) fn class(name: &str) -> Option<OperationClass> {
    let named = NAMED.iter().find(|(known, _)| *known == name);
    named.or_else(|| VERBS.iter().find(|(verb, _)| name.starts_with(verb))).map(|(_, class)| *class)
}

/// Whether a device answers this to anyone, as it must before there can be a login (Core Specification, access class
/// PRE_AUTH).
pub(super) fn is_open_to_all(name: &str) -> bool {
    const OPEN: &[&str] = &[
        "GetWsdlUrl",
        "GetServices",
        "GetServiceCapabilities",
        "GetCapabilities",
        "GetHostname",
        "GetSystemDateAndTime",
        "GetEndpointReference",
    ];
    OPEN.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_have_the_class_of_what_they_do() {
        for (name, wanted) in [
            ("GetDeviceInformation", Some(Identify)),
            ("GetUsers", Some(Read)),
            ("CreateUsers", Some(Configure)),
            ("SetSystemFactoryDefault", Some(Configure)),
            ("SetRelayOutputState", Some(Write)),
            ("SystemReboot", Some(Control)),
            ("UnlockDoor", Some(Control)),
            ("PullMessages", Some(Read)),
            ("Frobnicate", None),
        ] {
            assert_eq!(class(name), wanted, "{name}");
        }
    }
}
