//! What the numbers of AIS messages mean (ITU-R M.1371-5 annex 8).

/// Title of a message type (table 46); empty if there is none.
#[must_use]
pub const fn message(kind: u32) -> &'static str {
    match kind {
        1..=3 => "position report",
        4 => "base station report",
        5 => "static and voyage data",
        6 => "addressed binary message",
        7 => "binary acknowledgement",
        8 => "binary broadcast",
        9 => "search and rescue aircraft position",
        10 => "time inquiry",
        11 => "time response",
        12 => "addressed safety text",
        13 => "safety acknowledgement",
        14 => "safety text",
        15 => "interrogation",
        16 => "assignment",
        17 => "differential correction broadcast",
        18 => "class B position report",
        19 => "class B extended position report",
        20 => "data link management",
        21 => "aid to navigation",
        22 => "channel management",
        23 => "group assignment",
        24 => "static data",
        25 => "single slot binary message",
        26 => "multiple slot binary message",
        27 => "long range position report",
        _ => "",
    }
}

/// Navigational status (table 48).
#[must_use]
pub const fn status(code: u32) -> &'static str {
    match code {
        0 => "under way using engine",
        1 => "at anchor",
        2 => "not under command",
        3 => "restricted manoeuvrability",
        4 => "constrained by draught",
        5 => "moored",
        6 => "aground",
        7 => "fishing",
        8 => "under way sailing",
        11 => "towing astern",
        12 => "pushing ahead or towing alongside",
        14 => "AIS-SART active",
        15 => "undefined",
        _ => "reserved",
    }
}

/// Type of ship (table 53).
#[must_use]
pub const fn ship(code: u32) -> &'static str {
    match code {
        20..=29 => "wing in ground",
        30 => "fishing",
        31 | 32 => "towing",
        33 => "dredging",
        34 => "diving",
        35 => "military",
        36 => "sailing",
        37 => "pleasure craft",
        40..=49 => "high-speed craft",
        50 => "pilot vessel",
        51 => "search and rescue",
        52 => "tug",
        53 => "port tender",
        54 => "anti-pollution",
        55 => "law enforcement",
        58 => "medical transport",
        60..=69 => "passenger ship",
        70..=79 => "cargo ship",
        80..=89 => "tanker",
        90..=99 => "other",
        _ => "",
    }
}

/// Type of an aid to navigation (table 74).
#[must_use]
pub const fn aid(code: u32) -> &'static str {
    match code {
        1 => "reference point",
        2 => "racon",
        3 => "fixed structure off shore",
        4 => "emergency wreck marking buoy",
        5 | 6 => "light",
        7 | 8 => "leading light",
        9..=12 => "cardinal beacon",
        13 | 14 => "lateral beacon",
        15 | 16 => "preferred channel beacon",
        17 => "isolated danger beacon",
        18 => "safe water beacon",
        19 => "special mark beacon",
        20..=23 => "cardinal mark",
        24 | 25 => "lateral mark",
        26 | 27 => "preferred channel mark",
        28 => "isolated danger mark",
        29 => "safe water mark",
        30 => "special mark",
        31 => "light vessel or rig",
        _ => "",
    }
}

/// What sends under a maritime identity (ITU-R M.585-8).
#[must_use]
pub const fn station(mmsi: u32) -> &'static str {
    match mmsi {
        0..=9_999_999 => "coast station",
        10_000_000..=99_999_999 => "group of ships",
        111_000_000..=111_999_999 => "search and rescue aircraft",
        200_000_000..=799_999_999 => "ship",
        970_000_000..=970_999_999 => "AIS-SART",
        972_000_000..=972_999_999 => "man overboard device",
        974_000_000..=974_999_999 => "emergency beacon",
        980_000_000..=989_999_999 => "auxiliary craft",
        990_000_000..=999_999_999 => "aid to navigation",
        _ => "station",
    }
}
