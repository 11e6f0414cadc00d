//! Names of streams, alarms and channel errors (IEC 61158-6-10).

/// The class of a cyclic stream by its frame id (table "FrameID").
#[must_use]
pub const fn stream_class(id: u16) -> &'static str {
    match id {
        0x0100..=0x0fff => "isochronous real time (RT class 3)",
        0x8000..=0xbbff => "real time",
        0xbc00..=0xbfff => "real time multicast",
        0xc000..=0xf7ff => "real time (RT class 1)",
        0xf800..=0xfbff => "real time multicast (RT class 1)",
        _ => "real time, reserved frame id",
    }
}

/// What an alarm tells (table "AlarmType").
#[must_use]
pub const fn alarm(kind: u16) -> &'static str {
    match kind {
        0x0001 => "diagnosis",
        0x0002 => "process",
        0x0003 => "pull",
        0x0004 => "plug",
        0x0005 => "status",
        0x0006 => "update",
        0x0007 => "media redundancy",
        0x0008 => "controlled by supervisor",
        0x0009 => "released",
        0x000a => "plug of wrong submodule",
        0x000b => "return of submodule",
        0x000c => "diagnosis disappears",
        0x000d => "multicast communication mismatch",
        0x000e => "port data change",
        0x000f => "sync data changed",
        0x0010 => "isochronous mode problem",
        0x0011 => "network component problem",
        0x0012 => "time data changed",
        0x0013 => "dynamic frame packing problem",
        0x0014 => "redundancy with planned duplication problem",
        0x001e => "upload and retrieval",
        0x001f => "pull of module",
        0x0020..=0x007f => "manufacturer specific",
        0x0080..=0x00ff => "profile specific",
        _ => "reserved",
    }
}

/// What is wrong with a channel (table "ChannelErrorType"); empty where the table has no name.
#[must_use]
pub const fn channel_error(kind: u16) -> &'static str {
    match kind {
        0x0001 => "short circuit",
        0x0002 => "undervoltage",
        0x0003 => "overvoltage",
        0x0004 => "overload",
        0x0005 => "overtemperature",
        0x0006 => "line break",
        0x0007 => "upper limit exceeded",
        0x0008 => "lower limit exceeded",
        0x0009 => "error",
        0x000a => "simulation active",
        0x0010 => "parameterisation fault",
        0x0011 => "power supply fault",
        0x0012 => "fuse blown",
        0x0013 => "communication fault",
        0x0014 => "ground fault",
        0x0015 => "reference point lost",
        0x0016 => "process signal lost",
        0x0017 => "threshold error",
        0x0018 => "output disabled",
        0x0019 => "safety function triggered",
        0x001a => "external fault",
        0x8000 => "data transmission impossible",
        0x8001 => "remote mismatch",
        0x8002 => "media redundancy mismatch",
        0x8003 => "sync mismatch",
        0x8004 => "isochronous mode mismatch",
        0x8005 => "multicast mismatch",
        0x8007 => "fibre optic mismatch",
        0x8008 => "network component function mismatch",
        0x8009 => "time mismatch",
        _ => "",
    }
}
